import { AegisError } from '@aegis/domain'
import type { Sample } from './prometheus-series.ts'
import { readBody } from './read-body.ts'

export interface HistoryOptions {
  /** Of a Prometheus server, or of what answers its API: http://host:9090. */
  readonly url: string
  /** Series asked for, as PromQL selects them: {job="shop"}. */
  readonly selector: string
  /** First and last moment, milliseconds. */
  readonly from: number
  readonly to: number
  readonly stepMs: number
  /** Largest answer; stretches are cut shorter until it is kept. */
  readonly maxBytes: number
  readonly timeoutMs: number
}
type Values = readonly (readonly [seconds: number, value: string])[]
interface Answer {
  readonly status: string
  readonly error?: string
  readonly data?: { readonly resultType: string; readonly result: readonly { metric: Record<string, string>; values: Values }[] }
}
/** Moments asked for at once; a server answers with 11,000 at most. */
const MOST_STEPS = 600

/**
 * What a Prometheus server remembers of a selection, stretch by stretch and each in order of time, with the types it declares. Throws on an answer that is none,
 * with what the server said.
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
 */
export async function* readHistory(options: HistoryOptions): AsyncGenerator<Sample[]> {
  const { from, to, stepMs } = options
  const types = await declaredTypes(options)
  let steps = MOST_STEPS
  for (let at = from; at <= to; ) {
    const until = Math.min(to, at + (steps - 1) * stepMs)
    const answer = await ask(options, 'query_range', {
      query: options.selector,
      start: String(at / 1000),
      end: String(until / 1000),
      step: String(stepMs / 1000),
    })
    if (answer) {
      yield samplesOf(answer, types)
      at = until + stepMs
      continue
    }
    if (steps === 1)
      throw new AegisError(
        'CONFIG_INVALID',
        `AEGIS_HISTORY_SELECTOR: one moment of ${options.selector} is more than the ${options.maxBytes} bytes that AEGIS_MAX_BODY_BYTES allows; select fewer series`,
      )
    steps = Math.max(1, steps >> 2)
  }
}

/** Undefined where the answer is larger than allowed. */
async function ask(options: HistoryOptions, path: string, query: Record<string, string>): Promise<Answer | undefined> {
  const { url, maxBytes, timeoutMs } = options
  const response = await fetch(`${url.replace(/\/$/, '')}/api/v1/${path}?${new URLSearchParams(query)}`, {
    signal: AbortSignal.timeout(timeoutMs),
  })
  const body = await readBody(response, maxBytes)
  if (!body) return undefined
  let answer: Answer
  try {
    answer = JSON.parse(body.toString()) as Answer
  } catch {
    throw new AegisError(
      'INPUT_INVALID',
      `AEGIS_HISTORY_URL: ${url} answered ${path} with ${response.status} and no JSON; is it a Prometheus?`,
    )
  }
  if (answer.status !== 'success')
    throw new AegisError('INPUT_INVALID', `AEGIS_HISTORY_URL: ${url} refused ${path}: ${answer.error ?? response.status}`)
  return answer
}

/** Types by metric name; none where the server does not keep them. */
async function declaredTypes(options: HistoryOptions): Promise<ReadonlyMap<string, string>> {
  const answer = (await ask(options, 'metadata', {}).catch(() => undefined)) as unknown as
    | { data?: Record<string, readonly { type: string }[]> }
    | undefined
  return new Map(Object.entries(answer?.data ?? {}).flatMap(([name, [first]]) => (first ? [[name, first.type]] : [])))
}

function samplesOf({ data }: Answer, types: ReadonlyMap<string, string>): Sample[] {
  if (data?.resultType !== 'matrix')
    throw new AegisError('INPUT_INVALID', `a range query was answered with ${data?.resultType ?? 'nothing'}`)
  const samples: Sample[] = []
  for (const { metric, values } of data.result) {
    const { __name__: name = '', ...labels } = metric
    const type = types.get(name) ?? types.get(name.replace(/_(sum|count|bucket|total)$/, ''))
    for (const [seconds, value] of values)
      samples.push({ name, labels, value: Number(value), time: Math.round(seconds * 1e6), type })
  }
  return samples.sort((a, b) => a.time - b.time)
}
