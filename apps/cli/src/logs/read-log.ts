import { LineAnomalyDetector } from '@aegis/anomaly-detection/logs/log-anomaly'
import { type Input, type LogEvent, type LogLine, logsParsed, logsRaw, type TemplateChange, templates } from '@aegis/domain'
import { type LineHints, matchFault, type Severity, severities, severityOfText } from '@aegis/log-mining'
import { type Heard, ParseLogs } from '@aegis/log-parser/parse-logs'
import { TimeHistogram } from './time-histogram.ts'

export interface TemplateRow {
  readonly id: string
  readonly template: string
  readonly lines: number
  readonly events: number
  readonly severities: Readonly<Record<string, number>>
  readonly category: string
  readonly fault: string | null
  /** Numbers of the first and the last line, from 1. */
  readonly first_line: number
  readonly last_line: number
  readonly samples: readonly string[]
  /** Lines per equal part of the file's time, oldest first; of its length, where the lines carry no time. */
  readonly over_time: readonly number[]
  /** How much it is worth a look: rarity, severity, known faults. 1 and more is an anomaly. */
  readonly score: number
  readonly reasons: readonly string[]
}
export interface LogReport {
  readonly lines: number
  readonly events: number
  readonly from: number | null
  readonly to: number | null
  readonly severities: Readonly<Record<string, number>>
  readonly services: Readonly<Record<string, number>>
  readonly templates: readonly TemplateRow[]
}
interface Seen {
  template: string
  lines: number
  events: number
  severities: Record<string, number>
  category: string
  fault: string | null
  first: number
  last: number
  samples: string[]
  worst: Severity
  /** Ids this template had before it was widened or took others in. */
  ids: string[]
}
const BATCH = 5000
const HOUR = 3_600_000_000

/** A log as the log-parser service understands it: the very stage that runs there, fed line by line. */
export class LogReader {
  readonly #stage: ParseLogs
  readonly #samples: number
  readonly #arrival: number
  #batch: Input[] = []
  #lines = 0
  #events = 0
  #seen = new Map<string, Seen>()
  #into = new Map<string, string>()
  #texts = new Map<string, string>()
  #severities: Record<string, number> = {}
  #services: Record<string, number> = {}
  readonly #byTime = new TimeHistogram(512, 1_000_000)
  readonly #byLine = new TimeHistogram(512, 1)
  #timed = 0
  readonly #detector = new LineAnomalyDetector()

  /** @param arrival microseconds; the time of lines that carry none */
  constructor(options: {
    readonly arrival: number
    readonly service?: string
    readonly samples?: number
    /** What is known of the lines beforehand: the zone of times without one, when the file was last written, formats of the user's own. */
    readonly hints?: LineHints
    /** Hears each event, with the number of its first line. */
    readonly onEvent?: (event: LogEvent, line: number) => void
    /** Hears each event with what its lines say of themselves. */
    readonly onHeard?: (event: LogEvent, heard: Heard) => void
  }) {
    this.#stage = new ParseLogs({ hints: options.hints, onEvent: options.onHeard })
    this.#onEvent = options.onEvent
    this.#arrival = options.arrival
    this.#service = options.service
    this.#samples = options.samples ?? 1
  }
  readonly #service: string | undefined
  readonly #onEvent: ((event: LogEvent, line: number) => void) | undefined

  async line(body: string): Promise<void> {
    const line: LogLine = {
      id: String(this.#lines),
      environment: 'default',
      time: this.#arrival,
      entity: this.#service ? `service:${this.#service}` : null,
      body,
      observed_time: this.#arrival,
      source: 'file',
    } as LogLine
    this.#batch.push({
      kind: 'value',
      stream: logsRaw,
      partition: 0,
      offset: this.#lines++,
      time: this.#arrival,
      clamped: false,
      value: line,
      random: () => 0,
    } as Input)
    if (this.#batch.length >= BATCH) await this.#process()
  }

  async #process(): Promise<void> {
    const results = await this.#stage.process(this.#batch)
    this.#batch = []
    for (const result of results) {
      if (result.kind !== 'emit') continue
      if (result.stream.name === templates.name) this.#change(result.value as TemplateChange)
      else if (result.stream.name === logsParsed.name) this.#event(result.value as LogEvent)
    }
  }

  #change(change: TemplateChange): void {
    const to = change.state === 'merged' ? (change.into as string) : change.id
    // No line is counted under the words of what it was merged away from.
    if (change.state !== 'new') this.#texts.set(to, change.text)
    for (const id of change.state === 'merged' ? [change.id] : (change.from ?? [])) {
      if (id === to) continue
      this.#into.set(id, to)
      this.#detector.rename(id, to)
    }
  }

  #event(event: LogEvent): void {
    this.#events++
    const line = event.offset + 1
    this.#onEvent?.(event, line)
    const lines = event.lines ?? 1
    const severity = event.severity as Severity
    let seen = this.#seen.get(event.template_id)
    if (!seen) {
      seen = {
        template: event.template,
        lines: 0,
        events: 0,
        severities: {},
        category: event.category,
        fault: event.fault_pattern ?? null,
        first: line,
        last: line,
        samples: [],
        worst: severity,
        ids: [event.template_id],
      }
      this.#seen.set(event.template_id, seen)
    }
    seen.lines += lines
    seen.events++
    seen.last = Math.max(seen.last, line + lines - 1)
    seen.severities[severity] = (seen.severities[severity] ?? 0) + 1
    if (severities.indexOf(severity) > severities.indexOf(seen.worst)) seen.worst = severity
    seen.fault ??= event.fault_pattern ?? null
    if (seen.samples.length < this.#samples) seen.samples.push(event.body)
    this.#severities[severity] = (this.#severities[severity] ?? 0) + 1
    this.#services[event.service] = (this.#services[event.service] ?? 0) + lines
    if (event.time < this.#arrival || event.time > this.#arrival + HOUR) {
      this.#timed++
      this.#byTime.add(event.template_id, event.time, lines)
    }
    this.#byLine.add(event.template_id, line, lines)
    this.#detector.learn({ templateId: event.template_id }, true)
  }

  /** What widened or was merged later counts under what it became. */
  #current(id: string): string {
    const path = new Set([id])
    for (let next = this.#into.get(id); next !== undefined && !path.has(next); next = this.#into.get(id)) path.add((id = next))
    return id
  }

  async finish(columns: number): Promise<LogReport> {
    this.#batch.push({
      kind: 'tick',
      stream: logsRaw,
      partition: 0,
      offset: this.#lines,
      time: this.#arrival,
      environment: '*',
      final: true,
      inForce: () => undefined,
    } as Input)
    await this.#process()
    const rows = new Map<string, Seen>()
    for (const [id, seen] of this.#seen) {
      const to = this.#current(id)
      const other = rows.get(to)
      if (!other) rows.set(to, { ...seen, template: this.#texts.get(to) ?? this.#seen.get(to)?.template ?? seen.template })
      else join(other, seen, this.#samples)
    }
    // Most lines carry a time of their own, or the place in the file has to do.
    const timed = this.#timed >= this.#events / 2
    const histogram = timed ? this.#byTime : this.#byLine
    const templatesSeen = [...rows].map(([id, seen]): TemplateRow => {
      const text = seen.samples[0] ?? seen.template
      const { score, reasons } = this.#detector.score({
        templateId: id,
        severity: seen.worst,
        textSeverity: severityOfText(text),
        fault: matchFault(text),
      })
      return {
        id,
        template: seen.template,
        lines: seen.lines,
        events: seen.events,
        severities: seen.severities,
        category: seen.category,
        fault: seen.fault,
        first_line: seen.first,
        last_line: seen.last,
        samples: seen.samples,
        over_time: histogram.columns(seen.ids, columns),
        score,
        reasons,
      }
    })
    const span = timed ? this.#byTime.span : undefined
    return {
      lines: this.#lines,
      events: this.#events,
      from: span?.from ?? null,
      to: span?.to ?? null,
      severities: this.#severities,
      services: this.#services,
      templates: templatesSeen.sort((a, b) => b.lines - a.lines || a.first_line - b.first_line),
    }
  }
}

function join(into: Seen, from: Seen, samples: number): void {
  into.lines += from.lines
  into.events += from.events
  into.first = Math.min(into.first, from.first)
  into.last = Math.max(into.last, from.last)
  into.fault ??= from.fault
  into.ids.push(...from.ids)
  into.samples = [...into.samples, ...from.samples].slice(0, samples)
  if (severities.indexOf(from.worst) > severities.indexOf(into.worst)) into.worst = from.worst
  for (const [severity, n] of Object.entries(from.severities)) into.severities[severity] = (into.severities[severity] ?? 0) + n
}
