import {
  EnvironmentClocks,
  emit,
  type Input,
  idOf,
  isFrom,
  type LogEvent,
  type LogLine,
  logsParsed,
  logsRaw,
  metricsRaw,
  type Received,
  type Result,
  type Stage,
  type Stateful,
  type Tick,
  templates,
} from '@aegis/domain'
import { parseLine, type TemplateMiner } from '@aegis/log-mining'

interface Rate {
  environment: string
  lines: number
  errors: number
}
const BAD = new Set(['ERROR', 'CRITICAL', 'FATAL'])

/** Log lines to log events: format, severity, template and parameters; and per entity the rate of lines and of errors as series. */
export class ParseLogs implements Stage, Stateful {
  readonly snapshotVersion = 1
  readonly #miner: TemplateMiner
  readonly #clocks = new EnvironmentClocks()
  #rates = new Map<string, Rate>()

  constructor(miner: TemplateMiner) {
    this.#miner = miner
  }

  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const input of batch) {
      if (isFrom(input, logsRaw)) this.#parse(input, results)
      else if (input.kind === 'tick') this.#tick(input, results)
    }
    return results
  }

  #parse(input: Received<LogLine>, results: Result[]): void {
    const v = input.value
    const line = parseLine(v.body, { observedTimeUs: v.observed_time })
    const match = this.#miner.learn(line.body)
    // A time of the producer's own stands; a line that merely arrived has the time written in it, if any.
    const time = v.time !== v.observed_time || line.timeUs === undefined ? input.time : Math.min(line.timeUs, input.time)
    const severity = normalSeverity(v.severity) ?? line.severity ?? 'INFO'
    const service = v.entity?.startsWith('service:')
      ? v.entity.slice(8)
      : (v.attributes?.['service.name'] ?? line.service ?? v.source)
    const entity = v.entity ?? `service:${service}`
    const event: LogEvent = {
      id: idOf('logs.raw', input.partition, input.offset, v.id),
      environment: v.environment,
      time,
      entity,
      service,
      service_known_by: v.entity ? 'given' : v.attributes?.['service.name'] ? 'attribute' : line.service ? 'attribute' : 'source',
      template_id: match.templateId,
      template: match.template,
      parameters: match.parameters,
      severity,
      category: 'other',
      mentions: [],
      body: line.body,
      exception: null,
      fault_pattern: null,
      trace_id: v.trace_id ?? line.traceId ?? null,
      span_id: v.span_id ?? line.spanId ?? null,
      lines: 1,
      partition: input.partition,
      offset: input.offset,
    }
    results.push(emit(logsParsed, event, input))
    const rate = this.#rates.get(`${v.environment}\0${entity}`)
    if (rate) {
      rate.lines++
      if (BAD.has(severity)) rate.errors++
    } else
      this.#rates.set(`${v.environment}\0${entity}`, { environment: v.environment, lines: 1, errors: BAD.has(severity) ? 1 : 0 })
  }

  #tick(tick: Tick, results: Result[]): void {
    this.#clocks.see(tick)
    for (const [key, rate] of this.#rates) {
      if (!this.#clocks.moves(tick, rate.environment)) continue
      const entity = key.slice(key.indexOf('\0') + 1)
      const now = this.#clocks.now(rate.environment)
      const observe = (metric_name: string, value: number) =>
        results.push(
          emit(
            metricsRaw,
            {
              id: idOf(rate.environment, entity, metric_name, now),
              environment: rate.environment,
              time: now,
              entity,
              metric_name,
              metric_type: 'gauge',
              unit: '1/s',
              value,
              dimensions: {},
            },
            tick,
          ),
        )
      observe('logs.rate', rate.lines)
      observe('logs.error_rate', rate.errors)
      rate.lines = 0
      rate.errors = 0
    }
  }

  snapshot(): Uint8Array {
    const miner = this.#miner.snapshot()
    const rest = Buffer.from(JSON.stringify({ clocks: this.#clocks, rates: [...this.#rates] }))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(rest.length)
    return Buffer.concat([length, rest, miner])
  }
  restore(bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes)
    const length = buffer.readUInt32BE(0)
    const state = JSON.parse(buffer.toString('utf8', 4, 4 + length))
    this.#clocks.fromJSON(state.clocks)
    this.#rates = new Map(state.rates)
    this.#miner.restore(buffer.subarray(4 + length))
  }
}

const NORMAL: Readonly<Record<string, string>> = {
  TRACE: 'DEBUG',
  DEBUG: 'DEBUG',
  INFO: 'INFO',
  NOTICE: 'INFO',
  WARN: 'WARN',
  WARNING: 'WARN',
  ERROR: 'ERROR',
  ERR: 'ERROR',
  FATAL: 'CRITICAL',
  CRITICAL: 'CRITICAL',
  ALERT: 'CRITICAL',
  EMERGENCY: 'CRITICAL',
}
const normalSeverity = (given: string | null | undefined): string | undefined =>
  given ? NORMAL[given.toUpperCase().replace(/\d+$/, '')] : undefined
