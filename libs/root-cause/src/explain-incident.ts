/**
 * A ranking in words and as data: the cause with its way through the graph to where it was felt, what speaks for it (series before and after,
 * lines as they were written, spans), what speaks against it, two that were considered and rejected, and the order in which things happened.
 * Everything said points at something in the case; nothing is added.
 */
import { partsOf, shownLow } from '@aegis/domain'
import type { CauseCase, Finding } from './case-evidence.ts'
import type { FusedRanking } from './fuse-evidence.ts'
import type { Suspect } from './margin.ts'
import { meaningOf } from './metric-meaning.ts'

export interface ExplainedEvidence {
  readonly source: 'series' | 'log' | 'span' | 'impact'
  readonly entity: string
  /** Metric, template, or operation. */
  readonly name: string
  readonly text: string
  /** Line as written, for logs. */
  readonly line?: string
  readonly before: number
  readonly after: number
  readonly strength: number
  readonly time?: number
}
export interface RejectedCause {
  readonly entity: string
  readonly probability: number
  readonly why: string
}
export interface IncidentExplanation {
  readonly verdict: FusedRanking['verdict']
  readonly cause?: string
  readonly confidence: number
  /** From the cause to the farthest entity that suffers from it; each step is an edge of the graph. */
  readonly path: readonly string[]
  readonly evidence: readonly ExplainedEvidence[]
  readonly against: readonly string[]
  readonly rejected: readonly RejectedCause[]
  readonly timeline: readonly { readonly time: number; readonly entity: string; readonly text: string }[]
  /** To be read in ten seconds. */
  readonly text: string
}

const number = (v: number): string =>
  Math.abs(v) >= 1000 ? v.toFixed(0) : Math.abs(v) >= 10 ? v.toFixed(1) : Number(v.toPrecision(3)).toString()
const sourceOf = (f: Finding): ExplainedEvidence['source'] =>
  f.reference
    ? f.reference.kind === 'log' || f.reference.kind === 'span'
      ? f.reference.kind
      : 'series'
    : f.kind.includes('log_') || (f.kind === 'trace_stop' && f.text)
      ? 'log'
      : f.kind.startsWith('trace_')
        ? 'span'
        : f.kind.startsWith('impact_')
          ? 'impact'
          : 'series'
/** Statements of a pair are joined by a byte no one should see. */
const readable = (name: string) => partsOf(name).join(' → ')
/** What was before, or the band that it is expected in: the middle of one is no value that ever was. */
const usual = (f: Finding): string =>
  f.expected ? `${number(shownLow(f.name, '', f.expected[0]))} to ${number(f.expected[1])}` : number(f.before)
const PHRASES: readonly (readonly [RegExp, (f: Finding) => string])[] = [
  [
    /^log_new|^span_log_new|_severe$/,
    f => `"${(f.text ?? readable(f.name)).slice(0, 120)}" (${f.before === 0 ? 'never before' : 'more often than before'})`,
  ],
  [
    /broken$|^span_log_less$|^log_less$|^trace_missing$/,
    f => `${readable(f.name)} no longer follows as it did (${number(f.before)} → ${number(f.after)})`,
  ],
  [/^log_|^span_log_/, f => `${readable(f.name)} is written more or less often (${number(f.before)} → ${number(f.after)})`],
  [
    /^trace_stop$/,
    f =>
      `${f.after} requests stopped here first: ${f.text ? `after "${f.text.split('\n')[0].slice(0, 120)}" ` : ''}${
        f.name.includes('\0') ? `${partsOf(f.name)[1]} no longer follows` : `at ${f.name}`
      }`,
  ],
  [/^trace_self/, f => `its own time in ${f.name} rose (${usual(f)} → ${number(f.after)} µs)`],
  [/^trace_gap/, f => `time is lost on the wire, ${f.name} (${usual(f)} → ${number(f.after)} µs)`],
  [/^trace_/, f => `${readable(f.name)} (${number(f.before)} → ${number(f.after)})`],
  [/^causal$/, f => `no other series explains the change of ${f.name} (${number(f.before)} → ${number(f.after)})`],
  [
    /^remedied$/,
    f =>
      `acting on it healed ${f.after} ${f.after === 1 ? 'incident' : 'incidents'} like this one${f.before > 0 ? `, and ${f.before} not` : ''}`,
  ],
  [/^absence$/, () => 'it no longer reports'],
  [/^accused$/, f => `those who call it say "${(f.text ?? '').split('\n')[0].slice(0, 120)}"`],
  [/^impact_/, f => `most of the ${f.name} begins here`],
  [
    /./,
    f =>
      f.expected
        ? `${f.name} is ${number(f.after)}, expected ${number(shownLow(f.name, '', f.expected[0]))} to ${number(f.expected[1])}`
        : `${f.name} ${f.after >= f.before ? 'rose' : 'fell'} from ${number(f.before)} to ${number(f.after)}`,
  ],
]
/** A record that came with its own words keeps them; otherwise the finding is put into words. */
const phraseOf = (f: Finding): string =>
  f.kind === 'accused' || f.kind === 'trace_stop' || !f.reference
    ? PHRASES.find(([kind]) => kind.test(f.kind))![1](f)
    : f.reference.kind === 'log'
      ? `"${f.reference.text.split('\n')[0].slice(0, 160)}"`
      : f.reference.text
const evidenceOf = (f: Finding): ExplainedEvidence => ({
  source: sourceOf(f),
  entity: f.entity,
  name: f.name,
  text: phraseOf(f),
  ...(sourceOf(f) === 'log' && f.text ? { line: f.text } : {}),
  before: f.before,
  after: f.after,
  strength: f.strength,
  ...(f.time !== undefined ? { time: f.time } : {}),
})

/** Shortest way, along callers, from the cause to the farthest that is hurt. */
const pathFrom = (c: CauseCase, cause: string, hurt: ReadonlySet<string>): string[] => {
  const callers = new Map<string, string[]>()
  for (const [from, to] of c.edges) {
    const list = callers.get(to)
    if (list) list.push(from)
    else callers.set(to, [from])
  }
  const before = new Map<string, string | undefined>([[cause, undefined]])
  const queue = [cause]
  let farthest = cause
  for (let i = 0; i < queue.length; i++) {
    if (hurt.has(queue[i])) farthest = queue[i]
    for (const next of [...(callers.get(queue[i]) ?? [])].sort())
      if (!before.has(next)) {
        before.set(next, queue[i])
        queue.push(next)
      }
  }
  const path: string[] = []
  for (let at: string | undefined = farthest; at !== undefined; at = before.get(at)) path.unshift(at)
  return path
}

/** What is said of one suspect: its way to the symptoms, what speaks for it in words and as data, and what speaks against it. */
export interface ToldSuspect {
  readonly path: readonly string[]
  readonly evidence: readonly ExplainedEvidence[]
  readonly phrases: readonly string[]
  readonly against: readonly string[]
}
export const explainSuspect = (c: CauseCase, ranking: FusedRanking, suspect: Suspect, most = 6): ToldSuspect => {
  const others = ranking.suspects.filter(s => s !== suspect)
  const said = new Set<string>()
  const evidence = suspect.findings
    .filter(f => !f.kind.endsWith('_share') && !said.has(phraseOf(f)) && said.add(phraseOf(f)))
    .slice(0, most)
    .map(evidenceOf)
  const hurts = (f: Finding) =>
    f.strength > 3 && /latency$|^error$|^success$|^trace_self$|^trace_error$|severe$|^absence$/.test(f.kind)
  const hurt = new Set(ranking.suspects.filter(s => s.findings.some(hurts)).map(s => s.entity))
  const callees = new Set(c.edges.filter(([from]) => from === suspect.entity).map(([, to]) => to))
  const against: string[] = []
  const strangeBelow = others.filter(s => callees.has(s.entity) && s.findings.some(f => f.strength > 3)).map(s => s.entity)
  if (strangeBelow.length > 0)
    against.push(
      `it depends on ${strangeBelow.slice(0, 3).join(', ')}, which ${strangeBelow.length === 1 ? 'is' : 'are'} strange too`,
    )
  if (suspect === ranking.suspects[0] && others[0] && suspect.probability < 2 * others[0].probability)
    against.push(`${others[0].entity} is nearly as likely`)
  const speaks = new Set(evidence.map(e => e.source))
  if ((c.spans ?? []).length > 0 && !speaks.has('span')) against.push('its spans show nothing unusual')
  if ((c.lines ?? []).length > 0 && !speaks.has('log')) against.push('its log lines show nothing unusual')
  const first = c.onsets && Math.min(...c.onsets.values())
  const own = c.onsets?.get(suspect.entity)
  if (first !== undefined && own !== undefined && own > first + LATE_US)
    against.push(`its first sign came ${Math.round((own - first) / 1e6)} s after the first of all`)
  if (evidence.length < 2) against.push('only one thing speaks for it')
  return { path: pathFrom(c, suspect.entity, hurt), evidence, phrases: evidence.map(e => e.text), against }
}
/** From here on a late first sign is worth a word, microseconds. */
const LATE_US = 15_000_000

export const explainIncident = (
  c: CauseCase,
  ranking: FusedRanking,
  options: { readonly evidence?: number } = {},
): IncidentExplanation => {
  const [first, ...others] = ranking.suspects
  const { path, evidence, against } = first
    ? explainSuspect(c, ranking, first, options.evidence)
    : { path: [], evidence: [], against: [] }
  const rejected = others
    .slice(0, 2)
    .map((s): RejectedCause => ({ entity: s.entity, probability: s.probability, why: whyNot(c, first, s) }))
  const timeline = ranking.suspects
    .slice(0, 5)
    .flatMap(s => s.findings.filter(f => f.time !== undefined).slice(0, 3))
    .map(f => ({ time: f.time!, entity: f.entity, text: phraseOf(f) }))
    .sort((a, b) => a.time - b.time || (a.entity < b.entity ? -1 : 1))
  const named = ranking.verdict === 'cause_named' && first
  const sentence = evidence
    .slice(0, 2)
    .map(e => e.text)
    .join('; ')
  const text = named
    ? `${first.entity} is the likely cause (${Math.round(ranking.confidence * 100)} %): ${sentence || 'it is where the trouble begins'}.${
        path.length > 1 ? ` Felt along ${path.join(' → ')}.` : ''
      }${rejected[0] ? ` Not ${rejected[0].entity}: ${rejected[0].why}.` : ''}`
    : `Not enough evidence to name a cause.${first ? ` Strangest is ${first.entity}${sentence ? `: ${sentence}` : ''}.` : ''}`
  return {
    verdict: ranking.verdict,
    ...(named ? { cause: first.entity } : {}),
    confidence: ranking.confidence,
    path,
    evidence,
    against,
    rejected,
    timeline,
    text,
  }
}

/** Why a suspect was thought of and put behind the first. */
export const whyNot = (c: CauseCase, first: Suspect, s: Suspect): string => {
  if (c.edges.some(([from, to]) => from === s.entity && to === first.entity))
    return `it depends on ${first.entity}, and suffers from it`
  const strong = s.findings.filter(f => !f.kind.endsWith('_share'))
  if (strong.length === 0) return 'nothing of its own is unusual'
  const missing = (['series', 'log', 'span'] as const).filter(
    source => first.findings.some(f => sourceOf(f) === source) && !strong.some(f => sourceOf(f) === source),
  )
  if (missing.length > 0) return `no ${missing.map(m => (m === 'series' ? 'series' : `${m} evidence`)).join(' or ')} against it`
  return meaningOf(strong[0].name).meaning === 'traffic' ? 'only what is asked of it changed' : 'what speaks against it is weaker'
}
