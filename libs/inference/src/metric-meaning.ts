/** What a metric is about, read off its name. */
import { wordsOf } from '@aegis/domain'

const MOST = 20_000

export type Meaning =
  | 'cpu'
  | 'memory'
  | 'disk'
  | 'latency'
  | 'errors'
  | 'connections'
  | 'queue'
  | 'availability'
  | 'traffic'
  | 'other'
const MEANINGS: readonly (readonly [Meaning, RegExp])[] = [
  ['availability', /^(?:up|health|healthy|alive|probe_success|available|availability)$|_(?:up|healthy|alive|available)$/],
  ['errors', /error|fail(?:ure|ed)?|exception|5xx|4xx|dropped|rejected|timeouts?(?:_|$)/],
  ['latency', /latency|duration|response_?time|_ms$|_seconds$|p9[59]|query_?time|elapsed|lag/],
  ['connections', /connections?|pool|sessions?|file_?descriptors|open_?fds|threads/],
  ['queue', /queue|backlog|pending|waiting|depth/],
  ['disk', /disk|storage|filesystem|volume|inode/],
  ['memory', /mem(?:ory)?|heap|rss|ram|swap|gc_/],
  ['cpu', /cpu|load(?:_?avg|1$|5$)|processor/],
  ['traffic', /request|rps|qps|throughput|traffic/],
]
const meanings = new Map<string, Meaning>()
export const meaningOf = (name: string): Meaning => {
  const before = meanings.get(name)
  if (before) return before
  const plain = wordsOf(name).join('_')
  const found = MEANINGS.find(([, pattern]) => pattern.test(plain))?.[0] ?? 'other'
  if (meanings.size >= MOST) meanings.clear()
  meanings.set(name, found)
  return found
}
