import { theirAction } from './action-words.ts'
import { describeWindow, type FailureLine, type FailureMetric, type FailureWindow, levelOf } from './failure-features.ts'
import { guessFailure } from './failure-heuristic.ts'
import type { FailureModel } from './failure-model.ts'
import { FAILURE_TYPES, type FailureName } from './failure-types.ts'
import { atLeast, type InferenceSeverity, round } from './severity-of-score.ts'

export interface FailureAnswer {
  readonly failure_detected: boolean
  readonly failure_type: FailureName | null
  readonly severity: InferenceSeverity
  readonly recommended_actions: readonly string[]
  readonly confidence: number
  readonly root_cause: string
  readonly affected_services: readonly string[]
  readonly details: {
    readonly confidence: number
    /** True where rules decided, and not the model. */
    readonly heuristic: boolean
    readonly model: string
    readonly category: string
    readonly alternatives: readonly { readonly failure_type: FailureName; readonly confidence: number }[]
    readonly features: Readonly<Record<string, number>>
  }
}
/** Surer than this, or there is no failure. */
const LEAST = 0.35
/** What the model says alone counts from here; below it the rules decide. */
const SURE = 0.55

/**
 * What failed in this window, if anything. The model decides where it is sure, the rules where it is not or where there is none.
 * @param windowUs length of the window before the newest point; what is older is left out
 */
export const detectFailure = (
  metrics: readonly FailureMetric[],
  logs: readonly FailureLine[],
  model: FailureModel | undefined,
  windowUs: number,
): FailureAnswer => {
  let newest = Number.NEGATIVE_INFINITY
  for (const { time } of metrics) newest = Math.max(newest, time)
  for (const { time } of logs) newest = Math.max(newest, time)
  const inside = ({ time }: { readonly time: number }) => time >= newest - windowUs
  const window = describeWindow(metrics.filter(inside), logs.filter(inside))
  const rules = guessFailure(window)
  // Where no rule has anything to say there is nothing a forest could know of.
  const learned = model && rules.length > 0 ? model.predict(window.features) : undefined
  const sure = learned?.[0] && learned[0].probability >= SURE ? learned : undefined
  const quiet = sure?.[0].type === 'none'
  const byModel = sure && !quiet ? sure : undefined
  const chosen = quiet ? [] : (byModel ?? rules).filter((g): g is { type: FailureName; probability: number } => g.type !== 'none')
  const [first, ...others] = chosen
  const details = {
    heuristic: sure === undefined,
    model: sure && model ? model.name : 'heuristic',
    alternatives: others
      .slice(0, 3)
      .filter(o => o.probability >= 0.1)
      .map(o => ({ failure_type: o.type, confidence: round(o.probability) })),
    features: featuresOf(window),
  }
  if (!first || first.probability < LEAST)
    return {
      failure_detected: false,
      failure_type: null,
      severity: 'low',
      recommended_actions: [],
      confidence: round(1 - (first?.probability ?? 0.05)),
      root_cause:
        metrics.length + logs.length === 0 ? 'nothing was handed over' : 'nothing in this window says that something failed',
      affected_services: [],
      details: { ...details, confidence: round(1 - (first?.probability ?? 0.05)), category: 'none' },
    }
  const type = FAILURE_TYPES[first.type]
  const affected = servicesOf(window, first.type, logs)
  return {
    failure_detected: true,
    failure_type: first.type,
    severity: severityOf(window, type.severity, affected.length),
    recommended_actions: type.actions.map(theirAction),
    confidence: round(first.probability),
    root_cause: causeOf(window, first.type, affected),
    affected_services: affected,
    details: { ...details, confidence: round(first.probability), category: type.category },
  }
}

const featuresOf = (w: FailureWindow): Record<string, number> => ({
  error_count: w.errors,
  warning_count: w.warnings,
  info_count: w.infos,
  error_rate: round(w.errors / Math.max(1, w.errors + w.warnings + w.infos)),
  ...Object.fromEntries([...w.says].map(([name, n]) => [`keyword_${name}`, round(n)])),
})
/** More than its kind says where several fail, less where it is a warning or two. */
const severityOf = (w: FailureWindow, usual: InferenceSeverity, services: number): InferenceSeverity => {
  const numbers = Math.max(0, ...[...w.levels.values()].map(l => l.level))
  if (w.errors === 0 && numbers < 0.75) return usual === 'critical' ? 'high' : usual === 'high' ? 'medium' : usual
  return services >= 3 || w.errors >= 50 ? atLeast(usual, 'critical') : usual
}
const servicesOf = (w: FailureWindow, type: FailureName, logs: readonly FailureLine[]): string[] => {
  const quoted = w.quotes.get(type)?.service
  const failing = w.services.map(([service]) => service)
  const all = [...(quoted ? [quoted] : []), ...failing]
  if (all.length === 0) all.push(...logs.filter(l => levelOf(l.level) !== 'info').map(l => l.service))
  return [...new Set(all)].filter(Boolean).slice(0, 20)
}
const causeOf = (w: FailureWindow, type: FailureName, affected: readonly string[]): string => {
  const who = affected[0] ?? 'the system'
  const what = `${who} ${FAILURE_TYPES[type].about}`
  const quote = w.quotes.get(type)
  if (quote) return `${what}: "${quote.message.slice(0, 300)}"`
  const level = [...w.levels.values()].sort((a, b) => b.level - a.level)[0]
  if (level && level.level > 0) return `${what}: ${level.metric} is ${round(level.value)}`
  return what
}
