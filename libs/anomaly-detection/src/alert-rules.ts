/**
 * Rules people write themselves, beside what is learned: a threshold, a rate of change, or absence, that holds for a time. Evaluated per series; replaced while
 * running without forgetting what is already firing. A threshold may also be told of before it is crossed (`forecast.ts`).
 */

import { keyOf, type Severity } from '@aegis/domain'
import { type CrossingState, newCrossing, pointTowards, restoredCrossing } from './watch-crossing.ts'

export interface AlertRule {
  readonly name: string
  readonly metric: string
  /** Only these entities; a trailing * stands for anything. Default all. */
  readonly entity?: string
  /** Only series with these labels. */
  readonly labels?: Readonly<Record<string, string>>
  readonly when: Condition
  /** Seconds the condition must hold. */
  readonly for_seconds: number
  /** Says that a threshold will be crossed when a forecast sees it within so many seconds. */
  readonly predict_seconds?: number
  readonly severity: Severity
}
export type Condition =
  | { readonly above: number }
  | { readonly below: number }
  | { readonly rises_per_second: number }
  | { readonly falls_per_second: number }
  | { readonly absent_seconds: number }
export interface RuleAlert {
  readonly state: 'open' | 'close'
  readonly rule: AlertRule
  readonly environment: string
  readonly entity: string
  readonly series: string
  /** When the condition began to hold, microseconds; the same at open and close. */
  readonly started: number
  readonly time: number
  readonly value: number
  readonly text: string
  /** Expected time of the crossing, microseconds, where this is a forecast. */
  readonly expected?: number
}
export interface RulePoint {
  readonly environment: string
  readonly entity: string
  readonly metric: string
  readonly labels?: Readonly<Record<string, string>>
  /** Microseconds. */
  readonly time: number
  readonly value: number
}
interface Watch {
  readonly environment: string
  readonly entity: string
  readonly series: string
  last: number
  value: number
  since: number
  firing: boolean
  crossing?: CrossingState
}

export class AlertRules {
  #rules: readonly AlertRule[]
  /** Per rule name and series. */
  #watches = new Map<string, Map<string, Watch>>()

  constructor(rules: readonly AlertRule[] = []) {
    this.#rules = rules
  }

  /** New rules from now on. A rule that stayed the same keeps what it knows; what fired under one that is gone is closed. */
  replace(rules: readonly AlertRule[], now: (environment: string) => number): RuleAlert[] {
    const out: RuleAlert[] = []
    for (const old of this.#rules) {
      if (rules.some(r => JSON.stringify(r) === JSON.stringify(old))) continue
      for (const w of this.#watches.get(old.name)?.values() ?? []) {
        const time = now(w.environment)
        if (w.firing) out.push(alert('close', old, w, time))
        if (w.crossing?.open) out.push(forecastOf('close', old, w, w.crossing, time))
      }
      this.#watches.delete(old.name)
    }
    this.#rules = rules
    return out
  }

  point(p: RulePoint): RuleAlert[] {
    const out: RuleAlert[] = []
    for (const rule of this.#rules) {
      if (rule.metric !== p.metric || !fits(rule, p)) continue
      const w = this.#watch(rule, p)
      // Late or repeated: says nothing new. NaN, before the first point, passes.
      if (p.time <= w.last) continue
      const holds = holdsNow(rule.when, w, p)
      w.last = p.time
      w.value = p.value
      out.push(...judge(rule, w, holds, p.time), ...foresee(rule, w))
    }
    return out
  }

  #watch(rule: AlertRule, p: RulePoint): Watch {
    const labels = Object.entries(p.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
    const series = `${p.metric}${labels.length > 0 ? `{${labels.map(([k, v]) => `${k}=${v}`).join(',')}}` : ''}`
    const watches = this.#watches.get(rule.name) ?? new Map<string, Watch>()
    this.#watches.set(rule.name, watches)
    const key = keyOf(p.environment, p.entity, series)
    let w = watches.get(key)
    if (!w) {
      const { environment, entity } = p
      w = { environment, entity, series, last: Number.NaN, value: Number.NaN, since: Number.NaN, firing: false }
      watches.set(key, w)
    }
    return w
  }

  /** Time has passed, in each environment: what is absent is found here. */
  tick(now: (environment: string) => number): RuleAlert[] {
    const out: RuleAlert[] = []
    for (const rule of this.#rules) {
      if (!('absent_seconds' in rule.when)) continue
      for (const w of this.#watches.get(rule.name)?.values() ?? []) {
        const time = now(w.environment)
        out.push(...judge(rule, w, time - w.last >= rule.when.absent_seconds * 1e6, time))
      }
    }
    return out
  }

  save() {
    return {
      rules: this.#rules,
      watches: [...this.#watches].map(([rule, watches]) => [rule, [...watches]] as const),
    }
  }
  load(state: ReturnType<AlertRules['save']>): void {
    // NaN has no place in JSON and came back as null.
    const number = (x: number | null) => x ?? Number.NaN
    this.#rules = state.rules
    this.#watches = new Map(
      state.watches.map(([rule, watches]) => [
        rule,
        new Map(
          watches.map(([k, w]) => [
            k,
            {
              ...w,
              last: number(w.last),
              value: number(w.value),
              since: number(w.since),
              crossing: w.crossing && restoredCrossing(w.crossing),
            },
          ]),
        ),
      ]),
    )
  }
}

function holdsNow(when: Condition, before: Watch, p: RulePoint): boolean {
  if ('above' in when) return p.value > when.above
  if ('below' in when) return p.value < when.below
  const rate = ((p.value - before.value) / (p.time - before.last)) * 1e6
  if ('rises_per_second' in when) return rate > when.rises_per_second
  // Absence ends with any point.
  return 'falls_per_second' in when && -rate > when.falls_per_second
}

function judge(rule: AlertRule, w: Watch, holds: boolean, time: number): RuleAlert[] {
  if (!holds) {
    const out = w.firing ? [alert('close', rule, w, time)] : []
    w.since = Number.NaN
    w.firing = false
    return out
  }
  if (Number.isNaN(w.since)) w.since = time
  if (w.firing || time - w.since < rule.for_seconds * 1e6) return []
  w.firing = true
  return [alert('open', rule, w, time)]
}

/** A threshold not crossed yet, held against where the series is going. */
function foresee(rule: AlertRule, w: Watch): RuleAlert[] {
  const limit = 'above' in rule.when ? rule.when.above : 'below' in rule.when ? rule.when.below : undefined
  if (rule.predict_seconds === undefined || limit === undefined) return []
  w.crossing ??= newCrossing(rule.predict_seconds)
  const told = pointTowards(w.crossing, limit, w.last, w.value, w.firing || !Number.isNaN(w.since))
  return told ? [forecastOf(told, rule, w, w.crossing, w.last)] : []
}

const alert = (state: RuleAlert['state'], rule: AlertRule, w: Watch, time: number): RuleAlert => ({
  state,
  rule,
  environment: w.environment,
  entity: w.entity,
  series: w.series,
  started: w.since,
  time,
  value: w.value,
  text: `${rule.name}: ${w.series} of ${w.entity} ${conditionText(rule.when)}${rule.for_seconds > 0 ? ` for ${rule.for_seconds} s` : ''}, last ${w.value}`,
})

const forecastOf = (state: RuleAlert['state'], rule: AlertRule, w: Watch, c: CrossingState, time: number): RuleAlert => ({
  state,
  rule,
  environment: w.environment,
  entity: w.entity,
  series: w.series,
  started: c.opened,
  time,
  value: w.value,
  expected: c.expected,
  text: `${rule.name}: ${w.series} of ${w.entity} will be ${conditionText(rule.when)} in about ${Math.max(1, Math.round((c.expected - time) / 60e6))} min, now ${Number(w.value.toPrecision(4))}`,
})
const conditionText = (when: Condition): string => Object.entries(when).map(([k, v]) => `${k.replaceAll('_', ' ')} ${v}`)[0]

function fits(rule: AlertRule, p: RulePoint): boolean {
  const { entity, labels } = rule
  if (entity !== undefined && !(entity.endsWith('*') ? p.entity.startsWith(entity.slice(0, -1)) : p.entity === entity))
    return false
  return Object.entries(labels ?? {}).every(([k, v]) => p.labels?.[k] === v)
}
