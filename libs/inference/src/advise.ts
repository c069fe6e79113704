/** What would make a system faster or steadier: rules over numbers and what an incident found, each with its evidence and what to expect of it. */
import { unitOf } from '@aegis/domain'
import { type Meaning, meaningOf } from './metric-meaning.ts'
import { round } from './severity-of-score.ts'

export interface AdviceInput {
  readonly metrics: readonly {
    readonly metric_type: string
    readonly value: number
    readonly labels?: Readonly<Record<string, string>>
  }[]
  /** What an incident found, or what somebody knows, in words. */
  readonly evidence: readonly string[]
}
export interface Suggestion {
  readonly category: 'database' | 'api' | 'infrastructure'
  readonly kind: 'index' | 'query' | 'pooling' | 'caching' | 'async' | 'batching' | 'scaling' | 'balancing' | 'caching_layer'
  readonly suggestion: string
  readonly evidence: readonly string[]
  readonly expected_effect: string
  /** 0 to 1; suggestions come the highest first. */
  readonly priority: number
}
interface Rule {
  readonly category: Suggestion['category']
  readonly kind: Suggestion['kind']
  readonly suggestion: string
  readonly effect: string
  /** Numbers that speak for it: meaning, words of the name, and above which value. */
  readonly above?: readonly { readonly of: Meaning; readonly name?: RegExp; readonly than: number; readonly weight: number }[]
  /** Words that speak for it. */
  readonly words?: RegExp
  readonly weight?: number
}

const CPU = 80
const MEMORY = 85
const QUERY_MS = 1000
const RULES: readonly Rule[] = [
  {
    category: 'database',
    kind: 'index',
    suggestion: 'Find the slowest queries (EXPLAIN) and put indexes on the columns they filter and join by.',
    effect: 'A scan of a whole table becomes a look-up; queries that are slow by a scan usually take a tenth of the time.',
    above: [{ of: 'latency', name: /quer|db|database|sql|statement/i, than: QUERY_MS, weight: 0.8 }],
    words: /slow quer|full (?:table )?scan|seq(?:uential)? scan|missing index|without index|no index/i,
    weight: 0.6,
  },
  {
    category: 'database',
    kind: 'query',
    suggestion: 'Ask for fewer rows and columns, page long lists, and replace queries in a loop by one.',
    effect: 'Time and memory of the database fall with the rows it has to touch.',
    above: [{ of: 'latency', name: /quer|db|database|sql|statement/i, than: QUERY_MS, weight: 0.65 }],
    words: /n\+1|slow quer|select \*|deadlock|lock wait|temp(?:orary)? (?:table|file)s?/i,
    weight: 0.5,
  },
  {
    category: 'database',
    kind: 'pooling',
    suggestion: 'Pool connections, size the pool by what the database can serve, and give waiting a limit.',
    effect: 'Requests no longer wait for a connection, and the database is no longer flooded with them.',
    above: [
      { of: 'connections', name: /usage|util|percent/i, than: 80, weight: 0.6 },
      { of: 'queue', name: /pool|conn/i, than: 0, weight: 0.5 },
    ],
    words:
      /too many (?:connections|clients)|pool (?:is )?exhausted|connection pool|remaining connection slots|acquir\w+ (?:a )?connection/i,
    weight: 0.75,
  },
  {
    category: 'api',
    kind: 'caching',
    suggestion: 'Cache answers that many ask for and that seldom change, for seconds or minutes.',
    effect: 'The share of requests that hits the cache costs next to nothing; load behind it falls by that share.',
    above: [
      { of: 'latency', than: QUERY_MS, weight: 0.4 },
      { of: 'cpu', than: CPU, weight: 0.35 },
    ],
    words: /cache miss|hit rate|same (?:query|request)|hot key|repeated/i,
    weight: 0.5,
  },
  {
    category: 'api',
    kind: 'async',
    suggestion: 'Take slow work out of the request: answer at once and do it from a queue.',
    effect: 'The time to answer no longer includes the slow work; bursts are evened out by the queue.',
    above: [
      { of: 'latency', name: /^(?!.*(?:quer|sql)).*$/i, than: QUERY_MS, weight: 0.55 },
      { of: 'queue', than: 100, weight: 0.3 },
    ],
    words: /timed? ?out|deadline exceeded|event loop|blocking call|took too long/i,
    weight: 0.4,
  },
  {
    category: 'api',
    kind: 'batching',
    suggestion: 'Join many small calls into few large ones.',
    effect: 'What every call costs (round trip, lock, log) is paid once for many.',
    words: /n\+1|many small|too many requests|rate limit|throttl|chatty/i,
    weight: 0.5,
  },
  {
    category: 'infrastructure',
    kind: 'scaling',
    suggestion: 'Add replicas, or give each more of what runs out; scale by that number from now on.',
    effect: 'Load of each falls by the share of the replicas that are added.',
    above: [
      { of: 'cpu', than: CPU, weight: 0.75 },
      { of: 'memory', than: MEMORY, weight: 0.75 },
    ],
    words: /out of memory|\boom|cpu throttl|insufficient (?:cpu|memory)|overload|no healthy upstream|resource exhaust/i,
    weight: 0.6,
  },
  {
    category: 'infrastructure',
    kind: 'balancing',
    suggestion: 'Spread the load evenly: balance by least open requests, and take slow instances out.',
    effect: 'The slowest instance no longer decides how slow all are.',
    words: /hot ?spot|uneven|one (?:instance|replica|node|pod)|skew|circuit ?breaker|upstream/i,
    weight: 0.45,
    above: [{ of: 'queue', than: 100, weight: 0.25 }],
  },
  {
    category: 'infrastructure',
    kind: 'caching_layer',
    suggestion: 'Put a shared cache (Redis, a CDN) before the database for what is read far more often than written.',
    effect: 'Reads no longer reach the database; it keeps its time for writes.',
    above: [{ of: 'latency', name: /quer|db|database|sql/i, than: QUERY_MS, weight: 0.45 }],
    words: /read[- ]heavy|hot key|cache miss|same query/i,
    weight: 0.4,
  },
]
const inMs = (name: string, value: number): number =>
  /seconds|_s$|_sec\b/i.test(name) && !/milli|ms/i.test(name) ? value * 1000 : value

/** Suggestions that something speaks for, the best founded first. */
export const advise = ({ metrics, evidence }: AdviceInput): readonly Suggestion[] =>
  RULES.flatMap(rule => {
    const found: { text: string; weight: number }[] = []
    for (const m of metrics) {
      const meaning = meaningOf(m.metric_type)
      const value =
        meaning === 'latency'
          ? inMs(m.metric_type, m.value)
          : unitOf(m.metric_type) === 'percent' && m.value <= 1
            ? m.value * 100
            : m.value
      const limit = rule.above?.find(a => a.of === meaning && (a.name?.test(m.metric_type) ?? true) && value > a.than)
      if (!limit) continue
      const whose = m.labels?.service ?? m.labels?.instance
      const unit = meaning === 'latency' ? ' ms' : limit.than >= 80 && meaning !== 'queue' ? ' %' : ''
      found.push({
        text: `${m.metric_type}${whose ? ` of ${whose}` : ''} is ${round(value, 1)}${unit}, above ${limit.than}${unit}`,
        // Far above counts more than just above.
        weight: limit.weight * Math.min(1.3, 0.9 + (0.1 * value) / Math.max(1, limit.than)),
      })
    }
    for (const text of evidence)
      if (rule.words?.test(text)) found.push({ text: `"${text.slice(0, 200)}"`, weight: rule.weight ?? 0.4 })
    if (found.length === 0) return []
    const doubt = found.reduce((left, f) => left * (1 - Math.min(0.95, f.weight)), 1)
    return [
      {
        category: rule.category,
        kind: rule.kind,
        suggestion: rule.suggestion,
        evidence: [...new Set(found.map(f => f.text))].slice(0, 5),
        expected_effect: rule.effect,
        priority: round(1 - doubt),
      },
    ]
  }).sort((a, b) => b.priority - a.priority)
