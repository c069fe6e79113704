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
  type Result,
  type Stage,
  type Stateful,
  type Tick,
  templates,
  tracesLines,
} from '@aegis/domain'
import {
  type Classifier,
  exceptionOf,
  faultPatterns,
  findMentions,
  lineClassifier,
  type Match,
  matchFault,
  type ParsedLine,
  parseLine,
  redact,
  ServiceIdentifier,
  StackTraceJoiner,
  statementOf,
  TemplateMiner,
  writerOf,
} from '@aegis/log-mining'

/** What a line brings along while it waits for the rest of its stack trace; must survive JSON. */
interface Held {
  line: LogLine
  parsed: Omit<ParsedLine, 'body'>
  partition: number
  offset: number
  time: number
}
interface Facts {
  category: string
  readonly fault: ReturnType<typeof matchFault>
  /** Events made before the category was known. */
  waiting?: { category: string }[]
}
export interface ParseOptions {
  /** What a line is about, asked once per template. Default the rules and the small model. */
  readonly classifier?: Classifier
  /** Templates kept, and in proportion what is known of them and of who writes them. Default 10,000. */
  readonly maxTemplates?: number
}
interface Rate {
  environment: string
  lines: number
  errors: number
  /** When its clock last moved with lines to count. */
  last?: number
}
/** An entity that has logged nothing for this long is gone, and its rates are told no more, microseconds. */
const GONE_US = 3_600_000_000
const BAD = new Set(['ERROR', 'CRITICAL'])
const TELLING = new Set(['ip', 'path', 'url', 'host', 'uuid', 'email', 'user'])
/** Characters of a line that are quoted. */
const QUOTED = 400

/** Log lines to log events: format, joined stack traces, severity, template, category and mentions; and per entity the rate of lines and errors as series. */
export class ParseLogs implements Stage, Stateful {
  readonly snapshotVersion = 2
  readonly #miner: TemplateMiner
  readonly #joiner = new StackTraceJoiner<Held>()
  readonly #services: ServiceIdentifier
  readonly #clocks = new EnvironmentClocks()
  #rates = new Map<string, Rate>()
  /** Category and fault pattern of a template, looked up once: by its first line, so a restart must not look again. */
  readonly #facts = new Map<string, Facts>()
  readonly #maxFacts: number
  readonly #classifier: Classifier
  /** Categories that are still being found; a batch ends when they are. */
  #asked: Promise<void>[] = []

  constructor(options: ParseOptions = {}) {
    this.#classifier = options.classifier ?? lineClassifier
    const most = options.maxTemplates ?? 10_000
    this.#miner = new TemplateMiner({ maxTemplates: most })
    this.#services = new ServiceIdentifier({ maxTraits: 5 * most })
    this.#maxFacts = 2 * most
  }

  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const input of batch) {
      if (isFrom(input, logsRaw)) {
        const line = input.value
        const { body, ...parsed } = parseLine(line.body, { observedTimeUs: line.observed_time })
        const held = { line, parsed, partition: input.partition, offset: input.offset, time: input.time }
        // A producer that names the severity sends whole events; only bare lines may be parts of a stack trace.
        if (line.severity) this.#event(body, [held], exceptionIn(body), input, results)
        else
          for (const event of this.#joiner.push(
            `${line.environment}\0${line.entity ?? line.source}${writerOf(line.attributes)}`,
            redact(body),
            held,
            // A clock that runs ahead must not hold a line back.
            Math.min(input.time, this.#clocks.now(line.environment) || input.time),
            parsed.timeUs !== undefined || parsed.severity !== undefined,
          ))
            this.#event(event.body, event.tags, event.exception, input, results)
      } else if (input.kind === 'tick') this.#tick(input, results)
    }
    if (this.#asked.length > 0) await Promise.all(this.#asked.splice(0))
    return results
  }

  /** What is known of a template by the first of its lines. */
  #factsOf(templateId: string, body: string): Facts {
    const known = this.#facts.get(templateId)
    if (known) return known
    if (this.#facts.size >= this.#maxFacts) this.#facts.clear()
    const fault = matchFault(body)
    const said = fault?.category ?? this.#classifier.classify(body)
    const facts: Facts = typeof said === 'string' ? { category: said, fault } : { category: 'other', fault, waiting: [] }
    if (typeof said !== 'string')
      this.#asked.push(
        said.then(category => {
          facts.category = category
          for (const event of facts.waiting ?? []) event.category = category
          facts.waiting = undefined
        }),
      )
    this.#facts.set(templateId, facts)
    return facts
  }

  #event(body: string, held: readonly Held[], exception: string | undefined, cause: Input, results: Result[]): void {
    const { line, parsed, partition, offset, time } = held[0]
    const match = this.#miner.learn(body.includes('\n') ? body.slice(0, body.indexOf('\n')) : body)
    this.#tellChanges(match, line, body, cause, results)
    const facts = this.#factsOf(match.templateId, body)
    const severity = normalSeverity(line.severity) ?? parsed.severity ?? (facts.fault?.severity as string | undefined) ?? 'INFO'
    const { entity, service, knownBy } = this.#whose(line, parsed, match)
    const event: LogEvent = {
      id: idOf('logs.raw', partition, offset, line.id),
      environment: line.environment,
      // A time of the producer's own stands; a line that merely arrived has its time written in it, if any.
      time: line.time === line.observed_time && parsed.timeUs !== undefined ? Math.min(parsed.timeUs, time) : time,
      entity,
      service,
      service_known_by: knownBy,
      template_id: match.templateId,
      template: match.template,
      parameters: match.parameters,
      severity,
      category: facts.category,
      mentions:
        severity === 'INFO' || severity === 'DEBUG' ? match.parameters.filter(p => TELLING.has(p.kind)) : findMentions(body),
      body,
      exception: exception ?? null,
      fault_pattern: facts.fault?.kind ?? null,
      trace_id: line.trace_id ?? parsed.traceId ?? null,
      span_id: line.span_id ?? parsed.spanId ?? null,
      lines: held.length,
      partition,
      offset,
    }
    facts.waiting?.push(event)
    results.push(emit(logsParsed, event, cause))
    if (event.trace_id && event.span_id)
      results.push(
        emit(
          tracesLines,
          {
            id: event.id,
            environment: event.environment,
            time: event.time,
            trace_id: event.trace_id,
            span_id: event.span_id,
            entity,
            statement: statementOf(body),
            severity,
            text: body.length > QUOTED ? `${body.slice(0, QUOTED)}…` : body,
            partition,
            offset,
          },
          cause,
        ),
      )
    const key = `${line.environment}\0${entity}`
    let rate = this.#rates.get(key)
    if (!rate) this.#rates.set(key, (rate = { environment: line.environment, lines: 0, errors: 0 }))
    rate.lines += held.length
    if (BAD.has(severity)) rate.errors++
  }

  #whose(line: LogLine, parsed: Omit<ParsedLine, 'body'>, match: Match): { entity: string; service: string; knownBy: string } {
    const attribute = line.attributes?.['service.name'] ?? parsed.service
    const traits = [`template ${match.templateId}`, ...(parsed.host ? [`host ${parsed.host}`] : [])]
    if (line.entity) {
      const service = line.entity.slice(line.entity.indexOf(':') + 1)
      this.#services.learn(traits, service)
      return { entity: line.entity, service, knownBy: 'given' }
    }
    if (attribute) {
      this.#services.learn(traits, attribute)
      return { entity: `service:${attribute}`, service: attribute, knownBy: 'attribute' }
    }
    const learned = this.#services.identify(traits)
    return learned
      ? { entity: `service:${learned.service}`, service: learned.service, knownBy: 'learned' }
      : { entity: `source:${line.source}`, service: line.source, knownBy: 'source' }
  }

  #tellChanges(match: Match, line: LogLine, sample: string, cause: Input, results: Result[]): void {
    for (const change of match.changes) {
      const base = { environment: '*', time: line.time, text: change.text, samples: [sample.slice(0, 500)] }
      if (change.kind === 'created') results.push(emit(templates, { ...base, id: change.id, state: 'new' }, cause))
      else if (change.kind === 'widened')
        results.push(emit(templates, { ...base, id: change.to, state: 'widened', from: [change.from] }, cause))
      else results.push(emit(templates, { ...base, id: change.from, state: 'merged', into: change.into }, cause))
    }
  }

  #tick(tick: Tick, results: Result[]): void {
    this.#clocks.see(tick)
    for (const event of tick.final ? this.#joiner.flush() : this.#joiner.tick(tick.time))
      this.#event(event.body, event.tags, event.exception, tick, results)
    for (const [key, rate] of this.#rates) {
      if (!this.#clocks.moves(tick, rate.environment)) continue
      const entity = key.slice(key.indexOf('\0') + 1)
      const now = this.#clocks.now(rate.environment)
      if (rate.lines > 0 || rate.last === undefined) rate.last = now
      if (now - rate.last > GONE_US) {
        this.#rates.delete(key)
        continue
      }
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
    const parts = [
      this.#miner.snapshot(),
      this.#joiner.snapshot(),
      this.#services.snapshot(),
      Buffer.from(
        JSON.stringify({
          clocks: this.#clocks,
          rates: [...this.#rates],
          facts: [...this.#facts].map(([id, { category, fault }]) => [id, category, fault?.kind]),
        }),
      ),
    ]
    return Buffer.concat(
      parts.flatMap(part => {
        const length = Buffer.alloc(4)
        length.writeUInt32BE(part.length)
        return [length, part]
      }),
    )
  }
  restore(bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes)
    let at = 0
    const [miner, joiner, services, rest] = Array.from({ length: 4 }, () => {
      const length = buffer.readUInt32BE(at)
      const part = buffer.subarray(at + 4, at + 4 + length)
      at += 4 + length
      return part
    })
    this.#miner.restore(miner)
    this.#joiner.restore(joiner)
    this.#services.restore(services)
    const state = JSON.parse(rest.toString())
    this.#clocks.fromJSON(state.clocks)
    this.#rates = new Map(state.rates)
    // Version 1 did not keep them.
    for (const [id, category, kind] of state.facts ?? [])
      this.#facts.set(id, { category, fault: faultPatterns.find(f => f.kind === kind) })
  }
}

const exceptionIn = (body: string): string | undefined => (body.includes('\n') ? exceptionOf(body) : undefined)
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
