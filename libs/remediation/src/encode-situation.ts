/**
 * An incident as 128 numbers between 0 and 1, the same code in training and serving. `SITUATION_FEATURES` says what each one is.
 *
 * Per suspect (three): confidence, how much and what kind of evidence, how far symptoms travelled, what kind of fault it is said to be, its health. Of the
 * incident: severity, spread, age, health. Of what was done: which actions were tried on which suspect, how many, how disruptive. Products of what
 * is said about the first two suspects with the confidence in them save the policy from having to multiply.
 */
import { ACTIONS, type Cause, type Incident, isDisruptive } from '@aegis/domain'
import { type Attempt, confidenceIn } from './options.ts'

export const FAULT_KINDS = [
  'crash',
  'memory',
  'cpu',
  'deploy',
  'config',
  'pool',
  'latency',
  'disk',
  'network',
  'error',
  'unknown',
] as const
export const FEATURES = 128
const SEVERITY: Readonly<Record<string, number>> = { low: 0.25, medium: 0.5, high: 0.75, critical: 1 }
const SUSPECTS = ['first', 'second', 'third'] as const
/** Those that may be acted on. */
const TARGETS = ['first', 'second'] as const
const EVIDENCE = {
  metrics: /^(metric|series|memory|anomaly)/,
  logs: /^(log|template)/,
  traces: /^(trace|calls?|edge)/,
  changes: /^(change|deploy|config)/,
} as const
const ACTION_NAMES = Object.keys(ACTIONS)
const share = (n: number, of: number): number => Math.min(1, Math.max(0, n / of))

interface Given {
  readonly incident: Incident
  readonly tried: readonly Attempt[]
}
type Feature = readonly [name: string, read: (given: Given) => number]
const ofSuspect =
  (rank: number, read: (cause: Cause, incident: Incident) => number) =>
  ({ incident }: Given): number => {
    const cause = incident.causes[rank]
    return cause ? read(cause, incident) : 0
  }
const said = (cause: Cause | undefined): string => {
  const kind = cause?.fault_kind ?? 'unknown'
  return (FAULT_KINDS as readonly string[]).includes(kind) ? kind : 'unknown'
}
const healthOf = (incident: Incident, entity: string): number => incident.health.find(h => h.entity === entity)?.score ?? 1
const worstHealth = (incident: Incident): number => incident.health.reduce((low, h) => Math.min(low, h.score), 1)
const lead = ({ causes }: Incident): number => (causes[0]?.confidence ?? 0) - (causes[1]?.confidence ?? 0)

const FEATURE_TABLE: readonly Feature[] = [
  ...SUSPECTS.flatMap((name, rank): Feature[] => [
    [`confidence in the ${name} suspect`, ofSuspect(rank, c => c.confidence)],
    [`pieces of evidence against the ${name} suspect`, ofSuspect(rank, c => share(c.evidence.length, 10))],
    [`hops from the ${name} suspect to the symptoms`, ofSuspect(rank, c => share(c.path.length, 5))],
    ...FAULT_KINDS.map(
      (kind): Feature => [`the ${name} suspect is said to have: ${kind}`, ofSuspect(rank, c => (said(c) === kind ? 1 : 0))],
    ),
    ...Object.entries(EVIDENCE).map(
      ([kind, pattern]): Feature => [
        `evidence from ${kind} against the ${name} suspect`,
        ofSuspect(rank, c => share(c.evidence.filter(e => pattern.test(e.kind)).length, 5)),
      ],
    ),
    [`anomalous metrics of the ${name} suspect`, ofSuspect(rank, c => share(c.metrics.length, 5))],
    [`what speaks against the ${name} suspect being it`, ofSuspect(rank, c => share(c.against.length, 5))],
    [`health of the ${name} suspect`, ofSuspect(rank, (c, incident) => healthOf(incident, c.entity))],
  ]),
  ['lead of the first suspect over the second', ({ incident }) => share(lead(incident), 1)],
  [
    'two suspects have the same kind of fault',
    ({ incident: { causes } }) => (causes.length > 1 && said(causes[0]) === said(causes[1]) ? 1 : 0),
  ],
  ['suspects', ({ incident }) => share(incident.causes.length, 5)],
  ['severity', ({ incident }) => SEVERITY[incident.severity] ?? 0],
  ['entities concerned', ({ incident }) => share(incident.entities.length, 10)],
  ['anomalies', ({ incident }) => share(incident.anomalies.length, 20)],
  ['edges between the entities', ({ incident }) => share(incident.graph.length, 20)],
  ['minutes since it began, of ten', ({ incident }) => share(incident.time - incident.started, 600e6)],
  ['minutes since it began, of sixty', ({ incident }) => share(incident.time - incident.started, 3600e6)],
  ['revisions of the diagnosis', ({ incident }) => share(incident.revision, 10)],
  ['worst health', ({ incident }) => worstHealth(incident)],
  [
    'mean health',
    ({ incident: { health } }) => (health.length > 0 ? health.reduce((s, h) => s + h.score, 0) / health.length : 1),
  ],
  ['entities in bad health', ({ incident }) => share(incident.health.filter(h => h.score < 0.5).length, 5)],
  [
    'a deployment or change is part of the evidence',
    ({ incident }) => (incident.causes[0]?.evidence.some(e => EVIDENCE.changes.test(e.kind)) ? 1 : 0),
  ],
  ['actions tried', ({ tried }) => share(tried.length, 4)],
  ['disruptive actions tried', ({ tried }) => share(tried.filter(t => isDisruptive(t.action)).length, 4)],
  ['nothing tried yet', ({ tried }) => (tried.length === 0 ? 1 : 0)],
  ...TARGETS.flatMap((name, rank) =>
    ACTION_NAMES.filter(action => action !== 'page').map(
      (action): Feature => [
        `tried on the ${name} suspect: ${action}`,
        ({ incident, tried }) => (tried.some(t => t.action === action && t.target === incident.causes[rank]?.entity) ? 1 : 0),
      ],
    ),
  ),
  ...TARGETS.flatMap((name, rank) =>
    FAULT_KINDS.map(
      (kind): Feature => [
        `confidence that the ${name} suspect has: ${kind}`,
        ({ incident: { causes }, tried }) =>
          causes[rank] && said(causes[rank]) === kind ? confidenceIn(causes, causes[rank].entity, tried) : 0,
      ],
    ),
  ),
]
const RESERVED = FEATURES - FEATURE_TABLE.length
export const SITUATION_FEATURES: readonly string[] = [
  ...FEATURE_TABLE.map(([name]) => name),
  ...Array.from({ length: RESERVED }, (_, i) => `reserved ${i + 1}: always 0`),
]

/** The features of an incident, given what was already tried on it and did not help. */
export const encodeSituation = (incident: Incident, tried: readonly Attempt[]): Float32Array => {
  const features = new Float32Array(FEATURES)
  const given = { incident, tried }
  FEATURE_TABLE.forEach(([, read], i) => {
    features[i] = read(given)
  })
  return features
}
