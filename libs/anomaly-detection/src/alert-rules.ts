/**
 * Rules people write themselves, beside what is learned: a threshold, a rate of change, or absence, that holds for a time. Parsed from JSON with errors that say
 * where and what; evaluated per series; replaced while running without forgetting what is already firing.
 *
 *     { "rules": [{ "name": "disk nearly full", "metric": "disk.used_share", "when": { "above": 0.9 }, "for_seconds": 300, "severity": "high" },
 *                 { "name": "queue grows", "metric": "queue.depth", "when": { "rises_per_second": 5 }, "labels": { "queue": "orders" } },
 *                 { "name": "silent", "metric": "up", "when": { "absent_seconds": 60 } }] }
 */
export interface AlertRule {
  readonly name: string
  readonly metric: string
  /** Only these entities; a trailing * stands for anything. Default all. */
  readonly entity?: string
  /** Only series with these labels. */
  readonly labels?: Readonly<Record<string, string>>
  readonly when: Condition
  /** Seconds the condition must hold. Default 0. */
  readonly for_seconds: number
  readonly severity: 'low' | 'medium' | 'high' | 'critical'
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
  readonly entity: string
  readonly series: string
  readonly started: number
  readonly time: number
  readonly value: number
  readonly text: string
}
export interface RulePoint {
  readonly entity: string
  readonly metric: string
  readonly labels?: Readonly<Record<string, string>>
  /** Microseconds. */
  readonly time: number
  readonly value: number
}
const CONDITIONS = ['above', 'below', 'rises_per_second', 'falls_per_second', 'absent_seconds']
const SEVERITIES = ['low', 'medium', 'high', 'critical']
const KEYS = ['name', 'metric', 'entity', 'labels', 'when', 'for_seconds', 'severity']

/** Throws with a sentence per fault, all of them at once. */
export function parseAlertRules(text: string): readonly AlertRule[] {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch (error) {
    throw new Error(`alert rules: not valid JSON: ${(error as Error).message}`)
  }
  const list = (file as { rules?: unknown })?.rules
  if (!Array.isArray(list)) throw new Error('alert rules: expected { "rules": [ … ] }')
  const faults: string[] = []
  const names = new Set<string>()
  const rules = list.map((raw: unknown, i): AlertRule => {
    const r = (typeof raw === 'object' && raw !== null ? raw : {}) as Record<string, unknown>
    const where = `rule ${i + 1}${typeof r.name === 'string' ? ` ("${r.name}")` : ''}`
    const fault = (what: string) => faults.push(`${where}: ${what}`)
    for (const key of Object.keys(r)) if (!KEYS.includes(key)) fault(`unknown key "${key}"; known are ${KEYS.join(', ')}`)
    for (const key of ['name', 'metric'])
      if (typeof r[key] !== 'string' || r[key] === '') fault(`"${key}" must be a text that is not empty`)
    if (names.has(String(r.name))) fault('another rule has this name')
    names.add(String(r.name))
    if (r.entity !== undefined && typeof r.entity !== 'string') fault('"entity" must be a text')
    const labels = r.labels as Record<string, unknown> | undefined
    if (
      labels !== undefined &&
      (typeof labels !== 'object' || labels === null || Object.values(labels).some(v => typeof v !== 'string'))
    )
      fault('"labels" must map names to texts')
    const when = (typeof r.when === 'object' && r.when !== null ? r.when : {}) as Record<string, unknown>
    const kinds = Object.keys(when)
    if (kinds.length !== 1 || !CONDITIONS.includes(kinds[0])) fault(`"when" must hold exactly one of ${CONDITIONS.join(', ')}`)
    else if (typeof when[kinds[0]] !== 'number' || !Number.isFinite(when[kinds[0]])) fault(`"${kinds[0]}" must be a number`)
    else if (kinds[0].endsWith('seconds') && (when[kinds[0]] as number) <= 0) fault(`"${kinds[0]}" must be above 0`)
    const seconds = r.for_seconds ?? 0
    if (typeof seconds !== 'number' || !(seconds >= 0)) fault('"for_seconds" must be 0 or more')
    const severity = r.severity ?? 'medium'
    if (!SEVERITIES.includes(severity as string)) fault(`"severity" must be one of ${SEVERITIES.join(', ')}`)
    return { ...r, for_seconds: seconds, severity } as unknown as AlertRule
  })
  if (faults.length > 0) throw new Error(`alert rules: ${faults.join('; ')}`)
  return rules
}

interface Watch {
  readonly entity: string
  readonly series: string
  last: number
  value: number
  since: number
  firing: boolean
}

export class AlertRules {
  #rules: readonly AlertRule[]
  /** Per rule name and series. */
  #watches = new Map<string, Map<string, Watch>>()

  constructor(rules: readonly AlertRule[]) {
    this.#rules = rules
  }

  /** New rules from now on. A rule that stayed the same keeps what it knows; what fired under one that is gone is closed. */
  replace(rules: readonly AlertRule[], time: number): RuleAlert[] {
    const out: RuleAlert[] = []
    for (const old of this.#rules) {
      if (rules.some(r => JSON.stringify(r) === JSON.stringify(old))) continue
      for (const w of this.#watches.get(old.name)?.values() ?? []) if (w.firing) out.push(alert('close', old, w, time))
      this.#watches.delete(old.name)
    }
    this.#rules = rules
    return out
  }

  point(p: RulePoint): RuleAlert[] {
    const out: RuleAlert[] = []
    for (const rule of this.#rules) {
      if (rule.metric !== p.metric || !fits(rule, p)) continue
      const labels = Object.entries(p.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
      const series = `${p.metric}${labels.length > 0 ? `{${labels.map(([k, v]) => `${k}=${v}`).join(',')}}` : ''}`
      const watches = this.#watches.get(rule.name) ?? new Map<string, Watch>()
      this.#watches.set(rule.name, watches)
      const key = `${p.entity}\0${series}`
      let w = watches.get(key)
      if (!w) {
        w = { entity: p.entity, series, last: Number.NaN, value: Number.NaN, since: Number.NaN, firing: false }
        watches.set(key, w)
      }
      if (p.time <= w.last) continue
      const seconds = (p.time - w.last) / 1e6
      const rate = (p.value - w.value) / seconds
      const c = rule.when
      const holds =
        'above' in c
          ? p.value > c.above
          : 'below' in c
            ? p.value < c.below
            : 'rises_per_second' in c
              ? rate > c.rises_per_second
              : 'falls_per_second' in c
                ? -rate > c.falls_per_second
                : false
      w.last = p.time
      w.value = p.value
      out.push(...judge(rule, w, holds, p.time))
    }
    return out
  }

  /** Time has passed: what is absent is found here. */
  tick(time: number): RuleAlert[] {
    const out: RuleAlert[] = []
    for (const rule of this.#rules) {
      if (!('absent_seconds' in rule.when)) continue
      for (const w of this.#watches.get(rule.name)?.values() ?? [])
        out.push(...judge(rule, w, time - w.last >= rule.when.absent_seconds * 1e6, time))
    }
    return out
  }

  save() {
    return [...this.#watches].map(([rule, watches]) => [rule, [...watches]] as const)
  }
  load(state: ReturnType<AlertRules['save']>): void {
    this.#watches = new Map(state.map(([rule, watches]) => [rule, new Map(watches.map(([k, w]) => [k, { ...w }]))]))
  }
}

function judge(rule: AlertRule, w: Watch, holds: boolean, time: number): RuleAlert[] {
  if (!holds) {
    w.since = Number.NaN
    if (!w.firing) return []
    w.firing = false
    return [alert('close', rule, w, time)]
  }
  if (Number.isNaN(w.since)) w.since = time
  if (w.firing || time - w.since < rule.for_seconds * 1e6) return []
  w.firing = true
  return [alert('open', rule, w, time)]
}

const alert = (state: RuleAlert['state'], rule: AlertRule, w: Watch, time: number): RuleAlert => ({
  state,
  rule,
  entity: w.entity,
  series: w.series,
  started: Number.isNaN(w.since) ? time : w.since,
  time,
  value: w.value,
  text: `${rule.name}: ${w.series} of ${w.entity} ${Object.entries(rule.when).map(([k, v]) => `${k.replaceAll('_', ' ')} ${v}`)}${rule.for_seconds > 0 ? ` for ${rule.for_seconds} s` : ''}, last ${w.value}`,
})

function fits(rule: AlertRule, p: RulePoint): boolean {
  const { entity, labels } = rule
  if (entity !== undefined && !(entity.endsWith('*') ? p.entity.startsWith(entity.slice(0, -1)) : p.entity === entity))
    return false
  return Object.entries(labels ?? {}).every(([k, v]) => p.labels?.[k] === v)
}
