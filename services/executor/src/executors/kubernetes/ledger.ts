/** What was decided about an object is written on the object itself, in the same change: a second call with one id finds it there. */
import type { Action, Receipt } from '@aegis/domain'
import type { V1ObjectMeta } from '@kubernetes/client-node'

export const LEDGER = 'aegis.dev/decisions'
/** Decisions an object remembers. */
const KEPT = 10

/** Fields of a Deployment's `spec` that a canary changes. */
export interface Released {
  readonly minReadySeconds: number
  readonly strategy: { readonly rollingUpdate: { readonly maxSurge: number | string; readonly maxUnavailable: number | string } }
}
export interface Entry {
  readonly id: string
  readonly text: string
  readonly undo?: Action
  /** Uids of the pods that are to go. */
  readonly pods?: readonly string[]
  /** While the rollout is held at one replica: what lets it go. */
  readonly hold?: Released
}

export const entriesOf = (metadata: V1ObjectMeta | undefined): readonly Entry[] => {
  try {
    const read: unknown = JSON.parse(metadata?.annotations?.[LEDGER] ?? '[]')
    return Array.isArray(read) ? read : []
  } catch {
    return [] // somebody else's scribble
  }
}
export const entryOf = (metadata: V1ObjectMeta | undefined, id: string): Entry | undefined =>
  entriesOf(metadata).find(e => e.id === id)

/** The annotation's new text. Only the newest entry names pods or holds a rollout: older ones are over. */
export const withEntry = (metadata: V1ObjectMeta | undefined, entry: Entry): string =>
  JSON.stringify([...entriesOf(metadata).map(({ pods: _, hold: _held, ...rest }) => rest), entry].slice(-KEPT))

export const receiptOf = ({ text, undo }: Entry): Receipt => ({ text, undo })
