/**
 * Ranks entities by the alerts of an incident alone: an alert counts as much as it is rare among past incidents (inverse document frequency,
 * as in TVDiag's and Eadro's baselines), a log alert more than a metric's, and an alert on a call speaks of the one that was called. No
 * labels, no training: only which alerts came in which incident.
 */
export interface AlertCase {
  readonly case: string
  readonly nodes: readonly string[]
  /** Instance, metric, up or down. */
  readonly metric_alerts?: readonly (readonly string[])[]
  /** Instance, template. */
  readonly log_alerts?: readonly (readonly string[])[]
  /** Caller, callee, operation, what is wrong. */
  readonly trace_alerts?: readonly (readonly string[])[]
}
export interface AlertOptions {
  /** What a log alert counts beside a metric alert. Default 3. */
  readonly logWeight?: number
  /** What an alert on an entity's own operation counts. Default 0.3. */
  readonly selfWeight?: number
  /** Told after each case. */
  readonly onDone?: (done: number) => void
}
export interface AlertRanking {
  readonly case: string
  /** Services, instances of one service together. */
  readonly ranked: readonly string[]
  readonly ranked_instances: readonly string[]
  readonly confidence: number
  readonly seconds: number
  readonly evidence: readonly { readonly instance: string; readonly alert: readonly string[]; readonly weight: number }[]
}
const keyOf = (kind: string, alert: readonly string[]) => `${kind}\0${alert.join('\0')}`
const alertsOf = (c: AlertCase): [string, readonly string[]][] => [
  ...(c.metric_alerts ?? []).map((a): [string, readonly string[]] => ['metric', a]),
  ...(c.log_alerts ?? []).map((a): [string, readonly string[]] => ['log', a]),
  ...(c.trace_alerts ?? []).map((a): [string, readonly string[]] => ['trace', a]),
]
/** The service an instance belongs to: instances are numbered, or carry the hashes of a replica set and a pod. */
export const serviceOfInstance = (instance: string): string => instance.replace(/(-[0-9a-f]{8,10})?-(\d+|[a-z0-9]{5})$/, '')

/** How rare each alert is, over incidents known so far. */
export class AlertHistory {
  readonly #seen = new Map<string, number>()
  #cases = 0

  learn(c: AlertCase): void {
    this.#cases++
    for (const key of new Set(alertsOf(c).map(([kind, a]) => keyOf(kind, a)))) this.#seen.set(key, (this.#seen.get(key) ?? 0) + 1)
  }

  rarity(kind: string, alert: readonly string[]): number {
    return Math.log((this.#cases + 1) / ((this.#seen.get(keyOf(kind, alert)) ?? 0) + 0.5))
  }
}

export const rankAlerts = (c: AlertCase, history: AlertHistory, options: AlertOptions = {}): Omit<AlertRanking, 'seconds'> => {
  const { logWeight = 3, selfWeight = 0.3 } = options
  const scores = new Map(c.nodes.map(n => [n, 0]))
  const evidence: { instance: string; alert: readonly string[]; weight: number }[] = []
  const add = (instance: string, alert: readonly string[], weight: number) => {
    const before = scores.get(instance)
    if (before === undefined) return
    scores.set(instance, before + weight)
    evidence.push({ instance, alert, weight })
  }
  for (const [kind, a] of alertsOf(c)) {
    const rare = history.rarity(kind, a)
    if (kind === 'trace') add(a[1], a, rare * (a[0] === a[1] ? selfWeight : 1))
    else add(a[0], a, rare * (kind === 'log' ? logWeight : 1))
  }
  const order = [...scores].sort((x, y) => y[1] - x[1] || (x[0] < y[0] ? -1 : 1))
  const services = new Map<string, number>()
  for (const [n, s] of order) if (!services.has(serviceOfInstance(n))) services.set(serviceOfInstance(n), s)
  const [first, second] = [...services.values()]
  return {
    case: c.case,
    ranked: [...services.keys()],
    ranked_instances: order.map(([n]) => n),
    // By how much the first leads the second, of all it has.
    confidence: first > 0 ? Math.min(0.97, 0.5 + (first - (second ?? 0)) / first) : 0,
    evidence: evidence
      .filter(e => e.instance === order[0]?.[0])
      .sort((x, y) => y.weight - x.weight)
      .slice(0, 8),
  }
}

/** All cases of a file, each held against all of them. */
export const rankAlertCases = (
  cases: readonly AlertCase[],
  options: AlertOptions & { readonly now?: () => number } = {},
): AlertRanking[] => {
  const history = new AlertHistory()
  for (const c of cases) history.learn(c)
  const now = options.now ?? (() => 0)
  return cases.map((c, i) => {
    const started = now()
    const ranking = rankAlerts(c, history, options)
    options.onDone?.(i + 1)
    return { ...ranking, seconds: (now() - started) / 1000 }
  })
}
