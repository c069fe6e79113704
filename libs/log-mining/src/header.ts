/**
 * The header of a line of text: time, level, process, thread, logger and trace in whatever order a logger writes them, and the message behind.
 *
 * A word is a level only where levels stand: at the front, in brackets, or behind nothing but times, ids and names. What is no header stays.
 */
import type { LineHints, ParsedLine } from './parsed-line.ts'
import { leadingSeverity, type Severity, severityNamed } from './severity.ts'
import { type ReadTimestamp, readTimestamp } from './timestamps.ts'

/** "[ERROR]", "<error>", "ERROR:", "ERROR |", "info: Category", "WARN  two blanks" and "ERROR text": a level that is no part of the sentence. */
const LEVEL_HEADER =
  /(?:\[ *[A-Za-z]{3,11}\d? *\]|<[A-Za-z]{3,11}>|\([A-Z]{3,11}\) |[A-Z]{3,11}\d?(?::| *\[| +[-|] | {2})|(?:info|warn|fail|crit|dbug|trce|debug|trace|warning|notice): |(?:TRACE|DEBUG|INFO|WARN|ERROR|WARNING|SEVERE|NOTICE) )/y
const PID = /(?:\d{1,10}(?: +\d{1,10})?|0x[0-9a-f]{1,16}) +(?=[[A-Z])/y
const PID_BRACKET = /\d{1,8} +(?=\[)/y
/** "queries: info: text", "unbound[7:0] error: text". */
const NAMED_LEVEL = /([\w.-]{1,40})(?:\[[\d:]{1,16}\])?:? (debug|info|notice|warn(?:ing)?|error|crit(?:ical)?|fatal): +(?=\S)/y
const BRACKET = /\[([^[\]]{0,160})\]/y
const LOGGER =
  /([A-Za-z_$][\w$]*(?:(?:\.|::|\/|#|-)[\w$#]+)+|[A-Z][\w$]*)(?:\(\d+\)|\[\d+\]|:[\w<>$]+:\d+|:\d+)?(?: ?:|(?= --? )| \|)(?= |$)/y
const SPACES = /[\s|:,;\])>-]*/y
const PARENTHESES = /\(([\w .:/#-]{1,64})\) +/y
const TRACE = /(?:^|[^0-9a-f])([0-9a-f]{32}|[0-9a-f]{16})[-,/ :]+([0-9a-f]{16})(?:$|[^0-9a-f])/
/** A name of small words, and not that of a thread, a worker or a numbered node. */
const SERVICE = /^(?!.*(?:-\d+$|thread|exec|pool|worker|main|nio))[a-z][a-z0-9]*(?:-[a-z0-9]+)+$/
const CALLER =
  /([\w./@-]{1,160}\.(?:go|rs|py|jsx?|tsx?|mjs|java|kt|scala|cpp|cc|cxx|c|h|rb|php|cs|swift|lua|ex|erl|m):\d+(?::\d+)?)(?:\]|:| -)?[ \t]+(?=\S)/y
const CATEGORY = /^[\w.`+<>]+\[\d{1,10}\]$/
const METHOD_LINE = /^(?:[a-z_$][\w$]*\.)+[A-Z][\w$]*(?:\.|\s)[\w$<>]+$/
const AFTER_LEVEL_IN_BRACKET = /^[\s:,|-]*\[?([A-Za-z]{3,11})(?:[/\s\]]+(.*))?$/
const UUID = /([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})[\s:|-]+/y
const COLUMN = /([\w.:$#/@-]{1,80}) *\|\s*/y
const COLUMNS = /\|(?:[^|\s]{1,64}\|){1,6}/y
const TRACE_KEY = /\btrace[._-]?id["']?\s?[=:]\s?["']?([0-9a-f]{16,32})\b/i
const SPAN_KEY = /\bspan[._-]?id["']?\s?[=:]\s?["']?([0-9a-f]{16})\b/i

const stick = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at
  return pattern.exec(text)
}

export function plain(text: string, hints: LineHints): ParsedLine {
  const fields: Record<string, string> = {}
  let start = 0
  while (text.charCodeAt(start) === 32 || text.charCodeAt(start) === 9) start++
  let at = start
  let stamp: ReadTimestamp | undefined
  let severity: Severity | undefined
  let service: string | undefined
  let traceId: string | undefined
  let spanId: string | undefined
  let stated = false
  for (let turn = 0; turn < 10; turn++) {
    const c = text.charCodeAt(at)
    if (Number.isNaN(c)) break
    const opens = c === 91 || c === 60 || c === 40
    if (stamp === undefined && turn < 6) {
      const read = readTimestamp(text, opens ? at + 1 : at, hints)
      if (read !== undefined) {
        const close = text.charCodeAt(read.end)
        if (!opens) {
          stamp = read
          const columns = close === 124 ? stick(COLUMNS, text, read.end) : null
          if (columns !== null && severity === undefined) {
            const words = columns[0].slice(1, -1)
            const parts = words.split('|')
            const level = parts.findIndex(part => /^[A-Z]{3,11}$/.test(part) && leadingSeverity(part) !== undefined)
            if (level >= 0) severity = leadingSeverity(parts[level])?.severity
            fields.header = words
          }
          at = read.end + (columns?.[0].length ?? 0)
          at = skip(text, at)
          continue
        }
        if (close === 93 || close === 62 || close === 41) {
          stamp = read
          at = skip(text, read.end + 1)
          continue
        }
        const end = text.indexOf(']', read.end)
        const inner = end > 0 && end < read.end + 120 ? AFTER_LEVEL_IN_BRACKET.exec(text.slice(read.end, end)) : null
        const level = inner === null ? undefined : leadingSeverity(inner[1])
        if (level !== undefined && inner !== null) {
          stamp = read
          severity = level.severity
          if (inner[2] !== undefined) fields.logger = inner[2]
          at = skip(text, end + 1)
          continue
        }
        const numbered = end > 0 && end < read.end + 40 ? /^ #?\d+$/.exec(text.slice(read.end, end)) : null
        if (numbered === null) break
        stamp = read
        at = skip(text, end + 1)
        continue
      }
    }
    if (severity === undefined) {
      const level = leadingSeverity(text, at)
      if (level !== undefined) {
        const next = skip(text, level.end)
        // "Error: x" without anything before it is the text itself; in a log header it is the level.
        if (stamp === undefined && turn === 0) {
          if (c !== 32) severity = level.severity
          if (stick(LEVEL_HEADER, text, at) === null && !timeFollows(text, level.end, hints)) break
        }
        if (next >= text.length) break
        severity = level.severity
        stated = true
        at = text.charCodeAt(level.end) === 47 ? level.end : next
        continue
      }
    }
    if (stamp === undefined && severity === undefined && turn > 0) break
    if (severity === undefined && stamp !== undefined && c >= 97) {
      const m = stick(NAMED_LEVEL, text, at)
      if (m !== null) {
        fields.logger = m[1]
        severity = severityNamed(m[2])
        stated = true
        at += m[0].length
        continue
      }
    }
    if (c === 91) {
      const m = stick(BRACKET, text, at)
      if (m === null || at + m[0].length >= text.length) break
      const known = stamp !== undefined || severity !== undefined || SERVICE.test(m[1]) || m[1].includes(':')
      if (!known) break
      // a level, a trace, a service, or whoever wrote it
      const words = m[1]
      const trace =
        words.length > 32 ? TRACE.exec(words) : words.length === 32 && /^[0-9a-f]{32}$/.test(words) ? [words, words] : null
      const level = trace === null && severity === undefined ? levelOf(words) : undefined
      if (trace !== null) {
        traceId = trace[1]
        spanId = trace[2] ?? spanId
        const named = /^([a-z][\w-]*),/.exec(words)
        if (named !== null) service = named[1]
      } else if (level !== undefined) {
        severity = level
        stated = true
        if (!/^\w+ *$/.test(words)) fields.logger ??= words
      } else if (service === undefined && SERVICE.test(words)) service = words
      else if (stamp !== undefined && fields.thread === undefined) fields.thread = words
      else if (
        severity !== undefined &&
        (ONE_WORD.test(words) || (stamp === undefined && timeFollows(text, at + m[0].length, hints)))
      ) {
        if (fields.thread === undefined) fields.thread = words
        else if (fields.logger === undefined) fields.logger = words
        else break
      } else break
      at = skip(text, at + m[0].length)
      continue
    }
    if (stamp === undefined && severity === undefined) break
    if (fields.caller === undefined) {
      const m = stick(CALLER, text, at)
      if (m !== null) {
        fields.caller = m[1]
        at += m[0].length
        continue
      }
    }
    if (severity !== undefined) {
      const id = text.charCodeAt(at + 8) === 45 ? stick(UUID, text, at) : null
      const column = id === null && text.indexOf('|', at) > 0 ? stick(COLUMN, text, at) : null
      const next = id ?? column
      if (next !== null && at + next[0].length < text.length) {
        if (id !== null) fields.request = id[1]
        else if (fields.thread === undefined) fields.thread = next[1]
        else fields.logger ??= next[1]
        at += next[0].length
        continue
      }
    }
    if (c === 40 && severity !== undefined && fields.thread === undefined) {
      const m = stick(PARENTHESES, text, at)
      if (m === null) break
      fields.thread = m[1]
      at += m[0].length
      continue
    }
    if (c === 60) {
      const m = /^<[\d.]{1,24}> */.exec(text.slice(at, at + 32))
      if (m === null) break
      fields.pid = m[0].slice(1, m[0].indexOf('>'))
      at += m[0].length
      continue
    }
    if (c >= 48 && c <= 57) {
      const m = stick(severity === undefined ? PID : PID_BRACKET, text, at)
      if (m === null || (severity === undefined && leadingSeverity(text, at + m[0].length) === undefined)) break
      fields.pid = m[0].trim()
      at += m[0].length
      continue
    }
    if (severity !== undefined && fields.logger === undefined) {
      const m = stick(LOGGER, text, at)
      if (m === null || /(?:Error|Exception)$/.test(m[1])) break
      const after = skip(text, at + m[0].length)
      if (after >= text.length) break
      fields.logger = m[1]
      at = after
      continue
    }
    break
  }
  let timeUs = stamp === undefined || Number.isNaN(stamp.timeUs) ? undefined : stamp.timeUs
  if (severity === undefined && !(stamp === undefined && start > 1)) {
    const late = levelInHeader(text, at, timeUs, hints)
    if (late !== undefined) {
      severity = late.severity
      timeUs = late.timeUs
      fields.header = text.slice(at, late.from).trim()
      const trace = fields.header.length > 48 ? TRACE.exec(fields.header) : null
      if (trace !== null) [, traceId, spanId] = trace
      at = late.at
      stated = true
      const logger = stick(LOGGER, text, at) ?? stick(DOTTED, text, at)
      if (logger !== null && at + logger[0].length < text.length) {
        fields.logger = logger[1]
        at = skip(text, at + logger[0].length)
      }
    }
  }
  if (traceId === undefined && text.length > 24 && (text.includes('race') || text.includes('RACE'))) {
    traceId = TRACE_KEY.exec(text)?.[1]
    if (traceId !== undefined) spanId = SPAN_KEY.exec(text)?.[1]
  }
  const header = stamp !== undefined || stated || at > start
  const body = at > start || stated ? text.slice(at) : text
  // The header stands alone, and what it is about comes on the next line.
  const heading =
    header && (body === '' || (severity !== undefined ? CATEGORY.test(body) : stamp !== undefined && METHOD_LINE.test(body)))
  if (heading && body !== '') fields.logger = body
  return {
    body: heading ? '' : body,
    ...(timeUs === undefined ? {} : { timeUs, zoned: stamp?.zoned ?? false }),
    ...(severity === undefined ? {} : { severity }),
    ...(service === undefined ? {} : { service }),
    ...(traceId === undefined ? {} : { traceId }),
    ...(spanId === undefined ? {} : { spanId }),
    fields,
    format: 'plain',
    ...(header ? {} : { bare: true }),
    ...(heading ? { heading: true } : {}),
  }
}

const ONE_WORD = /^[A-Za-z][\w.:/@$#-]{0,80}$/
const timeFollows = (text: string, at: number, hints: LineHints): boolean =>
  readTimestamp(text, skip(text, at), hints) !== undefined

/** "ERROR", "proxy:error", "ERROR/MainProcess" as the words of a bracket. */
function levelOf(words: string): Severity | undefined {
  const colon = words.lastIndexOf(':')
  const slash = words.indexOf('/')
  const word = colon >= 0 ? words.slice(colon + 1) : slash > 0 ? words.slice(0, slash) : words
  const level = leadingSeverity(word)
  return level !== undefined && level.end === word.trimEnd().length ? level.severity : undefined
}

/** Past the marks between the parts of a header, as long as a text follows. */
function skip(text: string, at: number): number {
  SPACES.lastIndex = at
  SPACES.test(text)
  let end = SPACES.lastIndex
  // "-5 ms" and "->" are the text's own
  if (end > at && text.charCodeAt(end - 1) === 45 && end < text.length) end--
  while (end > at && text.charCodeAt(end) === 45 && text.charCodeAt(end + 1) === 32) end += 2
  while (text.charCodeAt(end) === 32) end++
  return end
}

const LEVEL_WORD =
  /(?:^|[\s[|/<(])(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|CRIT|FATAL|PANIC|LOG|STATEMENT|DETAIL|HINT|CONTEXT|FINE|FINER|FINEST)(?=[\s:\]|>)/])|\[(trace|debug|info|notice|warn|warning|error|critical|crit|fatal|panic)\]/
const DOTTED = /([A-Za-z_][\w$-]*(?:\.[\w$-]+)+) /y

/** A level further on in the line, with nothing but ids, names and times before it: that was the line's header. */
function levelInHeader(text: string, at: number, timeUs: number | undefined, hints: LineHints) {
  const part = text.length > at + 240 || at > 0 ? text.slice(at, at + 240) : text
  const m = LEVEL_WORD.exec(part)
  if (m === null) return undefined
  const header = part.slice(0, m.index)
  const words = header.split(' ')
  if (words.length > 12 || words.some((word, i) => isProse(words, word, i, at > 0))) return undefined
  const from = at + m.index
  const to = skip(text, from + m[0].length)
  if (to >= text.length) return undefined
  let time = timeUs
  for (let i = 0; time === undefined && i >= 0 && i < header.length; i = header.indexOf(' ', i) + 1 || -1) {
    const read = readTimestamp(part, part.charCodeAt(i) === 91 ? i + 1 : i, hints)
    if (read !== undefined && !Number.isNaN(read.timeUs)) time = read.timeUs
  }
  return { from, at: to, severity: severityNamed(m[1] ?? m[2]) as Severity, timeUs: time }
}

/** A word of a sentence, not of a header: small letters, and neither alone behind the time nor set off by a mark. */
function isProse(words: readonly string[], word: string, i: number, timed: boolean): boolean {
  if (/^\w{1,40}=[^\s"]*$/.test(word)) return false
  if (/["“”=?]/.test(word)) return true
  if (!/^[a-z]{2,}[,.:;]?$/.test(word)) return false
  if (timed && words.length === 1) return false
  return !MARK.test(words[i + 1] ?? '') || (i > 0 && !MARK.test(words[i - 1]))
}
const MARK = /^[-|:]$/
