/** Takes a build log apart into lines as people read them: without times, colours and prefixes that the CI system or a runner of several jobs put before them. */

/** Escapes of the terminal: CSI sequences (ECMA-48). Only these are taken out within a line, so what is left can be quoted word for word. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escapes of the terminal start with one
const ESCAPES = /\x1b\[[0-9;?]*[ -/]*[@-~]/g
/** What may stand before the text of a line, in this order: columns of `gh run view --log`, Buildkite's time, ISO times in many forms. */
const PREFIX =
  /^\ufeff?(?:[^\t]{1,200}\t[^\t]{1,200}\t(?=\ufeff?\d{4}-\d\d-\d\dT))?(?:[^ -~]?_bk;t=\d+[^ -~])?(?:\ufeff?\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\]?(?: \d\d[OE]\+?(?= ?))?[ \t]?)?/
/** The name of a job or service before each line: `api-1  | text`, `[unit] text` only where told by `prefixOf`. */
const NAMED = /^([\w.@/-]{1,40}\s{0,20}\| )/

export interface BuildLog {
  /** Lines as they came, split at "\n" only; a CR before it stays. */
  readonly raw: readonly string[]
  /** The same lines as read: each is a piece of its raw line, escapes apart. */
  readonly lines: readonly string[]
}

const readLine = (raw: string): string => {
  const bare = raw.includes('\x1b[') ? raw.replace(ESCAPES, '') : raw
  const prefix = PREFIX.exec(bare)?.[0].length ?? 0
  let text = bare.slice(prefix).trimEnd()
  const redrawn = text.lastIndexOf('\r')
  if (redrawn >= 0 && redrawn < text.length - 1) text = text.slice(redrawn + 1)
  return text
}

/** Reads a log. Several jobs in one stream (`name | text` before four in five lines) are read without their names. */
export const readBuildLog = (text: string): BuildLog => {
  const raw = text.split('\n')
  let lines = raw.map(readLine)
  const filled = lines.filter(l => l !== '')
  if (filled.length > 0 && filled.filter(l => NAMED.test(l)).length > 0.8 * filled.length)
    lines = lines.map(l => l.replace(NAMED, ''))
  return { raw, lines }
}

/** A quote of a line: its text as read, or the whole bare line where that is short. */
export const quoteOf = (log: BuildLog, line: number): string => {
  const text = (log.lines[line - 1] as string).trim()
  if (text.length >= 8) return text.slice(0, 400).trimEnd()
  return (log.raw[line - 1] as string).replace(ESCAPES, '').trim().slice(0, 400)
}

/** What a line says whatever numbers, times, hashes and folders it names: two runs of one job give the same. */
export const shapeOf = (line: string): string =>
  line
    .slice(0, 400)
    .replace(/\b0x[0-9a-f]+\b|\b[0-9a-f]{7,64}\b/gi, '#')
    .replace(/\d+(?:[.,:]\d+)*/g, '0')
    .replace(/\s+/g, ' ')
    .trim()
