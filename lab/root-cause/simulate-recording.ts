/**
 * A failure on a given service graph, second by second, as services would tell of it: spans of requests that walk the graph, log lines,
 * resource metrics. Unlike simulate-cases.ts, which draws whole systems to learn from, this one takes the graph as it is and writes records of
 * the input streams, so that the pipeline can be tried on a system before it fails. What happens at the cause is set by the kind of fault;
 * symptoms elsewhere follow from the calls alone.
 */
import {
  AegisError,
  type Edge,
  idOf,
  kindOf,
  type LogLine,
  nameOf,
  type Observation,
  type Span,
  seededRandom,
  type TopologyEdge,
} from '@aegis/domain'
import { type FaultKind, faultKinds } from './simulate-cases.ts'

export interface RecordingOptions {
  readonly environment: string
  /** Seed of every draw. */
  readonly seed: number
  /** Default: drawn. "none" breaks nothing. */
  readonly fault?: FaultKind
  /** Entity that fails. Default: drawn from those that serve requests. */
  readonly at?: string
  /** First second, microseconds since the epoch. */
  readonly from: number
  /** Seconds before the fault. Default 90. */
  readonly quietSeconds?: number
  /** Seconds of the fault. Default 60. */
  readonly faultSeconds?: number
  /** Requests a second that enter. Default 12. */
  readonly rate?: number
}
export interface SimulatedRecording {
  readonly fault: FaultKind
  readonly cause: string
  readonly logs: readonly LogLine[]
  readonly metrics: readonly Observation[]
  readonly spans: readonly Span[]
  readonly edges: readonly TopologyEdge[]
  /** First record and last, and when it broke: microseconds since the epoch. */
  readonly from: number
  readonly to: number
  readonly brokeAt: number
}
/** A request makes no more visits than this, however dense the graph. */
const MOST_VISITS = 40
const MOST_CALLEES = 4
const WIRE_US = 800
const OPERATIONS = ['GET /items', 'POST /items', 'GET /status']

export const simulateRecording = (edges: readonly Edge[], options: RecordingOptions): SimulatedRecording => {
  const { environment, from, quietSeconds = 90, faultSeconds = 60, rate = 12 } = options
  const random = seededRandom(options.seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]
  const logn = (s: number) => Math.exp(s * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()))
  const calls = edges.filter(e => e.kind !== 'runs_on')
  const known = [...new Set(calls.flatMap(e => [e.from, e.to]))].sort()
  const callees = new Map(known.map(e => [e, calls.filter(c => c.from === e && c.to !== e).map(c => c.to)]))
  const called = new Set(calls.map(c => c.to))
  const outside = (e: string) => kindOf(e) === 'external' && !called.has(e)
  const entrances = [
    ...new Set(
      known.flatMap(e => (outside(e) ? callees.get(e)! : called.has(e) ? [] : [e])).filter(e => kindOf(e) === 'service'),
    ),
  ]
  if (entrances.length === 0)
    throw new AegisError('INPUT_INVALID', 'no service in the graph that nobody calls: there is nowhere for requests to enter')
  const entities = known.filter(e => !outside(e))
  const reached = new Set(entrances)
  for (const e of reached) for (const to of callees.get(e)!) reached.add(to)
  const fault = options.fault ?? pick(faultKinds)
  const candidates = [...reached].filter(e => kindOf(e) === 'service' && (called.has(e) || reached.size < 3)).sort()
  const at = options.at ?? pick(candidates.length > 0 ? candidates : entrances)
  if (!entities.includes(at))
    throw new AegisError('INPUT_INVALID', `${at} is not in the graph; known are ${entities.slice(0, 12).join(', ')}`)
  const self = new Map(entities.map(e => [e, 3000 * logn(0.6)]))
  const memory = new Map(entities.map(e => [e, 150e6 * logn(0.5)]))
  const cpu = new Map(entities.map(e => [e, 0.08 * logn(0.5)]))

  const logs: LogLine[] = []
  const metrics: Observation[] = []
  const spans: Span[] = []
  const brokeAt = from + quietSeconds * 1e6
  const to = brokeAt + faultSeconds * 1e6
  let n = 0
  const say = (entity: string, time: number, severity: string, body: string, trace: string, span: string) =>
    logs.push({
      id: idOf(environment, 'line', n++),
      environment,
      time: Math.round(time),
      entity,
      body,
      severity,
      attributes: {},
      trace_id: trace,
      span_id: span,
      observed_time: Math.round(time),
      source: 'simulated',
    })
  const hex = (digits: number) =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0')
  const newId = () => hex(8) + hex(8)
  /** How hard the fault bites at that time, 0 to 1: resources fill up over ten seconds, the rest breaks at once. */
  const bite = (time: number): number =>
    time < brokeAt || fault === 'none' ? 0 : fault === 'memory' || fault === 'disk' ? Math.min(1, (time - brokeAt) / 10e6) : 1

  interface Visited {
    readonly duration: number
    readonly failed: boolean
  }
  const visit = (entity: string, parent: string | null, trace: string, start: number, budget: { left: number }): Visited => {
    const hard = entity === at ? bite(start) : 0
    const operation = pick(OPERATIONS)
    const me = newId()
    let duration = self.get(entity)! * logn(0.2)
    let failed = false
    const line = (severity: string, body: string) => say(entity, start + duration, severity, body, trace, me)
    if (hard > 0) {
      // Who has no processor time left waits in its queue.
      if (fault === 'cpu') duration = duration * (1 + 6 * hard) + 120_000 * hard * logn(0.3)
      if (fault === 'slow') duration += 250_000 * hard * logn(0.2)
      if (fault === 'memory') duration *= 1 + 4 * hard
      if (fault === 'pool') {
        duration += 300_000 * logn(0.2)
        failed = random() < 0.5
        if (failed) line('ERROR', `connection pool exhausted: timed out after 300 ms waiting for a connection`)
      }
      if (fault === 'error' && random() < 0.7) {
        failed = true
        line('ERROR', `unhandled exception in ${operation}: TypeError: cannot read properties of undefined (reading 'price')`)
      }
      if (fault === 'disk' && hard > 0.9 && random() < 0.7) {
        failed = true
        line('ERROR', `write failed: ENOSPC: no space left on device, write`)
      }
      if (fault === 'memory' && hard > 0.9 && random() < 0.3) {
        failed = true
        line('ERROR', `request aborted: JavaScript heap out of memory`)
      }
    }
    const targets = callees.get(entity)!
    const skip = targets.length > MOST_CALLEES ? Math.floor(random() * targets.length) : 0
    for (let k = 0; k < Math.min(MOST_CALLEES, targets.length) && !failed; k++) {
      const target = targets[(skip + k) % targets.length]
      if (budget.left-- <= 0 || random() > 0.85) continue
      const client = newId()
      const began = start + duration
      const gone = target === at && fault === 'crash' && bite(began) > 0
      const way =
        WIRE_US * logn(0.3) + (fault === 'network' && (target === at || entity === at) ? 120_000 * bite(began) * logn(0.2) : 0)
      const answer: Visited = gone ? { duration: 500, failed: true } : visit(target, client, trace, began + way / 2, budget)
      const lasted = answer.duration + way
      spans.push({
        id: idOf(trace, client),
        environment,
        time: Math.round(began),
        trace_id: trace,
        span_id: client,
        parent_id: me,
        entity,
        operation: `call ${nameOf(target)}`,
        kind: 'client',
        peer: kindOf(target) === 'service' || kindOf(target) === 'database' ? nameOf(target) : target,
        duration_us: Math.round(lasted),
        status: answer.failed ? 'error' : 'ok',
        attributes: kindOf(target) === 'database' ? { 'db.system.name': 'sql' } : {},
      })
      duration += lasted
      if (answer.failed) {
        failed = random() < 0.85
        line(
          'ERROR',
          gone
            ? `call to ${nameOf(target)} failed: connect ECONNREFUSED`
            : `call to ${nameOf(target)} failed: 500 Internal Server Error`,
        )
      }
    }
    if (!failed && random() < 0.3) line('INFO', `${operation} done in ${Math.round(duration / 1000)} ms`)
    // Stores and queues are seen through their clients only.
    if (kindOf(entity) === 'service')
      spans.push({
        id: idOf(trace, me),
        environment,
        time: Math.round(start),
        trace_id: trace,
        span_id: me,
        parent_id: parent,
        entity,
        operation,
        kind: 'server',
        duration_us: Math.round(duration),
        status: failed ? 'error' : 'ok',
        attributes: {},
      })
    return { duration, failed }
  }
  for (let second = 0; second < quietSeconds + faultSeconds; second++) {
    const time = from + second * 1e6
    const due = Math.max(1, Math.round(rate * (1 + 0.1 * Math.sin(second / 20)) + (random() - 0.5) * 2))
    for (let r = 0; r < due; r++) {
      const entrance = pick(entrances)
      const start = time + random() * 9e5
      // Whoever is dead answers nobody from outside either.
      if (entrance === at && fault === 'crash' && bite(start) > 0) continue
      visit(entrance, null, newId() + newId(), start, { left: MOST_VISITS })
    }
    for (const entity of entities) {
      const hard = entity === at ? bite(time) : 0
      if (fault === 'crash' && hard > 0) continue
      const observe = (metric_name: string, unit: string, value: number) =>
        metrics.push({
          id: idOf(environment, entity, metric_name, time),
          environment,
          time: time + 500_000,
          entity,
          metric_name,
          metric_type: 'gauge',
          unit,
          value,
          dimensions: {},
        })
      observe(
        'process.cpu.utilization',
        '1',
        Math.min(1, cpu.get(entity)! * logn(0.1) + (fault === 'cpu' ? 0.85 * hard : fault === 'memory' ? 0.3 * hard : 0)),
      )
      observe('process.memory.usage', 'By', memory.get(entity)! * (1 + 0.01 * random() + (fault === 'memory' ? 3 * hard : 0)))
      observe('system.filesystem.utilization', '1', Math.min(0.999, 0.4 + (fault === 'disk' ? 0.6 * hard : 0)))
      observe(
        'pool.pending_requests',
        '{request}',
        fault === 'pool' && hard > 0 ? 20 + Math.floor(10 * random()) : Math.floor(1.2 * random()),
      )
    }
  }
  const byTime = (a: { time: number }, b: { time: number }) => a.time - b.time
  return {
    fault,
    cause: at,
    logs: logs.sort(byTime),
    metrics: metrics.sort(byTime),
    spans: spans.sort(byTime),
    edges: edges.map(e => ({
      id: idOf(environment, e.from, e.to, e.kind),
      environment,
      time: from,
      from: e.from,
      to: e.to,
      kind: e.kind,
      source: 'user',
      inferred: e.inferred ?? false,
    })),
    from,
    to,
    brokeAt,
  }
}
