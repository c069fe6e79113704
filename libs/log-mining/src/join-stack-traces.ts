/**
 * Joins the lines of a stack trace to one event, across lines and across batches: Java, Kotlin, .NET, Python, Go, Node, Ruby.
 *
 * A line belongs to the event before it when its shape says so (indented frames, "Caused by:", goroutine blocks, the exception at the end of a
 * Python traceback). Lines of different sources never mix. An event is let go when its source writes a line that starts another one, when it
 * has waited too long, or when it is too big. Order within a source is kept; nothing is lost.
 */

import { severityOfText } from './severity.ts'

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

export interface JoinedEvent<T> {
  readonly source: string
  readonly body: string
  /** What was pushed with each line, first to last. */
  readonly tags: readonly T[]
  readonly lines: number
  /** Class of the exception, the innermost cause's where there are several. */
  readonly exception?: string
}

interface Waiting<T> {
  lines: string[]
  tags: T[]
  count: number
  length: number
  mode: Mode
  timeUs: number
}

type Mode = 'plain' | 'trace' | 'python' | 'python-end' | 'go'

const FRAME =
  /^\s+(?:at |from |\.\.\. \d+ (?:more|common)|\S+\.\w{1,8}:\d+|File "|in [\w.<>]+|- locked|Suppressed: |Caused by: |\[CIRCULAR)|^(?:Caused by|Suppressed|Wrapped by): |^\s*--- (?:End of|\[)|^ ---> |^\s+\^|^\s*\.\.\. \d+ more/
const EXCEPTION_FIRST =
  /^(?:Exception in thread "|Unhandled exception|Uncaught |Traceback \(most recent call last\):|(?:[A-Za-z_$][\w$]{0,80}\.){1,12}[A-Z][\w$]{0,80}(?:Exception|Error)\b|[A-Z][\w$]{0,80}(?:Exception|Error)(?:: |$| \[)|panic: |fatal error: |goroutine \d+ \[)/
const PYTHON_CHAIN = /^(?:During handling of the above exception|The above exception was the direct cause)/
const GO_LINE =
  /^(?:goroutine \d+ \[|created by |\t|\[signal |exit status |[\w./*()-]{1,256}(?:\.|\/)[\w.*()[\]{}-]{1,256}\(.{0,1024}\)$|main\.|runtime\.|panic\()/
const CLASS = /(?:[A-Za-z_$][\w$]{0,80}\.){0,12}[A-Z][\w$]{0,80}(?:Exception|Error|Exit|Interrupt|Failure)\b/

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

  /** Takes the next line of a source; returns the events it completes. `starts`: the line has a header of its own, so it begins an event. */
  push(source: string, body: string, tag: T, timeUs = 0, starts = false): JoinedEvent<T>[] {
    const done: JoinedEvent<T>[] = []
    const held = this.#waiting.get(source)
    if (held !== undefined) {
      const next = starts && !FRAME.test(body) ? undefined : goesOn(held, body)
      const full = held.count >= this.#options.maxLines
      if (next !== undefined && !full) {
        held.mode = next
        held.tags.push(tag)
        held.count++
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
    this.#waiting.set(source, { lines: [body], tags: [tag], count: 1, length: body.length, mode: modeOf(body), timeUs })
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

function modeOf(line: string): Mode {
  if (line.includes('Traceback (most recent call last):')) return 'python'
  if (/^(?:panic: |fatal error: |goroutine \d+ \[)/.test(line)) return 'go'
  return EXCEPTION_FIRST.test(line) ? 'trace' : 'plain'
}

/** The mode after this line, or undefined when the line starts another event. */
function goesOn(held: Waiting<unknown>, line: string): Mode | undefined {
  const mode = held.mode
  if (mode === 'go') {
    if (line.trim() === '' || GO_LINE.test(line) || FRAME.test(line)) return 'go'
    return undefined
  }
  if (mode === 'python') {
    // frames are indented; the first line that is not names the exception
    if (/^\s/.test(line) || line === '') return 'python'
    if (line.includes('Traceback (most recent call last):')) return undefined
    return 'python-end'
  }
  if (mode === 'python-end') {
    if (line === '' || PYTHON_CHAIN.test(line)) return 'python-end'
    if (line.startsWith('Traceback (most recent call last):')) return 'python'
    return /^\s+\S/.test(line) ? 'python-end' : undefined
  }
  if (FRAME.test(line)) return 'trace'
  if (mode === 'plain' && !erroneous(held) && EXCEPTION_FIRST.test(line)) return undefined
  if (line.startsWith('Traceback (most recent call last):')) return 'python'
  if (mode === 'trace') return /^\s+\S/.test(line) ? 'trace' : undefined
  if (/^(?:panic: |goroutine \d+ \[)/.test(line)) return undefined
  // the line that names the exception belongs to the message before it
  if (EXCEPTION_FIRST.test(line) && !line.startsWith('Exception in thread')) return 'trace'
  return /^(?:\t| {2,})\S/.test(line) ? 'plain' : undefined
}

/** A trace follows a message that tells of something wrong; after any other it stands for itself. */
const erroneous = (held: Waiting<unknown>): boolean => severityOfText(held.lines[0] as string) !== 'INFO'

function finished<T>(source: string, held: Waiting<T>): JoinedEvent<T> {
  let last = held.lines.length
  while (last > 1 && (held.lines[last - 1] as string).trim() === '') last--
  const body = held.lines.slice(0, last).join('\n')
  const exception = held.mode === 'plain' && held.count === 1 ? undefined : exceptionOf(body)
  return { source, body, tags: held.tags, lines: held.count, ...(exception === undefined ? {} : { exception }) }
}

/** The class of the exception in a trace: of the last "Caused by", of the last line of a Python traceback, else the first named. */
export function exceptionOf(body: string): string | undefined {
  const lines = body.split('\n')
  const causes = lines.filter(line => /^\s*(?:Caused by|Wrapped by): /.test(line))
  if (causes.length > 0) return CLASS.exec(causes[causes.length - 1] as string)?.[0]
  if (body.includes('Traceback (most recent call last):')) {
    for (let i = lines.length - 1; i >= 0; i--) {
      const line = lines[i] as string
      if (/^\S/.test(line)) return CLASS.exec(line)?.[0] ?? /^[\w.]+(?=:|$)/.exec(line)?.[0]
    }
  }
  for (const line of lines) {
    const panic = /^panic: /.test(line)
    if (panic) return 'panic'
    const found = CLASS.exec(line)
    if (found !== null && !/^\s+at /.test(line)) return found[0]
  }
  return undefined
}
