/** One StatsD line taken apart; see https://github.com/statsd/statsd/blob/master/docs/metric_types.md and DogStatsD's datagram format. */

export const STATSD_TYPES = ['c', 'g', 'ms', 'h', 'd', 's', 'm'] as const
export type StatsdType = (typeof STATSD_TYPES)[number]
type Tags = Record<string, string>

export interface StatsdMetric {
  readonly kind: 'metric'
  readonly name: string
  readonly type: StatsdType
  /** Several where they are packed: `latency:1:2:3|h`. */
  readonly values: readonly string[]
  /** Share of what happened that was sent. */
  readonly rate: number
  readonly tags: Tags
  /** Of the values, seconds. */
  readonly seconds?: number
}
export interface StatsdEvent {
  readonly kind: 'event'
  readonly title: string
  readonly text: string
  readonly alert: 'error' | 'warning' | 'info' | 'success'
  readonly isLow: boolean
  /** Events with one key are of one thing. */
  readonly key?: string
  readonly tags: Tags
  readonly seconds?: number
}
export interface StatsdCheck {
  readonly kind: 'check'
  readonly name: string
  /** 0 well, 1 warning, 2 critical, 3 unknown. */
  readonly status: 0 | 1 | 2 | 3
  readonly message: string
  readonly tags: Tags
  readonly seconds?: number
}

/** `key:value` or `key`, separated by commas. */
const tagsOf = (text: string | undefined, separator = ':'): Tags => {
  const tags: Tags = {}
  for (const tag of text?.split(',') ?? []) {
    const at = tag.indexOf(separator)
    if (at > 0) tags[tag.slice(0, at).trim()] = tag.slice(at + 1)
    else if (at < 0 && tag.trim() !== '') tags[tag.trim()] = 'true'
  }
  return tags
}
/** Tags in the name, as others than Datadog write them: `a,k=v` (InfluxDB), `a;k=v` (Graphite), `a#k=v` (Librato), `a[k=v]` (SignalFx). */
const NAME_WITH_TAGS = /^([^,;#[\]]+)(?:[,;#](.*=.*)|\[(.*=.*)\](.*))$/
const parts = (sections: readonly string[]) => {
  const of = (mark: string) => sections.find(s => s.startsWith(mark))?.slice(mark.length)
  const host = of('h:')
  const container = of('c:')
  return {
    of,
    tags: {
      ...tagsOf(of('#')),
      ...(host ? { host } : {}),
      ...(container ? { instance: container.replace(/^(?:ci|in)-/, '') } : {}),
    },
  }
}
const secondsOf = (text: string | undefined): { seconds?: number } =>
  text !== undefined && /^\d+$/.test(text) ? { seconds: Number(text) } : {}
const unescaped = (text: string): string => text.replaceAll('\\n', '\n')

/** Undefined for what is none. */
export function readStatsdLine(line: string): StatsdMetric | StatsdEvent | StatsdCheck | undefined {
  if (line.startsWith('_e{')) return readEvent(line)
  if (line.startsWith('_sc|')) return readCheck(line)
  const colon = line.indexOf(':')
  const bar = line.indexOf('|', colon)
  if (colon <= 0 || bar < 0) return undefined
  const [type, ...sections] = line.slice(bar + 1).split('|')
  if (!STATSD_TYPES.includes(type as StatsdType)) return undefined
  const { of, tags } = parts(sections)
  const rate = Number(of('@') ?? 1)
  const given = line.slice(colon + 1, bar)
  const values = type === 's' ? [given] : given.split(':')
  if (!(rate > 0 && rate <= 1) || values.some(v => v === '' || (type !== 's' && !Number.isFinite(Number(v))))) return undefined
  const [, name, behind, bracketed, tail] = NAME_WITH_TAGS.exec(line.slice(0, colon)) ?? []
  const inName = tagsOf((behind ?? bracketed)?.replaceAll(';', ','), '=')
  return {
    kind: 'metric',
    name: name === undefined ? line.slice(0, colon) : `${name}${tail ?? ''}`,
    type: type as StatsdType,
    values,
    rate,
    tags: { ...inName, ...tags },
    ...secondsOf(of('T')),
  }
}

/** Title, text and what follows, where a bar stands where the lengths say. */
const cut = (rest: Buffer | string, title: number, text: number): [string, string, string] | undefined => {
  const at = (from: number, to?: number) => (typeof rest === 'string' ? rest.slice(from, to) : rest.subarray(from, to).toString())
  const end = title + 1 + text
  if (rest.length < end || at(title, title + 1) !== '|' || !['', '|'].includes(at(end, end + 1))) return undefined
  return [at(0, title), at(title + 1, end), at(end)]
}

function readEvent(line: string): StatsdEvent | undefined {
  const head = /^_e\{(\d+),(\d+)\}:/.exec(line)
  if (!head) return undefined
  const rest = line.slice(head[0].length)
  const lengths = [Number(head[1]), Number(head[2])] as const
  // Lengths are of the bytes; some clients count characters.
  const [title, text, behind] = cut(Buffer.from(rest), ...lengths) ?? cut(rest, ...lengths) ?? []
  if (!title || text === undefined || behind === undefined) return undefined
  const { of, tags } = parts(behind.split('|'))
  const alert = of('t:') ?? 'info'
  return {
    kind: 'event',
    title,
    text: unescaped(text),
    alert: alert === 'error' || alert === 'warning' || alert === 'success' ? alert : 'info',
    isLow: of('p:') === 'low',
    ...(of('k:') ? { key: of('k:') } : {}),
    tags,
    ...secondsOf(of('d:')),
  }
}

function readCheck(line: string): StatsdCheck | undefined {
  const found = /^_sc\|([^|]+)\|([0-3])(?:\||$)(.*)$/.exec(line)
  if (!found) return undefined
  // The message comes last, and may hold anything.
  const at = /(?:^|\|)m:/.exec(found[3])
  const { of, tags } = parts((at ? found[3].slice(0, at.index) : found[3]).split('|'))
  return {
    kind: 'check',
    name: found[1],
    status: Number(found[2]) as StatsdCheck['status'],
    message: at ? unescaped(found[3].slice(at.index + at[0].length)).replaceAll('m\\:', 'm:') : '',
    tags,
    ...secondsOf(of('d:')),
  }
}
