import {
  BoundedMap,
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
  failureOf,
  faultPatterns,
  findMentions,
  type JoinedEvent,
  type LineHints,
  lineClassifier,
  type Match,
  matchFault,
  type ParsedLine,
  parseLine,
  redact,
  redactRecord,
  ServiceIdentifier,
  type Severity,
  StackTraceJoiner,
  statementOf,
  TemplateMiner,
} from '@aegis/log-mining'
import { severityOf, timeOf, writerOf } from './decide.ts'

/** What a line brings along while it waits for the rest of its stack trace; must survive JSON. */
interface Held {
  /** Without its text: that is kept redacted, and only so. */
  line: Omit<LogLine, 'body'>
  parsed: Omit<ParsedLine, 'body'>
  partition: number
  offset: number
  time: number
  /** Offset of its last part, and how many there are, where a container runtime split it. */
  last?: number
  parts?: number
}
/** What only this run of the stage knows of an event. */
export interface Heard {
  /** The time that the text itself carries, microseconds. */
  readonly writtenUs: number | undefined
  /** Offsets of its first and last line. */
  readonly first: number
  readonly last: number
}
interface Facts {
  category: string
  readonly fault: ReturnType<typeof matchFault>
  /** How bad its words are where no level is stated and no fault is known. */
  readonly failure: Severity | undefined
  /** Events made before the category was known. */
  waiting?: { category: string }[]
}
export interface ParseOptions {
  /** What a line is about, asked once per template. Default the rules and the small model. */
  readonly classifier?: Classifier
  /** Templates kept, and in proportion what is known of them and of who writes them. Default 10,000. */
  readonly maxTemplates?: number
  /** What is known of all lines beforehand: zone of times without one, formats of the user's own. */
  readonly hints?: LineHints
  /** Hears each event beside what it is emitted with. */
  readonly onEvent?: (event: LogEvent, heard: Heard) => void
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
const NO_HINTS: LineHints = {}
/** Parts of one line, characters of it, and writers with parts waiting; and how long a part waits for the next, microseconds. */
const MOST_PARTS = 256
const MOST_CHARACTERS = 65_536
const MOST_WRITERS = 4096
const PARTS_WAIT_US = 10_000_000

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
  /** Parts of lines that a container runtime split, by writer, until the last part comes. */
  #parts = new Map<string, { readonly body: string; readonly held: Held }>()
  /** Who wrote last in a source whose lines name their writers: a line that names none is more of what that one wrote. */
  readonly #last = new BoundedMap<string, string>(MOST_WRITERS)
  readonly #hints: LineHints
  readonly #onEvent: ParseOptions['onEvent']

  constructor(options: ParseOptions = {}) {
    this.#classifier = options.classifier ?? lineClassifier
    const most = options.maxTemplates ?? 10_000
    this.#hints = options.hints ?? NO_HINTS
    this.#onEvent = options.onEvent
    this.#miner = new TemplateMiner({ maxTemplates: most })
    this.#services = new ServiceIdentifier({ maxTraits: 5 * most })
    this.#maxFacts = 2 * most
  }

  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const input of batch) {
      if (isFrom(input, logsRaw)) {
        this.#line(input.value, input, results)
      } else if (input.kind === 'tick') this.#tick(input, results)
    }
    if (this.#asked.length > 0) await Promise.all(this.#asked.splice(0))
    return results
  }

  #line(line: LogLine, input: Input & { readonly partition: number; readonly offset: number }, results: Result[]): void {
    const hints =
      this.#hints === NO_HINTS ? { observedTimeUs: line.observed_time } : { observedTimeUs: line.observed_time, ...this.#hints }
    let read = parseLine(line.body, hints)
    const own = `${line.environment}\0${line.entity ?? line.source}${writerOf(line)}`
    let writer = own
    if (read.writer !== undefined) {
      writer = `${own}\0${read.writer}`
      if (this.#last.get(own) !== writer) this.#last.set(own, writer)
    } else if (this.#last.size > 0) {
      if (read.bare) writer = this.#last.get(own) ?? own
      else this.#last.delete(own)
    }
    let first: Held | undefined
    if (this.#parts.size > 0 || read.partial) {
      const parts = this.#parts.get(writer)
      if (parts) {
        this.#parts.delete(writer)
        first = parts.held
        read = parseLine(line.body, { ...hints, before: parts.body })
      }
    }
    // Here, before anything is kept: a producer that writes to the topic itself passes no gateway. Once read, so that no escapes hide anything.
    const { body: plain, ...parsed } = read
    const body = redact(plain)
    parsed.fields = redactRecord(parsed.fields)
    if (parsed.exception) parsed.exception = redact(parsed.exception)
    const { body: _raw, ...known } = line
    const held: Held = { line: known, parsed, partition: input.partition, offset: input.offset, time: input.time }
    if (first) {
      // What the whole line says counts, under the place and time of its first part.
      held.last = input.offset
      held.parts = (first.parts ?? 1) + 1
      held.offset = first.offset
      held.line = { ...known, id: first.line.id, time: first.line.time, observed_time: first.line.observed_time }
      if (parsed.format.indexOf(' ') < 0) held.parsed = { ...parsed, timeUs: first.parsed.timeUs }
    }
    if (read.partial && (held.parts ?? 1) < MOST_PARTS && body.length < MOST_CHARACTERS) {
      if (this.#parts.size >= MOST_WRITERS) this.#letGo(this.#parts.keys().next().value as string, input, results)
      this.#parts.set(writer, { body, held })
      return
    }
    this.#whole(writer, body, held, input, results)
  }

  /** Parts whose end never came are a line all the same. */
  #letGo(writer: string, cause: Input, results: Result[]): void {
    const parts = this.#parts.get(writer)
    this.#parts.delete(writer)
    if (parts) this.#whole(writer, parts.body, parts.held, cause, results)
  }

  /** A line with all its parts: an event where its producer says so, else perhaps a part of one. */
  #whole(writer: string, body: string, held: Held, cause: Input, results: Result[]): void {
    const { bare, heading, note, timeUs, severity } = held.parsed
    // A secret that was split over parts shows only now.
    if (held.parts !== undefined) body = redact(body)
    // A producer that names the severity sends whole events; only bare lines may be parts of a stack trace.
    if (held.line.severity) {
      const exception = exceptionIn(body)
      this.#event(body, [held], exception !== undefined, exception, cause, results)
      return
    }
    // A clock that runs ahead must not hold a line back.
    const time = Math.min(cause.time, this.#clocks.now(held.line.environment) || cause.time)
    for (const event of this.#joiner.push(writer, body, held, time, {
      starts: bare !== true,
      heading,
      note,
      level: severity !== undefined,
      writtenUs: timeUs,
    }))
      this.#joined(event, cause, results)
  }

  #joined({ body: joined, tags, trace, exception, record }: JoinedEvent<Held>, cause: Input, results: Result[]): void {
    const body = tags.length > 1 ? redact(joined) : joined
    if (tags.length > 1) {
      const [first, second] = tags
      if (record) {
        const { body: text, ...parsed } = parseLine(body, { observedTimeUs: first.line.observed_time, ...this.#hints })
        if (parsed.format !== 'plain') {
          this.#event(
            text,
            [{ ...first, parsed: { ...first.parsed, ...parsed } }, ...tags.slice(1)],
            false,
            exception,
            cause,
            results,
          )
          return
        }
      }
      if (first.parsed.heading) {
        const parsed = {
          ...second.parsed,
          ...first.parsed,
          severity: first.parsed.severity ?? second.parsed.severity,
          timeUs: first.parsed.timeUs ?? second.parsed.timeUs,
        }
        this.#event(dedented(body), [{ ...first, parsed }, ...tags.slice(1)], trace === true, exception, cause, results)
        return
      }
    }
    this.#event(body, tags, trace === true, exception, cause, results)
  }

  /** What is known of a template by the first of its lines. */
  #factsOf(templateId: string, body: string): Facts {
    const known = this.#facts.get(templateId)
    if (known) return known
    if (this.#facts.size >= this.#maxFacts) this.#facts.clear()
    const fault = matchFault(body)
    const failure = fault ? undefined : failureOf(body)
    const said = fault?.category ?? this.#classifier.classify(body)
    const facts: Facts =
      typeof said === 'string' ? { category: said, fault, failure } : { category: 'other', fault, failure, waiting: [] }
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

  #event(
    text: string,
    held: readonly Held[],
    trace: boolean,
    exception: string | undefined,
    cause: Input,
    results: Result[],
  ): void {
    const { line, parsed, partition, offset, time } = held[0]
    // An empty line that no event took in is no event.
    if (text.trim() === '' && parsed.bare) return
    const body = text === '' ? (parsed.fields.logger ?? parsed.fields.header ?? text) : text
    const match = this.#miner.learn(body.includes('\n') ? body.slice(0, body.indexOf('\n')) : body)
    this.#tellChanges(match, line, body, cause, results)
    const facts = this.#factsOf(match.templateId, body)
    const severity = severityOf(line, parsed, facts, trace)
    let lines = held.length
    for (let i = 0; i < held.length; i++) lines += (held[i].parts ?? 1) - 1
    const { entity, service, knownBy } = this.#whose(line, parsed, match)
    const event: LogEvent = {
      id: idOf('logs.raw', partition, offset, line.id),
      environment: line.environment,
      time: timeOf(line, parsed, time),
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
      exception: parsed.exception ?? exception ?? null,
      fault_pattern: facts.fault?.kind ?? null,
      trace_id: line.trace_id ?? parsed.traceId ?? null,
      span_id: line.span_id ?? parsed.spanId ?? null,
      lines,
      partition,
      offset,
    }
    facts.waiting?.push(event)
    this.#onEvent?.(event, {
      writtenUs: parsed.timeUs,
      first: offset,
      last: held[held.length - 1].last ?? held[held.length - 1].offset,
    })
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
    rate.lines += lines
    if (BAD.has(severity)) rate.errors++
  }

  #whose(
    line: Omit<LogLine, 'body'>,
    parsed: Omit<ParsedLine, 'body'>,
    match: Match,
  ): { entity: string; service: string; knownBy: string } {
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

  #tellChanges(match: Match, line: Omit<LogLine, 'body'>, sample: string, cause: Input, results: Result[]): void {
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
    for (const [writer, { held }] of this.#parts)
      if (tick.final || tick.time - held.time >= PARTS_WAIT_US) this.#letGo(writer, tick, results)
    for (const event of tick.final ? this.#joiner.flush() : this.#joiner.tick(tick.time)) this.#joined(event, tick, results)
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
          facts: [...this.#facts].map(([id, { category, fault, failure }]) => [id, category, fault?.kind, failure]),
          parts: [...this.#parts],
          last: this.#last,
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
    for (const [id, category, kind, failure] of state.facts ?? [])
      this.#facts.set(id, { category, fault: faultPatterns.find(f => f.kind === kind), failure: failure ?? undefined })
    this.#parts = new Map(state.parts ?? [])
    this.#last.load(state.last ?? [])
  }
}

const exceptionIn = (body: string): string | undefined => (body.includes('\n') ? exceptionOf(body) : undefined)

/** Without the blanks that set a message in below its header. */
const dedented = (body: string): string => {
  const indent = /^[ \t]+/.exec(body)?.[0]
  return indent === undefined ? body : body.slice(indent.length).replaceAll(`\n${indent}`, '\n')
}
