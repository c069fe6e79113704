/**
 * The fixed input of the kill harness, made from a seed: two environments of a small shop, with log lines (whole events, bare lines of many
 * shapes, stack traces in pieces), metrics and traces, cut into steps of event time. Every fourth part of the run a service fails for some
 * steps: its metrics leave their band, its lines turn into errors, calls to it fail. The same seed gives the same bytes.
 */
import { idOf, type LogLine, type Observation, type Span, seededRandom, type TopologyEdge } from '@aegis/domain'

/** Event time between two steps, microseconds. */
export const STEP_US = 10_000_000
const START_US = 1_700_000_000_000_000
/** Event times lie years back, so that whatever lies after this came from a wall clock. */
export const LAST_EVENT_US = START_US + 365 * 86_400_000_000

export const ENVIRONMENTS = ['chaos-suggest', 'chaos-act'] as const
const SERVICES = ['front', 'cart', 'checkout', 'payment', 'stock', 'mail'] as const
const CALLS: readonly (readonly [string, string])[] = [
  ['front', 'cart'],
  ['front', 'checkout'],
  ['checkout', 'payment'],
  ['checkout', 'stock'],
  ['payment', 'mail'],
]
const entityOf = (service: string) => `service:${service}`
const traceOf = (step: number, i: number) => idOf('trace', step, i).padEnd(32, '0')
const spanOf = (trace: string, part: string) => idOf(trace, part).slice(0, 16)

export interface Step {
  /** Event time of the tick that ends the step, microseconds. */
  readonly time: number
  readonly logs: readonly LogLine[]
  readonly metrics: readonly Observation[]
  readonly spans: readonly Span[]
}
export interface InputOptions {
  readonly seed: number
  /** Records of all three kinds together, about. */
  readonly records: number
  readonly steps: number
  /** Event time between two steps, microseconds. */
  readonly stepUs?: number
  /** Steps between two faults of an environment; four faults in the whole unless told. */
  readonly faultEvery?: number
}

export const edges = (): TopologyEdge[] =>
  ENVIRONMENTS.flatMap(environment =>
    CALLS.map(([from, to]) => ({
      id: idOf(environment, from, to),
      environment,
      time: START_US,
      from: entityOf(from),
      to: entityOf(to),
      kind: 'calls',
      source: 'chaos',
      inferred: false,
      requests_per_second: null,
      error_share: null,
      p50_ms: null,
      p99_ms: null,
    })),
  )

/** Steps before the first fault: detectors learn first. */
const LEARN = 20
const FAULT_STEPS = 7

export class ChaosInput {
  readonly steps: number
  readonly #options: InputOptions
  readonly #stepUs: number
  readonly #faultEvery: number

  constructor(options: InputOptions) {
    this.#options = options
    this.steps = options.steps
    this.#stepUs = options.stepUs ?? STEP_US
    this.#faultEvery = options.faultEvery ?? Math.max(18, Math.floor((options.steps - LEARN) / 4))
  }

  /** The service that fails in a step of an environment, if any. */
  failing(step: number, environment: number): string | undefined {
    const since = step - LEARN - environment * 4
    if (since < 0 || since % this.#faultEvery >= FAULT_STEPS) return undefined
    return SERVICES[(2 + Math.floor(since / this.#faultEvery) + 2 * environment) % SERVICES.length]
  }

  /** One step; any step can be made alone, in any order. */
  step(n: number): Step {
    const random = seededRandom((this.#options.seed ^ Math.imul(n + 1, 0x9e3779b1)) >>> 0)
    const number = (below: number) => Math.floor(random() * below)
    const from = START_US + n * this.#stepUs
    const perStep = this.#options.records / this.#options.steps
    const metrics = this.#metrics(n, from, random)
    const traces = Math.round((perStep * 0.15) / 4)
    const spans: Span[] = []
    const logs: LogLine[] = []
    for (let i = 0; i < traces; i++) {
      const trace = this.#trace(n, i, from, random)
      spans.push(...trace)
      logs.push(...this.#written(n, i, trace, random() < 0.02))
    }
    const lines = Math.max(20, Math.round(perStep - metrics.length - spans.length))
    while (logs.length < lines)
      logs.push(...this.#lines(n, logs.length, from + Math.floor((logs.length / lines) * this.#stepUs), traces, number))
    return { time: from + this.#stepUs, logs, metrics, spans }
  }

  #metrics(n: number, from: number, random: () => number): Observation[] {
    return ENVIRONMENTS.flatMap((environment, e) =>
      SERVICES.flatMap(service => {
        const bad = this.failing(n, e) === service
        const observe = (metric_name: string, unit: string, usual: number, broken: number): Observation => ({
          id: idOf(environment, service, metric_name, n),
          environment,
          time: from + 5_000_000,
          entity: entityOf(service),
          metric_name,
          metric_type: 'gauge',
          unit,
          value: (bad ? broken : usual) * (0.97 + 0.06 * random()),
          dimensions: {},
        })
        return [
          observe('process.cpu.utilization', '1', 0.3, 0.97),
          observe('process.memory.usage', 'By', 2e8, 2.1e8),
          observe('http.server.latency', 'ms', 40, 900),
          observe('http.server.error_rate', '1', 0.01, 0.6),
        ]
      }),
    )
  }

  /** A request through the shop: server span of the front, and one call with both of its sides. */
  #trace(n: number, i: number, from: number, random: () => number): Span[] {
    const e = i % ENVIRONMENTS.length
    const environment = ENVIRONMENTS[e]
    const [caller, callee] = CALLS[Math.floor(random() * CALLS.length)]
    const bad = this.failing(n, e) === callee
    const trace_id = traceOf(n, i)
    const time = from + Math.floor(random() * this.#stepUs * 0.9)
    const duration_us = Math.floor((bad ? 800_000 : 20_000) * (0.5 + random()))
    const span = (part: string, parent: string | null, words: Partial<Span>): Span => {
      const span_id = spanOf(trace_id, part)
      return {
        id: idOf(trace_id, span_id),
        environment,
        time,
        trace_id,
        span_id,
        parent_id: parent,
        entity: entityOf(caller),
        operation: part,
        kind: 'server',
        duration_us,
        status: 'ok',
        peer: null,
        attributes: {},
        ...words,
      } as Span
    }
    const root = span('request', null, { duration_us: duration_us + 4000 })
    const client = span('call', root.span_id, { kind: 'client', peer: callee, duration_us: duration_us + 1000 })
    const server = span('serve', client.span_id, { entity: entityOf(callee), status: bad ? 'error' : 'ok' })
    const inner = span('work', server.span_id, { entity: entityOf(callee), kind: 'internal', duration_us: duration_us >> 1 })
    return [root, client, server, inner]
  }

  /** What the called service writes while it serves: its last line is missing where it failed, and now and then where it did not. */
  #written(n: number, i: number, trace: readonly Span[], cut: boolean): LogLine[] {
    const { environment, time, entity, trace_id, span_id, status, duration_us } = trace[2]
    const written = (body: string, after: number): LogLine => ({
      id: idOf('served', n, i, after),
      environment,
      time: time + after,
      entity,
      body,
      severity: 'INFO',
      attributes: {},
      trace_id,
      span_id,
      observed_time: time + after,
      source: `${entity}.log`,
    })
    const first = written(`serving request ${i} of minute ${n}`, 0)
    return cut || status === 'error' ? [first] : [first, written(`served request ${i} of minute ${n} in ${duration_us} us`, 1000)]
  }

  /** One whole event, one bare line, or the lines of one stack trace. */
  #lines(n: number, i: number, time: number, traces: number, number: (below: number) => number): LogLine[] {
    const e = number(ENVIRONMENTS.length)
    const service = SERVICES[number(SERVICES.length)]
    const bad = this.failing(n, e) === service && number(4) === 0
    const line = (j: number, body: string, words: Partial<LogLine>): LogLine => ({
      id: idOf('line', n, i + j),
      environment: ENVIRONMENTS[e],
      time,
      entity: entityOf(service),
      body,
      severity: null,
      attributes: {},
      trace_id: null,
      span_id: null,
      observed_time: time,
      source: `${service}.log`,
      ...words,
    })
    if (bad)
      return number(3) === 0
        ? [
            line(0, `ERROR order ${number(1e6)} failed`, {}),
            line(1, 'java.lang.IllegalStateException: no connection to the store', {}),
            line(2, `    at shop.${service}.Store.open(Store.java:${number(90)})`, {}),
            line(3, `    at shop.${service}.Main.run(Main.java:12)`, {}),
          ]
        : [line(0, `connection refused by 10.0.${number(4)}.${number(250)}:5432 after ${number(900)} ms`, { severity: 'ERROR' })]
    const shapes: readonly (() => LogLine)[] = [
      // Written while a request was served: joined to its spans.
      () => {
        const trace_id = traceOf(n, number(Math.max(1, traces)))
        return line(0, `GET /orders/${number(1e6)} 200 ${number(400)}ms from 10.${number(4)}.${number(256)}.${number(256)}`, {
          severity: 'INFO',
          trace_id,
          span_id: spanOf(trace_id, 'serve'),
        })
      },
      () => line(0, `cache miss for key=product:${number(9000)} shard=${number(16)}`, { severity: 'DEBUG' }),
      () => line(0, `INFO user ${number(5000)} logged in from 10.0.0.${number(250)}`, {}),
      () => line(0, `flushed ${number(1e5)} bytes of segment ${number(900)} in ${number(50)} ms`, { severity: 'INFO' }),
      () =>
        line(0, `job ${number(64)} of batch ${number(9)} ${['begun', 'done', 'skipped', 'queued'][number(4)]}`, {
          severity: 'INFO',
        }),
      // Rare shapes keep making templates, so that a state that was lost shows.
      () =>
        line(0, `audit ${'abcdefghijklmnop'[number(16)]}${'qrstuvwxyz'[number(10)]}x step ${number(99)} noted`, {
          entity: null,
          severity: 'INFO',
        }),
    ]
    return [shapes[number(shapes.length)]()]
  }
}
