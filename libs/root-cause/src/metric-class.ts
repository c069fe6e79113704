/**
 * What a metric speaks of, by the words in its name (OpenTelemetry, Prometheus and common exporters share them). Symptoms are what users
 * feel; resources are what runs out; `work` is how much is asked.
 */
export type MetricClass =
  | 'absence'
  | 'error'
  | 'latency'
  | 'self_time'
  | 'memory'
  | 'cpu'
  | 'disk'
  | 'pool'
  | 'network'
  | 'restart'
  | 'work'
  | 'other'

const WORDS: readonly (readonly [MetricClass, RegExp])[] = [
  ['absence', /^(telemetry|up)$/],
  ['self_time', /self[._]?time/],
  ['pool', /pool|pending|connections?\b|waiting|queue|backlog|threads?\b|semaphore|slots?/],
  ['error', /error|fail|exception|5xx|status_code=5|fault|reject|abort|timeout/],
  ['memory', /mem(ory)?\b|heap|rss|gc\b|garbage|swap|oom/],
  ['disk', /disk|filesystem|volume|inode|iops?\b|storage|fs[._]/],
  ['cpu', /cpu|load\d*\b|event_?loop|throttl|utilization/],
  ['latency', /latency|duration|response[._]?time|elapsed|delay|p50|p9\d|seconds/],
  ['network', /network|packet|tcp|retrans|rx|tx|bytes_(in|out)/],
  ['restart', /restart|uptime|crash/],
  ['work', /rate|requests?|count|throughput|calls|qps|ops\b|lines/],
]

/** First class whose words occur; the order puts the telling words before the general ones. */
export const classOfMetric = (metric: string): MetricClass => {
  const name = metric.toLowerCase()
  for (const [kind, words] of WORDS) if (words.test(name)) return kind
  return 'other'
}
export const isSymptom = (kind: MetricClass): boolean => kind === 'error' || kind === 'latency' || kind === 'absence'
