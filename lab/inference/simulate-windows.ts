/** Windows of lines and metrics with a failure in them, or none: what the model of detect-failure learns from and is judged by. */
import { FAILURE_NAMES, type FailureLine, type FailureMetric, type FailureName } from '@aegis/inference'
import { matchFault } from '@aegis/log-mining'
import type { FaultKind } from '../root-cause/simulate-cases.ts'
import { simulateRecording } from '../root-cause/simulate-recording.ts'
import { FAILURE_LINES, USUAL_LINES, USUAL_WARNINGS } from './failure-lines.ts'

export interface LabelledWindow {
  readonly type: FailureName | 'none'
  readonly metrics: readonly FailureMetric[]
  readonly logs: readonly FailureLine[]
}
/** Lines kept for judging, of each type. */
const KEPT = 3
const SECONDS = 300
const SERVICES = ['orders', 'stock', 'billing', 'mailer', 'ledger', 'search', 'basket', 'web']

/** @param part which lines are used: those to learn from, or those kept for judging */
export const simulateWindow = (random: () => number, part: 'learn' | 'judge', wanted?: FailureName | 'none'): LabelledWindow => {
  const whole = (a: number, b: number) => a + Math.floor(random() * (b - a + 1))
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]
  const type = wanted ?? (random() < 0.15 ? 'none' : pick(FAILURE_NAMES))
  const ofPart = (name: FailureName) =>
    part === 'learn' ? FAILURE_LINES[name].slice(0, -KEPT) : FAILURE_LINES[name].slice(-KEPT)
  const filled = (text: string) =>
    text.replace(/\{(\w+)\}/g, (_, slot: string) =>
      slot === 'svc'
        ? pick(SERVICES)
        : slot === 'host'
          ? `10.${whole(0, 99)}.${whole(0, 99)}.${whole(1, 250)}`
          : slot === 'port'
            ? String(whole(1000, 9999))
            : slot === 'ms'
              ? String(whole(1200, 60_000))
              : slot === 'id'
                ? whole(1e8, 9e8).toString(16)
                : slot === 'file'
                  ? `/var/${pick(SERVICES)}/${whole(1, 99)}.db`
                  : String(whole(2, 9)),
    )
  const logs: FailureLine[] = []
  const say = (level: string, message: string, service: string, at = whole(0, SECONDS)) =>
    logs.push({ time: at * 1e6, level, message, service, fault: matchFault(message)?.kind })
  const services = Array.from({ length: whole(1, 5) }, () => pick(SERVICES))
  for (let i = whole(0, 60); i > 0; i--) say('INFO', filled(pick(USUAL_LINES)), pick(services))
  for (let i = whole(0, 4); i > 0; i--) say('WARN', filled(pick(USUAL_WARNINGS)), pick(services))
  const metrics: FailureMetric[] = []
  const series = (metric_type: string, value: (share: number) => number) => {
    for (let t = 0; t <= SECONDS; t += 15)
      metrics.push({ metric_type, value: Math.max(0, value(t / SECONDS)), time: t * 1e6, labels: { service: services[0] } })
  }
  const noise = (spread: number) => (random() - 0.5) * spread
  if (random() < 0.6) {
    const [cpu, memory, latency] = [whole(10, 55), whole(20, 60), whole(20, 200)]
    const hot = type === 'resource_exhaustion' && random() < 0.6
    const slow =
      (type === 'high_latency' && random() < 0.8) || (['timeout', 'connection_timeout'].includes(type) && random() < 0.5)
    series('cpu_usage', t => cpu + noise(8) + (hot && t > 0.4 ? 95 - cpu : 0))
    series('memory_usage', t => memory + noise(3) + (type === 'memory_leak' ? t * whole(25, 38) : 0))
    series('latency_ms', t => latency + noise(20) + (slow && t > 0.3 ? whole(1200, 6000) : 0))
    if (type === 'storage_issues' && random() < 0.6) series('disk_usage', () => 97 + random() * 3)
    if (type === 'service_down' && random() < 0.4) series('up', t => (t > 0.5 ? 0 : 1))
  }
  if (type !== 'none') {
    const told =
      metrics.length > 0 &&
      random() < 0.15 &&
      ['high_latency', 'memory_leak', 'resource_exhaustion', 'service_down', 'storage_issues'].includes(type)
        ? 0
        : whole(1, 14)
    const own = pick(services)
    for (let i = told; i > 0; i--) say(random() < 0.85 ? 'ERROR' : 'WARN', filled(pick(ofPart(type))), own)
    // Others suffer from it, and say it in their own words.
    if (random() < 0.5)
      for (let i = whole(0, Math.max(1, told - 1)); i > 0; i--)
        say(
          'ERROR',
          filled(pick(ofPart(pick(['timeout', 'service_unavailability', 'runtime_exceptions'] as const)))),
          pick(services),
        )
  } else if (logs.length >= 20 && random() < 0.4) say('ERROR', filled(pick(FAILURE_LINES[pick(FAILURE_NAMES)])), pick(services))
  return { type, metrics, logs: logs.sort((a, b) => a.time - b.time) }
}

/**
 * What the faults of the pipeline's own simulator are called here. Slow services and slow wires show in its spans alone, which detect-failure is not given: left out.
 */
const OF_FAULT: Readonly<Record<Exclude<FaultKind, 'pool' | 'network' | 'slow'>, FailureName | 'none'>> = {
  cpu: 'resource_exhaustion',
  memory: 'memory_leak',
  error: 'runtime_exceptions',
  crash: 'service_down',
  disk: 'storage_issues',
  none: 'none',
}
const EDGES = [
  ['web', 'orders'],
  ['web', 'basket'],
  ['orders', 'stock'],
  ['orders', 'billing'],
  ['billing', 'ledger'],
  ['stock', 'ledger'],
].map(([from, to]) => ({ from: `service:${from}`, to: `service:${to}`, kind: 'calls' as const }))
export const RECORDED_FAULTS = Object.keys(OF_FAULT) as (keyof typeof OF_FAULT)[]

/** A window of a failure that the pipeline's own simulator plays on a small graph: its lines and numbers, as the services would be sent them. */
export const recordedWindow = (seed: number, fault: keyof typeof OF_FAULT): LabelledWindow => {
  const { logs, metrics } = simulateRecording(EDGES as never, {
    environment: 'lab',
    seed,
    fault,
    from: 1_790_000_000_000_000,
    quietSeconds: 120,
    faultSeconds: 150,
    rate: 6,
  })
  return {
    type: OF_FAULT[fault],
    logs: logs.map(l => ({
      time: l.time,
      level: l.severity ?? 'INFO',
      message: l.body,
      service: (l.entity ?? l.source).replace(/^\w+:/, ''),
      fault: matchFault(l.body)?.kind,
    })),
    metrics: metrics.map(m => ({
      metric_type: m.metric_name,
      value: m.value,
      time: m.time,
      labels: { entity: m.entity, ...m.dimensions },
    })),
  }
}
