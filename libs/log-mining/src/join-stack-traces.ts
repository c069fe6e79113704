/**
 * Joins the lines of one event, across lines and across batches: stack traces of all usual languages (traces.ts), headers whose message is on the
 * next line, objects printed over several lines, and text that goes on below its header.
 *
 * A line belongs to the event before it when its shape says so. Lines of different sources never mix. An event is let go when its source writes
 * a line that starts another one, when it has waited too long, or when it is too big. Order within a source is kept; nothing is lost.
 */
import { exceptionOf } from './exceptions.ts'
import { severityOfText } from './text-severity.ts'
import { FRAME, type Trace, traceBeginning, traceNamed } from './traces.ts'

export interface JoinOptions {
  /** Lines in one event. Default 512. */
  readonly maxLines?: number
  /** Characters in one event; lines beyond it are counted, not kept. Default 65,536. */
  readonly maxLength?: number
  /** Sources with an event waiting; beyond it the oldest is let go. Default 4,096. */
  readonly maxSources?: number
  /** How long an event waits for its next line, in microseconds of the input's time. Default 2 s. */
  readonly maxWaitUs?: number
}

/** How a line stands to the one before it. */
export interface Standing {
  /** It has a header of its own, so it begins an event. */
  readonly starts?: boolean
  /** It is a header alone, and the message follows. */
  readonly heading?: boolean
  /** It explains the event before it, though it has a header. */
  readonly note?: boolean
  /** It states a level. */
  readonly level?: boolean
  /** When it was written, microseconds. */
  readonly writtenUs?: number
}

export interface JoinedEvent<T> {
  readonly source: string
  readonly body: string
  /** What was pushed with each line, first to last. */
  readonly tags: readonly T[]
  readonly lines: number
  /** Class of the exception, the innermost cause's where there are several. */
  readonly exception?: string
  /** Holds a stack trace, or the last words of a program. */
  readonly trace?: boolean
  /** An object or record over several lines, to be read as a whole. */
  readonly record?: boolean
}

interface Waiting<T> {
  lines: string[]
  tags: T[]
  count: number
  length: number
  /** 'plain', 'heading', 'record', 'note', 'end' of a Python traceback, or the name of a trace. */
  mode: string
  timeUs: number
  /** The source writes headers, so a line without one goes on. */
  headed: boolean
  /** The event itself began with a header. */
  header: boolean
  /** The last line was empty. */
  blank: boolean
  /** Its first line states a level. */
  level: boolean
  /** When its first line was written. */
  writtenUs?: number
}

const MARKS = new Set([...'\'"{}<>|+*^~;,.&])-\\`'].map(c => c.charCodeAt(0)))

export class StackTraceJoiner<T> {
  readonly #options: Required<JoinOptions>
  #waiting = new Map<string, Waiting<T>>()

  constructor(options: JoinOptions = {}) {
    this.#options = {
      maxLines: options.maxLines ?? 512,
      maxLength: options.maxLength ?? 65_536,
      maxSources: options.maxSources ?? 4096,
      maxWaitUs: options.maxWaitUs ?? 2_000_000,
    }
  }

  /** Takes the next line of a source; returns the events it completes. */
  push(source: string, body: string, tag: T, timeUs = 0, standing: Standing = {}): JoinedEvent<T>[] {
    const done: JoinedEvent<T>[] = []
    const held = this.#waiting.get(source)
    const begins = body.length === 0 ? undefined : traceBeginning(body)
    if (held !== undefined) {
      const next = goesOn(held, body, standing, begins)
      if (next !== undefined && held.count < this.#options.maxLines) {
        held.mode = next
        held.tags.push(tag)
        held.count++
        held.blank = isBlank(body)
        held.timeUs = Math.max(held.timeUs, timeUs)
        if (held.length + body.length <= this.#options.maxLength) {
          held.lines.push(body)
          held.length += body.length + 1
        }
        return done
      }
      this.#waiting.delete(source)
      done.push(finished(source, held))
    } else if (this.#waiting.size >= this.#options.maxSources) {
      const [oldest, event] = this.#waiting.entries().next().value as [string, Waiting<T>]
      this.#waiting.delete(oldest)
      done.push(finished(oldest, event))
    }
    const header = standing.starts === true || standing.heading === true
    this.#waiting.set(source, {
      lines: [body],
      tags: [tag],
      count: 1,
      length: body.length,
      mode: standing.heading === true ? 'heading' : (begins?.name ?? (opensRecord(body) ? 'record' : 'plain')),
      timeUs,
      headed: header || held?.headed === true,
      header,
      blank: isBlank(body),
      level: standing.level === true,
      ...(standing.writtenUs === undefined ? {} : { writtenUs: standing.writtenUs }),
    })
    return done
  }

  /** Lets go of the events that have waited longer than allowed at this time. */
  tick(timeUs: number): JoinedEvent<T>[] {
    const done: JoinedEvent<T>[] = []
    for (const [source, held] of this.#waiting) {
      if (timeUs - held.timeUs < this.#options.maxWaitUs) continue
      this.#waiting.delete(source)
      done.push(finished(source, held))
    }
    return done
  }

  /** Lets go of everything. */
  flush(): JoinedEvent<T>[] {
    const done = [...this.#waiting].map(([source, held]) => finished(source, held))
    this.#waiting.clear()
    return done
  }

  /** Tags must survive JSON. */
  snapshot(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify([...this.#waiting]))
  }

  restore(bytes: Uint8Array): void {
    this.#waiting = new Map(JSON.parse(new TextDecoder().decode(bytes)) as [string, Waiting<T>][])
  }
}

const isBlank = (line: string): boolean => line === '' || (line.charCodeAt(0) <= 32 && line.trim() === '')
const opensRecord = (line: string): boolean =>
  (line.length === 1 || line.charCodeAt(0) === 95) && /^(?:[{[]|__CURSOR=.*)$/.test(line)

/** The mode after this line, or undefined when the line starts another event. */
function goesOn(held: Waiting<unknown>, line: string, standing: Standing, begins: Trace | undefined): string | undefined {
  const { mode } = held
  if (standing.note === true) return held.header ? mode : undefined
  if (mode === 'record') return standing.starts !== true && !recordEnds(held) ? 'record' : undefined
  if (mode === 'heading') {
    if (standing.heading === true) return undefined
    // A time alone, then the level and the message; or a header alone, then text.
    return standing.starts === true && held.count > 1
      ? undefined
      : (begins?.name ?? (held.count > 1 && line === '' ? 'plain' : 'heading'))
  }
  if (standing.starts === true || standing.heading === true) return FRAME.test(line) ? traceMode(mode) : undefined
  if (isBlank(line)) return mode
  if (mode === 'python') {
    if (/^\s/.test(line)) return 'python'
    return begins?.name === 'python' ? undefined : 'end'
  }
  const trace = mode === 'end' ? traceNamed('python') : traceNamed(mode)
  const indented = /^(?:\t| {2})\s*\S|^ [|+-]/.test(line)
  if (trace !== undefined) {
    if (held.count === 1 && trace.message === true) return mode
    const last = held.lines[held.lines.length - 1]
    if (trace.ends?.test(last) === true) return undefined
    if (trace.goesOn?.test(line) === true) return mode === 'end' ? 'end' : mode
    if (FRAME.test(line)) return mode
    if (mode === 'end' && begins?.name === 'python') return held.blank || CHAIN.test(last) ? 'python' : undefined
    if (/^\s+\S/.test(line)) return mode
    if (held.blank) return undefined
    if (begins !== undefined) return NAMES_CAUSE.test(last) ? mode : undefined
    // Where lines have headers, a text without one that follows a trace is more of its message.
    return held.headed && MESSAGES.has(mode) ? mode : undefined
  }
  if (FRAME.test(line)) return 'trace'
  if (begins !== undefined) {
    if (held.blank && !held.header) return undefined
    const first = held.lines[0]
    if (begins.name === 'go') return held.header && (/panic|:$/.test(first) || line.startsWith('goroutine')) ? 'go' : undefined
    // The trace belongs to the message before it, where that tells of something wrong; after any other it stands for itself.
    if (/^Exception in thread/.test(line) || later(held, standing) || !(opensBlock(held) || erroneous(first))) return undefined
    return begins.name
  }
  if (indented) return mode
  if (held.blank || !held.header || (opensRecord(line) && !opensBlock(held))) return undefined
  return MARKS.has(line.charCodeAt(0)) || /^#\d+ /.test(line) || opensBlock(held) ? 'plain' : undefined
}

/** What comes a second after is another matter. */
const later = (held: Waiting<unknown>, { writtenUs }: Standing): boolean =>
  writtenUs !== undefined && held.writtenUs !== undefined && Math.abs(writtenUs - held.writtenUs) > 1_000_000

/** Traces whose message may run over several lines. */
const MESSAGES = new Set(['end', 'trace', 'php', 'ruby', 'erlang', 'r', 'julia', 'dart'])
const CHAIN = /^(?:During handling of the above exception|The above exception was the direct cause)/
const NAMES_CAUSE = /(?:Caused by|caused by|exception was|exception):?$/
const traceMode = (mode: string): string => (mode === 'plain' ? 'trace' : mode)

/** The last line announces more: "headers:", "{", "statement =". */
function opensBlock(held: Waiting<unknown>): boolean {
  if (held.count > 1 && held.lines.length > 1 && /[:,({[=]\s*$/.test(held.lines[0]) && !held.blank) return true
  return /[:,({[=\\]\s*$/.test(held.lines[held.lines.length - 1])
}

/** A record of braces is whole when they are closed, one of a journal when an empty line ends it. */
function recordEnds(held: Waiting<unknown>): boolean {
  const first = held.lines[0]
  if (first.startsWith('__')) return held.blank
  return held.lines[held.lines.length - 1] === (first === '{' ? '}' : ']')
}

const erroneous = (line: string): boolean => severityOfText(line) !== 'INFO'

function finished<T>(source: string, held: Waiting<T>): JoinedEvent<T> {
  if (held.count === 1 && NO_TRACE.has(held.mode)) return { source, body: held.lines[0], tags: held.tags, lines: 1 }
  let last = held.lines.length
  while (last > 1 && held.lines[last - 1].trim() === '') last--
  let first = 0
  while (first < last - 1 && held.lines[first] === '') first++
  const body = held.lines.slice(first, last).join('\n')
  const trace = !NO_TRACE.has(held.mode) || (held.count > 1 && traceBeginning(body.slice(0, body.indexOf('\n'))) !== undefined)
  const exception = trace || held.count > 1 ? exceptionOf(body) : undefined
  return {
    source,
    body,
    tags: held.tags,
    lines: held.count,
    ...(exception === undefined ? {} : { exception }),
    ...(trace ? { trace } : {}),
    ...(held.mode === 'record' && held.count > 1 ? { record: true } : {}),
  }
}
const NO_TRACE = new Set(['plain', 'heading', 'record', 'warning'])
