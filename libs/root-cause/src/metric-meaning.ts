/**
 * What a metric says about the entity it stands on, from the words of its name alone (OpenTelemetry, Prometheus and common exporters share
 * them): what it measures, which way is bad, whether time was measured at the server or by its clients, and whether the number is the
 * machine's and not the entity's own.
 */
import { type MetricKnowledge, metricKnowledge } from '@aegis/domain'

export type Meaning =
  | 'cpu'
  | 'memory'
  | 'disk'
  | 'network'
  | 'pool'
  | 'restart'
  | 'latency'
  | 'outbound_latency'
  | 'error'
  | 'success'
  | 'traffic'
  | 'host'
  | 'other'
export const meanings: readonly Meaning[] = [
  'cpu',
  'memory',
  'disk',
  'network',
  'pool',
  'restart',
  'latency',
  'outbound_latency',
  'error',
  'success',
  'traffic',
  'host',
  'other',
]

const WORDS: Readonly<Record<string, Meaning>> = {}
const say = (meaning: Meaning, words: string) => {
  for (const w of words.split(' ')) (WORDS as Record<string, Meaning>)[w] = meaning
}
say('cpu', 'cpu cpus processor millicores cores throttled throttling throttle eventloop')
say('memory', 'mem memory heap rss gc swap oom workingset wss garbage')
say('disk', 'disk fs filesystem volume inode inodes iops io read write reads writes storage blkio')
say(
  'network',
  'net network rx tx packet packets tcp retrans retransmits receive received transmit transmitted socket sockets bandwidth',
)
say('pool', 'pool pending waiting queue backlog thread threads semaphore slots connections connection lag inflight')
say('restart', 'restart restarts uptime crash crashes crashloop oomkilled')
say('latency', 'latency lat duration elapsed delay response rt p50 p75 p90 p95 p99 p999 latencies')
say(
  'error',
  'error errors err fail failed failure failures exception exceptions fault faults 5xx 4xx reject rejected abort aborted timeout timeouts drop dropped unavailable',
)
say('success', 'success availability available up ok healthy ready success_rate')
say('traffic', 'workload load lod requests request rate count calls qps rps ops throughput invocations traffic hits tps')
/** Telling words first: "error rate" is about errors, "read latency" about time. */
const ORDER: readonly Meaning[] = [
  'success',
  'error',
  'restart',
  'latency',
  'pool',
  'cpu',
  'memory',
  'disk',
  'network',
  'traffic',
]
const HOST = new Set(['node', 'host', 'machine', 'instance', 'vm'])
const OUTBOUND = new Set(['client', 'outbound', 'egress', 'src', 'source', 'upstream'])

export interface MetricMeaning {
  readonly meaning: Meaning
  /** +1: more is bad; -1: less is bad; 0: either may be. */
  readonly bad: -1 | 0 | 1
}
const cache = new Map<string, MetricMeaning>()

/** What the role of a known metric says here; undefined where its words must. */
const ofKnowledge = ({ role, of }: MetricKnowledge): MetricMeaning | undefined => {
  if (role === 'saturation') return { meaning: of ?? 'pool', bad: 1 }
  // Work waits at one for another: slowness, and no resource of its own that ran out.
  if (role === 'queue' || role === 'latency') return { meaning: 'latency', bad: 1 }
  if (role === 'errors') return { meaning: 'error', bad: 1 }
  if (role === 'availability') return { meaning: 'success', bad: -1 }
  return role === 'traffic' ? { meaning: 'traffic', bad: 0 } : undefined
}

export const meaningOf = (metric: string): MetricMeaning => {
  const known = cache.get(metric)
  if (known) return known
  const told = metricKnowledge(metric)
  const role = told && ofKnowledge(told)
  if (role) {
    if (cache.size > 100_000) cache.clear()
    cache.set(metric, role)
    return role
  }
  // Dimensions stand in braces behind the name; of them only a status that says "failed" changes what is measured.
  const [name, dimensions = ''] = metric.split('{')
  const words = name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  const found = new Set<Meaning>()
  for (const w of words) if (Object.hasOwn(WORDS, w)) found.add(WORDS[w])
  let meaning = ORDER.find(m => found.has(m)) ?? 'other'
  if (meaning !== 'error' && meaning !== 'success' && words.some(w => HOST.has(w))) meaning = 'host'
  // How long the event loop is held up says how busy the processor is, not how long a request took.
  if (words.includes('eventloop')) meaning = 'cpu'
  // How often a time was measured is how much was asked for.
  if (meaning === 'latency' && words.at(-1) === 'count') meaning = 'traffic'
  if (/(status|code)[^,=]*=5\d\d/.test(dimensions)) meaning = 'error'
  if (meaning === 'latency' && words.some(w => OUTBOUND.has(w))) meaning = 'outbound_latency'
  const bad = meaning === 'success' ? -1 : meaning === 'traffic' || meaning === 'other' || meaning === 'network' ? 0 : 1
  const result: MetricMeaning = { meaning, bad }
  if (cache.size > 100_000) cache.clear()
  cache.set(metric, result)
  return result
}

/** The detector's word for an entity that no longer reports, and Prometheus' for a target that no longer answers. */
export const isSilence = (metric: string): boolean => metric === 'telemetry' || metricKnowledge(metric)?.role === 'availability'
/** Time an entity itself took, without what it waited for. */
export const isSelfTime = (metric: string): boolean => /self[._]?time/i.test(metric)
/** Time that calls spend between caller and callee, as seen by the callee or, going out, by the caller. */
export const isWireTime = (metric: string): boolean => /wire[._]?time/i.test(metric)
/** What people notice: errors, slowness, silence. */
export const isSymptom = (metric: string): boolean =>
  isSilence(metric) ||
  (!isSelfTime(metric) && ['error', 'success', 'latency', 'outbound_latency'].includes(meaningOf(metric).meaning))
