/** Lines that a Loki keeps, followed by asking again and again for what is new: the same as its own tail, and a connection that breaks loses nothing. */
import { idOf, type LogLine } from '@aegis/domain'
import { severityNamed } from '@aegis/log-mining'
import { whose, whoseSample } from '../whose.ts'
import { readBody } from './read-body.ts'

export interface LokiOptions {
  /** `http://host:port`, without `/loki`. */
  readonly url: string
  /** LogQL selector, with a filter if wanted. */
  readonly query: string
  /** Bearer token; undefined: none. */
  readonly token?: string
  /** `X-Scope-OrgID` of a Loki with several tenants. */
  readonly tenant?: string
  readonly environment: string
  readonly redact: (text: string) => string
  readonly maxBytes: number
}
const PAGE = 5000
const TIMEOUT_MS = 20_000
const LEVELS = ['level', 'detected_level', 'severity', 'lvl'] as const
/** What is to be asked for next: nanoseconds since 1970, and what was seen of that very moment. */
export interface LokiPlace {
  readonly from: bigint
  readonly seen: ReadonlySet<string>
}
interface Answer {
  readonly status?: string
  readonly data?: {
    readonly resultType?: string
    readonly result?: readonly {
      readonly stream?: Readonly<Record<string, string>>
      readonly values?: readonly (readonly [string, string, Readonly<Record<string, string>>?])[]
    }[]
  }
}

/** One entry as a log line; its id is that of the entry, so that asking twice is having it once. */
const lineOf = (
  labels: Readonly<Record<string, string>>,
  ns: bigint,
  text: string,
  { environment, redact, url }: LokiOptions,
): LogLine => {
  const body = redact(text.replace(/[\r\n]+$/, ''))
  const sample = whoseSample('', labels)
  const level = LEVELS.map(name => labels[name]).find(Boolean)
  return {
    id: idOf(environment, String(ns), JSON.stringify(labels), body),
    environment: labels.deployment_environment ?? labels.deployment_environment_name ?? environment,
    time: Number(ns / 1000n),
    entity: whose(labels) ?? (sample === 'service:unknown' ? null : sample),
    body,
    severity: level === undefined ? null : (severityNamed(level) ?? null),
    attributes: labels,
    trace_id: labels.trace_id ?? labels.traceID ?? null,
    span_id: labels.span_id ?? null,
    observed_time: Number(ns / 1000n),
    source: url,
  }
}

/**
 * A page of what is new, oldest first.
 * @throws what Loki says is wrong, or that it does not answer
 * @see https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-logs-within-a-range-of-time
 */
export const readLoki = async (
  options: LokiOptions,
  place: LokiPlace,
  untilNs: bigint,
): Promise<{ readonly lines: readonly LogLine[]; readonly place: LokiPlace; readonly more: boolean }> => {
  const parameters = new URLSearchParams({
    query: options.query,
    start: String(place.from),
    end: String(untilNs),
    limit: String(PAGE),
    direction: 'forward',
  })
  const response = await fetch(`${options.url.replace(/\/$/, '')}/loki/api/v1/query_range?${parameters}`, {
    headers: {
      ...(options.token && { authorization: `Bearer ${options.token}` }),
      ...(options.tenant && { 'x-scope-orgid': options.tenant }),
    },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const body = await readBody(response, options.maxBytes)
  if (!body)
    throw new Error(
      `${PAGE} lines of ${options.query} are more than the ${options.maxBytes} bytes that AEGIS_MAX_BODY_BYTES allows`,
    )
  const text = body.toString()
  if (!response.ok) throw new Error(`Loki answered ${response.status}: ${text.slice(0, 300)}`)
  const { data } = JSON.parse(text) as Answer
  if (data?.resultType !== 'streams')
    throw new Error(`the query gives ${data?.resultType ?? 'nothing'} and no lines: AEGIS_LOKI_QUERY must select streams`)
  const entries = (data.result ?? [])
    .flatMap(({ stream = {}, values = [] }) =>
      values.map(([ns, line, metadata]) => ({
        ns: BigInt(ns),
        line: lineOf({ ...stream, ...metadata }, BigInt(ns), line, options),
      })),
    )
    .sort((a, b) => (a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0))
  const fresh = entries.filter(({ ns, line }) => ns > place.from || !place.seen.has(line.id))
  const last = entries.at(-1)?.ns
  if (last === undefined) return { lines: [], place: { from: place.from, seen: place.seen }, more: false }
  // A whole page of one moment that was all seen: nothing more of that moment can be asked for.
  if (entries.length >= PAGE && fresh.length === 0) return { lines: [], place: { from: last + 1n, seen: new Set() }, more: true }
  const seen = new Set(entries.filter(e => e.ns === last).map(e => e.line.id))
  if (last === place.from) for (const id of place.seen) seen.add(id)
  return { lines: fresh.map(f => f.line), place: { from: last, seen }, more: entries.length >= PAGE && fresh.length > 0 }
}

/** Follows a Loki from now on until it is closed. What cannot be read is told once, and asked for again. */
export const followLoki = (
  options: LokiOptions & { readonly intervalMs: number },
  now: () => number,
  onLines: (lines: readonly LogLine[]) => Promise<void>,
  onTrouble: (error: Error | undefined) => void,
): { close(): void } => {
  let place: LokiPlace = { from: BigInt(Math.round(now() - 2 * options.intervalMs * 1000)) * 1000n, seen: new Set() }
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let troubled = false
  const look = async () => {
    try {
      for (let more = true; more && !closed; ) {
        const page = await readLoki(options, place, BigInt(Math.round(now())) * 1000n)
        if (page.lines.length > 0) await onLines(page.lines)
        place = page.place
        more = page.more
      }
      if (troubled) onTrouble(undefined)
      troubled = false
    } catch (error) {
      if (!troubled) onTrouble(error as Error)
      troubled = true
    }
    if (!closed) timer = setTimeout(() => void look(), options.intervalMs)
  }
  void look()
  return {
    close: () => {
      closed = true
      clearTimeout(timer)
    },
  }
}
