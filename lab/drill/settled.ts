import { type Decision, type Incident, isFinal, type Outcome } from '@aegis/domain'

const isOver = (i: Incident) => i.state === 'closed' || i.state === 'merged'
const latestOf = (incidents: readonly { readonly value: Incident }[]): readonly Incident[] => [
  ...new Map(incidents.map(i => [i.value.id, i.value])).values(),
]

export const hasOpenIncident = (heard: { readonly incidents: readonly { readonly value: Incident }[] }): boolean =>
  latestOf(heard.incidents).some(i => !isOver(i))

/**
 * Nothing more will be done about what was seen: no act is under way, and every incident that is still open has been given to a person, after
 * which nothing is tried on it. False while nothing was seen.
 */
export function settled(heard: {
  readonly incidents: readonly { readonly value: Incident }[]
  readonly decisions: readonly { readonly value: Decision }[]
  readonly outcomes: readonly { readonly value: Outcome }[]
}): boolean {
  const latest = latestOf(heard.incidents)
  if (latest.length === 0) return false
  const ended = new Set(heard.outcomes.filter(o => isFinal(o.value)).map(o => o.value.decision))
  const acting = heard.decisions.filter(d => d.value.mode === 'act' || d.value.mode === 'canary')
  if (acting.some(d => !ended.has(d.value.decision))) return false
  const paged = new Set(acting.filter(d => d.value.action === 'page').map(d => d.value.incident))
  return latest.every(i => isOver(i) || paged.has(i.id))
}
