/** What a line is read to, and what is known of it beforehand. */
import type { Severity } from './severity.ts'
import type { TimestampHints } from './timestamps.ts'

export interface LineHints extends TimestampHints {
  /** Longest line kept, in characters. Default 65,536. */
  readonly maxLength?: number
  /** Formats of the user's own, tried before all others. */
  readonly formats?: readonly Format[]
  /** Parts of the same line that the container runtime wrote before. */
  readonly before?: string
}

export interface ParsedLine {
  readonly body: string
  readonly timeUs?: number
  /** The time is written with its zone. */
  readonly zoned?: boolean
  readonly severity?: Severity
  readonly service?: string
  readonly host?: string
  readonly traceId?: string
  readonly spanId?: string
  /** Class of the exception that a field names. */
  readonly exception?: string
  readonly fields: Readonly<Record<string, string>>
  /** The formats recognised, outermost first: "cri json". */
  readonly format: string
  /** Part of a line that the container runtime split: more follows. */
  readonly partial?: boolean
  /** Which of the writers whose lines come together wrote it: stream, container, pod, process. */
  readonly writer?: string
  /** A text without any header of its own, which may belong to the one before. */
  readonly bare?: boolean
  /** A header alone: its message is on the next line. */
  readonly heading?: boolean
  /** Has a header of its own and explains the event before it all the same. */
  readonly note?: boolean
  /** Every line of this wrapper is an event, whatever it wraps. */
  readonly opens?: boolean
}

export type FormatParser = (text: string, hints: LineHints) => ParsedLine | undefined

/** A line, and the part of its reading that must come out; a time as ISO 8601. */
export type Example = readonly [line: string, right: Partial<Omit<ParsedLine, 'timeUs'>> & { readonly time?: string }]

/** A format of log lines: how it is told and read, and lines with what is right for them, which one test holds all formats against. */
export interface Format {
  readonly name: string
  /** Characters that its lines begin with; any, when left out. */
  readonly first?: string
  /** What it carries is a line of a format of its own. */
  readonly wraps?: boolean
  /** Takes a clean line, and returns nothing when the line is not of its kind. */
  readonly parse: FormatParser
  readonly examples: readonly Example[]
}
