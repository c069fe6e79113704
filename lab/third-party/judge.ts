/** What Aegis said of one fault, held against what an operator would have said. */

import { kindOf, nameOf } from '@aegis/domain'
import type { Heard } from '../drill/watch.ts'
import type { ThirdPartyFault } from './faults.ts'

export interface Verdict {
  readonly fault: string
  /** Seconds from the fault; null where it never came. */
  readonly anomaly: number | null
  readonly incident: number | null
  readonly named: number | null
  /** Place of the true cause when somebody was first named, and at the end; null where it was not among them. */
  readonly firstRank: number | null
  readonly rank: number | null
  readonly causes: readonly string[]
  readonly kind: string
  readonly kindRight: boolean
  readonly suggestion: string
  readonly suggestionRight: boolean
  readonly incidents: number
  readonly misleading: string
  /** Seconds from the end of the fault until everything was closed; null where it was not. */
  closed: number | null
  /** How customers were served meanwhile. */
  readonly served: string
}

const isCause = (fault: ThirdPartyFault, entity: string): boolean =>
  fault.causes.includes(nameOf(entity)) || (fault.causes.includes('host') && kindOf(entity) === 'host')
const rankOf = (fault: ThirdPartyFault, entities: readonly string[]): number | null => {
  const at = entities.findIndex(entity => isCause(fault, entity))
  return at < 0 ? null : at + 1
}

/** `from` and `to`: from the fault until just before it was put right, milliseconds since 1970. */
export const judge = (fault: ThirdPartyFault, heard: Heard, from: number, to: number, served: string): Verdict => {
  const within = <T>(list: readonly { at: number; value: T }[]) => list.filter(r => r.at >= from && r.at <= to)
  const since = (at: number | undefined) => (at === undefined ? null : Math.round((at - from) / 100) / 10)
  const opened = within(heard.anomalies).filter(a => a.value.state === 'open')
  // What was open before belongs to an earlier event, and so does what is said of it, unless it is all there is.
  const old = new Set(heard.incidents.filter(i => i.at < from).map(i => i.value.id))
  const all = within(heard.incidents)
  const fresh = all.filter(i => !old.has(i.value.id))
  const told = fresh.length > 0 ? fresh : all
  const naming = told.filter(i => i.value.verdict === 'cause_named')
  const first = naming[0]
  const main = naming.at(-1)
  const causes = (main?.value.causes ?? []).map(c => c.entity)
  const decision = within(heard.decisions).find(d => told.some(i => i.value.id === d.value.incident))
  const action = decision?.value.action ?? ''
  const target = decision?.value.target ?? ''
  const rank = rankOf(fault, causes)
  const top = main?.value.causes[0]
  return {
    fault: fault.name,
    anomaly: since(opened[0]?.at),
    incident: since(told[0]?.at),
    named: since(first?.at),
    firstRank: rankOf(
      fault,
      (first?.value.causes ?? []).map(c => c.entity),
    ),
    rank,
    causes: (main?.value.causes ?? [])
      .slice(0, 3)
      .map(c => `${nameOf(c.entity)} ${Math.round(c.confidence * 100)} (${c.fault_kind})`),
    kind: top?.fault_kind ?? '',
    kindRight: rank === 1 && fault.kinds.includes(top?.fault_kind ?? ''),
    suggestion: action ? `${action} ${nameOf(target ?? '')}` : '',
    suggestionRight: fault.actions.includes(action) && (action === 'page' || isCause(fault, target ?? '')),
    incidents: new Set(told.map(i => i.value.id)).size,
    misleading: rank === 1 || !top ? '' : (top.evidence?.[0]?.text ?? top.explanation ?? '').split('\n')[0].slice(0, 110),
    closed: null,
    served,
  }
}

const shown = (seconds: number | null) => (seconds === null ? '–' : seconds.toFixed(1))
export const table = (verdicts: readonly Verdict[]): string => {
  const rows = verdicts.map(v => [
    v.fault,
    shown(v.anomaly),
    shown(v.incident),
    shown(v.named),
    `${v.firstRank ?? '–'}→${v.rank ?? '–'}`,
    `${v.kind}${v.kindRight ? ' ✓' : ''}`,
    `${v.suggestion}${v.suggestionRight ? ' ✓' : ''}`,
    String(v.incidents),
    shown(v.closed),
    v.served,
    v.causes.join(', '),
  ])
  const head = [
    'fault',
    'anomaly',
    'incident',
    'name',
    'rank',
    'kind',
    'first suggestion',
    'inc',
    'closed',
    'customers',
    'causes',
  ]
  const widths = head.map((h, i) => Math.max(h.length, ...rows.map(r => r[i].length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((c, i) => c.padEnd(widths[i]))
      .join('  ')
      .trimEnd()
  const count = (what: (v: Verdict) => boolean) => verdicts.filter(what).length
  return [
    line(head),
    ...rows.map(line),
    '',
    `${verdicts.length} faults: seen within 60 s ${count(v => v.anomaly !== null && v.anomaly <= 60)}, cause first ${count(v => v.rank === 1)} (when first named ${count(v => v.firstRank === 1)}), in three ${count(v => v.rank !== null && v.rank <= 3)}, kind ${count(v => v.kindRight)}, suggestion ${count(v => v.suggestionRight)}, closed within 120 s ${count(v => v.closed !== null && v.closed <= 120)}`,
    ...verdicts.filter(v => v.misleading).map(v => `misleading in ${v.fault}: ${v.misleading}`),
  ].join('\n')
}
