import { readFileSync } from 'node:fs'

/**
 * What a service can be in the middle of: an open transaction, one that holds a snapshot, one whose commit has been asked for, reading a
 * snapshot back, the silent replay after it.
 */
export const PHASES = ['transaction', 'snapshot', 'commit', 'restore', 'replay'] as const
export type Phase = (typeof PHASES)[number]

/** The promises that can be taken away, one at a time. */
export const BROKEN = ['fencing', 'transactions', 'snapshots', 'order'] as const
export type Broken = (typeof BROKEN)[number]

/** What a service is, or was when it died, in the middle of. */
export const phasesIn = (file: string): Phase[] => {
  try {
    const counts = readFileSync(file)
    return PHASES.filter((_, i) => counts[i] > 0)
  } catch {
    return [] // it has not come that far
  }
}
