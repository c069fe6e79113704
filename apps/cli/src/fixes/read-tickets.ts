/**
 * Tickets as trackers export them: CSV and JSON of Jira, GitHub (`gh issue list --json`), GitLab and ServiceNow, and JSON lines.
 *
 * No tracker is recognised; columns and keys are, by what they are called in any of these. What has no role of its own is text in which commands
 * may stand. Texts are put in the order in which they were written: description, comments by time, closing words.
 */
import { AegisError } from '@aegis/domain'
import { cellsOf } from '@aegis/recordings/csv'

export interface TicketText {
  /** Column or key it comes from. */
  readonly field: string
  /** Microseconds since the epoch, where it says when it was written. */
  readonly time?: number
  readonly text: string
}
export interface Ticket {
  readonly id: string
  /** Where it stands in the file: "line 7", "entry 3". */
  readonly place: string
  readonly title: string
  /** Microseconds since the epoch. */
  readonly opened?: number
  readonly ended?: number
  /** Undefined where neither state nor resolution says. */
  readonly resolved: boolean | undefined
  /** State and resolution as they were written. */
  readonly state: string
  /** Components, configuration items, labels: what it says it is about. */
  readonly about: readonly string[]
  readonly texts: readonly TicketText[]
}
export interface TicketFile {
  readonly tickets: readonly Ticket[]
  /** What could not be read, with its place. */
  readonly unread: readonly string[]
}

const ROLES: Readonly<Record<string, readonly string[]>> = {
  id: ['issuekey', 'key', 'number', 'iid', 'ticketid', 'ticket', 'id'],
  title: ['summary', 'title', 'shortdescription', 'subject', 'name'],
  opened: ['created', 'createdat', 'openedat', 'opened', 'syscreatedon', 'startedat'],
  ended: ['resolutiondate', 'resolvedat', 'resolved', 'closedat', 'closed', 'endedat'],
  state: ['state', 'status'],
  resolution: ['resolution', 'statereason', 'closecode', 'resolutioncode'],
  about: [
    'components',
    'component',
    'cmdbci',
    'configurationitem',
    'businessservice',
    'affectedservices',
    'service',
    'services',
    'labels',
  ],
}
/** People, addresses and numbers of the tracker: nothing that was done. */
const IGNORED =
  /^(?:url|self|htmlurl|weburl|author\w*|user\w*|assign\w*|reporter|creator|caller\w*|openedby|closedby|resolvedby|avatar\w*|watch\w*|icon\w*|sysid|nodeid|updated\w*|sys\w+(?:on|by))$/
const CLOSING = /clos|resol|rootcause|solution|fix/
const plainName = (name: string): string =>
  name
    .replace(/^custom field \((.*)\)$/i, '$1')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')

/**
 * @param utcOffset minutes that times without a zone are ahead of UTC
 * @throws AegisError INPUT_INVALID where nothing of it is a ticket
 */
export function readTickets(text: string, file: string, utcOffset = 0): TicketFile {
  const unread: string[] = []
  const tickets: Ticket[] = []
  for (const { place, fields, problem } of entriesOf(text.replace(/^\ufeff/, ''), file)) {
    const read = problem ?? (fields ? ticketOf(fields, place, utcOffset) : 'no fields')
    if (typeof read === 'string') unread.push(`${place}: ${read}`)
    else tickets.push(read)
  }
  if (tickets.length === 0)
    throw new AegisError(
      'INPUT_INVALID',
      `${file} holds no ticket that could be read${unread.length > 0 ? ` (${unread[0]})` : ''}; wanted are CSV with a header, JSON, or JSON lines with at least a summary or a number`,
    )
  return { tickets, unread }
}

type Fields = readonly (readonly [name: string, value: unknown])[]
interface Entry {
  readonly place: string
  readonly fields?: Fields
  readonly problem?: string
}

function* entriesOf(text: string, file: string): Generator<Entry> {
  const start = text.trimStart()[0]
  if (start !== '{' && start !== '[') return yield* csvEntries(text, file)
  let whole: unknown
  try {
    whole = JSON.parse(text)
  } catch (error) {
    // One document per line, unless it is plainly one document that is broken.
    const lines = text.split('\n')
    if (start === '[' || !lines.some(parses)) throw new AegisError('INPUT_INVALID', `${file}: ${(error as Error).message}`)
    for (const [i, line] of lines.entries()) {
      if (line.trim() === '') continue
      const place = `line ${i + 1}`
      yield parses(line) ? { place, fields: fieldsOf(JSON.parse(line)) } : { place, problem: 'is no JSON' }
    }
    return
  }
  const list = Array.isArray(whole)
    ? whole
    : (['issues', 'records', 'result', 'items', 'values', 'data', 'tickets']
        .map(key => (whole as Record<string, unknown>)[key])
        .find(Array.isArray) ?? [whole])
  for (const [i, value] of list.entries()) yield { place: `entry ${i + 1}`, fields: fieldsOf(value) }
}
const parses = (line: string): boolean => {
  try {
    return typeof JSON.parse(line) === 'object'
  } catch {
    return false
  }
}
/** Jira keeps most of an issue one level down. */
const fieldsOf = (value: unknown): Fields | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { fields, ...rest } = value as Record<string, unknown>
  return [...Object.entries(rest), ...(typeof fields === 'object' && fields ? Object.entries(fields) : [])]
}

function* csvEntries(text: string, file: string): Generator<Entry> {
  const lines = text.split(/\r?\n/)
  const heading = lines[0] ?? ''
  const delimiter = [',', ';', '\t'].reduce((a, b) => (heading.split(b).length > heading.split(a).length ? b : a))
  const header = cellsOf(heading, delimiter)
  if (!header.some(name => [...ROLES.title, ...ROLES.id].includes(plainName(name))))
    throw new AegisError(
      'INPUT_INVALID',
      `${file}: the first line is no header of a ticket export: it needs a column such as Summary, Title or Number, and has ${header.slice(0, 6).join(', ')}`,
    )
  for (let i = 1; i < lines.length; i++) {
    if (lines[i] === '') continue
    const place = `line ${i + 1}`
    const parts = [lines[i]]
    let open = quotes(lines[i])
    while (open % 2 === 1 && i + 1 < lines.length) {
      parts.push(lines[++i])
      open += quotes(lines[i])
    }
    if (open % 2 === 1) {
      yield { place, problem: 'a quote is opened here and never closed; nothing after it was read' }
      return
    }
    const cells = cellsOf(parts.join('\n'), delimiter)
    yield cells.length > header.length
      ? { place, problem: `${cells.length} cells where the header has ${header.length}` }
      : { place, fields: header.map((name, n) => [name, cells[n] ?? ''] as const) }
  }
}
const quotes = (line: string): number => line.split('"').length - 1

function ticketOf(fields: Fields, place: string, utcOffset: number): Ticket | string {
  const named = fields.map(([name, value]) => [plainName(name), value] as const).filter(([name]) => name !== '')
  const role = (name: string): string[] => {
    for (const wanted of ROLES[name]) {
      const values = named.filter(([n]) => n === wanted).flatMap(([, value]) => wordsOf(value))
      if (values.length > 0) return values
    }
    return []
  }
  const when = (name: string): number | undefined | string => {
    // "closed" is a time in one tracker and yes or no in another.
    const [text] = role(name).filter(t => !/^(?:true|false)$/.test(t))
    return text === undefined
      ? undefined
      : (timeOf(text, utcOffset) ?? `the time "${text}" can be read in no way or in two; export ISO 8601`)
  }
  const [opened, ended] = [when('opened'), when('ended')]
  if (typeof opened === 'string') return opened
  if (typeof ended === 'string') return ended
  const [id, title] = [role('id')[0], role('title').join(' ')]
  if (!id && !title) return 'has neither a number nor a summary'
  const state = [...role('state').slice(0, 1), ...role('resolution').slice(0, 1)]
  const roles = new Set(Object.values(ROLES).flat())
  const texts = named
    .filter(([name]) => !IGNORED.test(name) && (!roles.has(name) || name === 'resolution'))
    .flatMap(([field, value]) => textsOf(field, value, utcOffset))
    .filter(t => t.text.trim() !== '')
  const order = (t: TicketText) => (CLOSING.test(t.field) ? Number.POSITIVE_INFINITY : (t.time ?? Number.NEGATIVE_INFINITY))
  return {
    id: id ?? place,
    place,
    title,
    ...(opened !== undefined && { opened }),
    ...(ended !== undefined && { ended }),
    resolved: isResolved(state, ended !== undefined),
    state: state.join(', ') || 'state not told',
    about: ROLES.about.flatMap(name => named.filter(([n]) => n === name).flatMap(([, value]) => wordsOf(value))),
    // Equal ones, infinities among them, stay as they came.
    texts: texts
      .map((t, i) => ({ t, i }))
      .sort((a, b) => (order(a.t) === order(b.t) ? a.i - b.i : order(a.t) < order(b.t) ? -1 : 1))
      .map(({ t }) => t),
  }
}

const UNRESOLVED =
  /won.?t|not[ _]planned|cancel|duplicate|cannot reproduce|can.?t reproduce|\bnot (?:solved|resolved|fixed|done)|unresolved|abandon|declin|incomplete|invalid|not a bug|works as/i
const RESOLVED = /^(?:resolved|closed|done|fixed|complete|completed|solved.*|6|7)$|\bresolved|\bsolved|\bfixed/i
function isResolved(state: readonly string[], ended: boolean): boolean | undefined {
  if (state.some(s => UNRESOLVED.test(s))) return false
  if (state.some(s => RESOLVED.test(s))) return true
  return state.length === 0 && ended ? true : state.length > 0 ? false : undefined
}

/** Short words of a value: text, {name}, {display_value}, lists of these. */
function wordsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(wordsOf)
  if (typeof value === 'string') return value.trim() === '' ? [] : [value.trim()]
  if (typeof value === 'number' || typeof value === 'boolean') return [String(value)]
  if (typeof value !== 'object' || value === null) return []
  const named = value as Record<string, unknown>
  return wordsOf(named.display_value ?? named.name ?? named.value ?? named.title ?? [])
}

/** Longer texts of a value with their times: comments, journals, documents of Atlassian. */
function textsOf(field: string, value: unknown, utcOffset: number): TicketText[] {
  if (typeof value === 'string') return journalOf(field, value, utcOffset)
  if (Array.isArray(value)) return value.flatMap(v => textsOf(field, v, utcOffset))
  if (typeof value !== 'object' || value === null) return []
  const node = value as Record<string, unknown>
  if (node.type === 'doc' && Array.isArray(node.content)) return [{ field, text: documentText(node) }]
  const written = ['createdAt', 'created_at', 'created'].map(key => node[key]).find(v => typeof v === 'string') as
    | string
    | undefined
  const time = written === undefined ? undefined : timeOf(written, utcOffset)
  return Object.entries(node)
    .filter(([key]) => !IGNORED.test(plainName(key)) && !/^creat/i.test(key))
    .flatMap(([, v]) => textsOf(field, v, utcOffset))
    .map(t => (t.time === undefined && time !== undefined ? { ...t, time } : t))
}

/** A cell with one comment of Jira ("12/Mar/26 2:05 PM;author;text"), a journal of ServiceNow (newest first), or plain text. */
function journalOf(field: string, text: string, utcOffset: number): TicketText[] {
  const jira = /^([^;\n]{8,30});([^;\n]*);([\s\S]*)$/.exec(text)
  const time = jira ? timeOf(jira[1], utcOffset) : undefined
  if (jira && time !== undefined) return [{ field, time, text: jira[3] }]
  const heads = [...text.matchAll(/^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) - [^\n]*\([^\n)]*\)\s*$/gm)]
  if (heads.length === 0) return [{ field, text }]
  return heads.map((head, i) => ({
    field,
    time: timeOf(head[1], utcOffset),
    text: text.slice(head.index + head[0].length, heads[i + 1]?.index),
  }))
}

interface Node {
  readonly type?: string
  readonly text?: string
  readonly marks?: readonly { readonly type?: string }[]
  readonly content?: readonly Node[]
}
/** A document of Atlassian as text, code set apart as Markdown does. */
function documentText(node: Node): string {
  if (node.type === 'text') return node.marks?.some(m => m.type === 'code') ? `\`${node.text}\`` : (node.text ?? '')
  if (node.type === 'hardBreak') return '\n'
  const inner = (node.content ?? []).map(documentText).join('')
  if (node.type === 'codeBlock') return `\n\`\`\`\n${inner}\n\`\`\`\n`
  return /^(?:paragraph|heading|listItem|tableRow|blockquote|panel)$/.test(node.type ?? '') ? `${inner}\n` : inner
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
/** Microseconds since the epoch; undefined for what cannot be read, or in two ways. */
export function timeOf(text: string, utcOffset = 0): number | undefined {
  const tidy = text.trim()
  if (/^\d{10}$|^\d{13}$/.test(tidy)) return Number(tidy) * (tidy.length === 10 ? 1e6 : 1e3)
  const iso = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s*(Z|UTC|[+-]\d\d:?\d\d)?)?$/i.exec(tidy)
  // "12/Mar/26 2:05 PM", "12 Mar 2026 14:05"
  const named = /^(\d{1,2})[/ -]([A-Za-z]{3})[A-Za-z]*[/ -](\d{2,4})(?:,?\s+(\d{1,2}):(\d\d)(?::(\d\d))?\s*([AP]M)?)?$/i.exec(
    tidy,
  )
  let ms = Number.NaN
  let zoned = false
  if (iso) {
    const zone = iso[3]?.toUpperCase()
    zoned = zone !== undefined
    ms = Date.parse(
      `${iso[1]}T${iso[2] ?? '00:00'}${!zone || zone === 'UTC' ? 'Z' : zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')}`,
    )
  } else if (named) {
    const month = MONTHS.indexOf(named[2].toLowerCase())
    const hour = (Number(named[4] ?? 0) % (named[7] ? 12 : 24)) + (/pm/i.test(named[7] ?? '') ? 12 : 0)
    const year = Number(named[3]) + (named[3].length === 2 ? 2000 : 0)
    if (month >= 0) ms = Date.UTC(year, month, Number(named[1]), hour, Number(named[5] ?? 0), Number(named[6] ?? 0))
  }
  return Number.isNaN(ms) ? undefined : (ms - (zoned ? 0 : utcOffset * 60_000)) * 1000
}

/** Minutes ahead of UTC of "+02:00" or "UTC"; 0 where nothing was said. */
export function offsetOf(zone: string | undefined): number {
  if (zone === undefined || /^(?:UTC|Z)$/i.test(zone)) return 0
  const found = /^([+-])(\d\d):?(\d\d)$/.exec(zone)
  if (!found) throw new AegisError('INPUT_INVALID', `--zone is an offset from UTC such as +02:00, not "${zone}"`)
  return (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3]))
}
