/**
 * Ranks the entities of a live incident: what the detectors and the graph said becomes findings (anomaly-evidence.ts), the same model ranks
 * them as ranks recorded telemetry (fuse-evidence.ts), and the same words explain it (explain-incident.ts). Here the result becomes causes
 * with the kind of fault that a runbook can answer.
 */
import { type Cause, type Change, type EntityHealth, type Evidence, kindOf } from '@aegis/domain'
import { type LiveInput, type LiveOptions, liveEvidence } from './anomaly-evidence.ts'
import type { CauseCase, Finding } from './case-evidence.ts'
import { explainSuspect, whyNot } from './explain-incident.ts'
import { type FusedRanking, fuseEvidence } from './fuse-evidence.ts'
import type { Suspect } from './margin.ts'
import type { Calibration } from './recalibrate.ts'

export type RankInput = LiveInput
export interface RankOptions extends LiveOptions {
  /** Weights by feature name. Default: those shipped. */
  readonly weights?: Readonly<Record<string, number>>
  /** Default: as shipped. */
  readonly calibration?: Calibration
  /** Least confidence of the first cause to be named. Default 0.3. */
  readonly nameFrom?: number
}
export interface Ranking {
  readonly verdict: 'cause_named' | 'not_enough_evidence'
  readonly causes: readonly Cause[]
  readonly health: readonly EntityHealth[]
  /** How far the first cause stands before the second, 0 to 1, before calibration. */
  readonly margin: number
}

/** Kinds of finding that tell what broke, and how much each tells: what runs out more than what follows from it. */
const TELLS: Readonly<Record<string, readonly [fault: string, weight: number]>> = {
  absence: ['crash', 1],
  accused: ['crash', 0.6],
  memory: ['memory', 1.2],
  disk: ['disk', 2],
  pool: ['pool', 1],
  cpu: ['cpu', 1],
  config_error: ['config', 1],
  restart: ['crash', 0.3],
  network: ['network', 0.3],
  metric_gap: ['network', 0.3],
  trace_gap: ['network', 0.3],
  trace_gap_share: ['network', 0.3],
  trace_self: ['latency', 0.3],
  latency: ['latency', 0.3],
  outbound_latency: ['latency', 0.3],
  error: ['error', 0.3],
  success: ['error', 0.3],
  trace_error: ['error', 0.3],
  trace_stop: ['error', 0.3],
  log_new_severe: ['error', 0.3],
}
const UNSPECIFIC: ReadonlySet<string> = new Set(['latency', 'error', 'network', 'unknown'])
/** Confidence left where a cause shows only what may have come from anywhere; and where moreover nearly every entity shows it. */
const UNSPECIFIC_LEFT = 0.7
const EVERYWHERE_LEFT = 0.3
const CAUSES = 5
const EVIDENCE = 10

export const rankCauses = (input: RankInput, options: RankOptions = {}): Ranking => {
  const { evidence, findings, changed } = liveEvidence(input, options)
  const fused = fuseEvidence(evidence, { ...options, findings })
  const strange = new Set(findings.map(f => f.entity))
  const everywhere = strange.size >= 4 && strange.size >= 0.6 * evidence.entities.length
  const suspects = fused.suspects.filter(s => strange.has(s.entity)).slice(0, CAUSES)
  const causes = suspects.map((s, i) => causeOf(s, i, { evidence, fused, changed, everywhere }))
  return {
    // Ranked is always; named only where there is an incident at all.
    verdict: fused.incident && (causes[0]?.confidence ?? 0) >= (options.nameFrom ?? 0.3) ? 'cause_named' : 'not_enough_evidence',
    causes,
    health: healthOf(evidence, findings),
    margin: fused.margin,
  }
}

interface Around {
  readonly evidence: CauseCase
  readonly fused: FusedRanking
  readonly changed: ReadonlyMap<string, Change>
  readonly everywhere: boolean
}
const causeOf = (s: Suspect, rank: number, { evidence: c, fused, changed, everywhere }: Around): Cause => {
  const change = changed.get(s.entity)
  const told = explainSuspect(c, fused, s)
  const fault = faultOf(s, change)
  const unspecific = UNSPECIFIC.has(fault)
  const left = unspecific && everywhere ? EVERYWHERE_LEFT : unspecific ? UNSPECIFIC_LEFT : 1
  const against = rank === 0 ? [...told.against] : [whyNot(c, fused.suspects[0], s), ...told.against]
  if (rank === 0 && unspecific && everywhere)
    against.push('nearly every service is slow or failing at once, which points at something they share, such as their host')
  return {
    entity: s.entity,
    confidence: Math.min(0.99, (rank === 0 ? fused.confidence : Math.min(s.probability, fused.confidence)) * left),
    score: s.score,
    path: told.path,
    metrics: [
      ...new Set(
        strongest(
          s.all.filter(f => !f.kind.startsWith('trace_stop') && !f.kind.endsWith('_share') && f.reference?.kind !== 'log'),
        ).map(f => f.name),
      ),
    ].slice(0, EVIDENCE),
    evidence: [...(change ? [evidenceOf(change)] : []), ...quoted(s, fault)].slice(0, EVIDENCE),
    against,
    fault_kind: fault,
    explanation: `${s.entity} shows ${change ? `a change just ${change.time <= firstSign(c) ? 'before' : 'after'} the first sign (${change.kind}: ${change.before || 'unknown'} → ${change.after})` : (WORDS[fault] ?? 'unusual values')}${
      told.phrases.length > 0 ? `: ${told.phrases.slice(0, 2).join('; ')}` : ''
    }${told.path.length > 1 ? `. Felt along ${told.path.join(' → ')}` : ''}.`,
  }
}
/** When anything was strange first, microseconds. */
const firstSign = ({ onsets }: CauseCase): number =>
  onsets && onsets.size > 0 ? Math.min(...onsets.values()) : Number.POSITIVE_INFINITY
const strongest = (findings: readonly Finding[]) =>
  [...findings].sort((a, b) => b.strength - a.strength || (a.name < b.name ? -1 : 1))

/** The records behind a suspect, each once: first those that tell the kind of fault, the entity's own words before others' of it, then what weighs most. */
const quoted = (s: Suspect, fault: string): Evidence[] => {
  const decides = (f: Finding) =>
    TELLS[f.kind]?.[0] === fault && f.kind !== 'accused' ? 0 : f.kind === 'accused' && f.unreachable ? 1 : 2
  const found = new Map<string, Evidence>()
  for (const f of [...s.findings, ...s.all].sort((a, b) => decides(a) - decides(b))) {
    const e = f.reference
    if (e) found.set(`${e.stream} ${e.partition} ${e.offset} ${e.time} ${e.text}`, e)
  }
  return [...found.values()]
}
const evidenceOf = (c: Change): Evidence => ({
  kind: 'change',
  entity: c.entity,
  text: `${c.kind} changed from ${c.before || 'unknown'} to ${c.after}`,
  time: c.time,
  stream: 'changes',
})

const faultOf = (s: Suspect, change: Change | undefined): string => {
  // A model that is sick is a model, whatever of it is strange.
  if (kindOf(s.entity) === 'model') return 'model'
  if (change) return change.kind
  const told = new Map<string, number>()
  for (const [kind, part] of Object.entries(s.parts)) {
    // Whom others can speak to has not crashed.
    const answers = kind === 'accused' && !s.all.some(f => f.unreachable)
    const tells = answers ? TELLS.error : TELLS[kind]
    if (tells && part > 0) told.set(tells[0], (told.get(tells[0]) ?? 0) + part * tells[1])
  }
  return [...told].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? 'unknown'
}
const WORDS: Readonly<Record<string, string>> = {
  crash: 'silence, it no longer answers',
  memory: 'memory out of its band',
  cpu: 'processor time out of its band',
  disk: 'a disk out of its band',
  pool: 'an exhausted pool',
  config: 'trouble with its configuration',
  latency: 'slowness of its own',
  error: 'errors',
  network: 'network trouble',
  model: 'answers that are less often right',
}

/** How well each entity is, 1 (well) to 0: symptoms count in full, resources by half, each by how far it is out of its band. */
const healthOf = (c: CauseCase, findings: readonly Finding[]): EntityHealth[] => {
  const ill = new Map<string, number>()
  for (const f of findings) {
    const weight = f.kind === 'absence' || f.kind === 'accused' ? 1 : UNSPECIFIC.has(TELLS[f.kind]?.[0] ?? '') ? 0.8 : 0.4
    const share = f.strength / (f.strength + 6)
    ill.set(f.entity, Math.max(ill.get(f.entity) ?? 0, weight * share))
  }
  return c.entities.map(entity => ({ entity, score: Math.round((1 - (ill.get(entity) ?? 0)) * 100) / 100 }))
}
