/** What came out of a run, by topic, and how two runs differ. */
import { hash } from 'node:crypto'
import {
  anomalies,
  decisions,
  incidents,
  logsParsed,
  metricsRaw,
  outcomes,
  type Stream,
  streams,
  templates,
  topologyEdges,
  tracesEdges,
  tracesLines,
  tracesVisits,
} from '@aegis/domain'
import { LAST_EVENT_US } from './input.ts'
import type { World } from './world.ts'

/**
 * Fields that are left out of the comparison, and why. Times of a wall clock (later than any event time of the input) are left out wherever
 * they stand; only outcomes, and incidents that quote them, have any.
 */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  // Deeds are done outside the stages: `receipt` says whether the deed was found done after a restart; the health noted down is of the
  // newest incident heard of, and decisions and incidents reach the executor by two topics whose order is not promised.
  [outcomes.name]: ['receipt', 'health_before', 'health_after'],
}
/** Written outside transactions, at least once under the same id: saying one again is no fault. */
const AT_LEAST_ONCE: ReadonlySet<string> = new Set([outcomes.name])

export const OUTPUTS = [
  logsParsed,
  templates,
  metricsRaw,
  tracesEdges,
  tracesLines,
  tracesVisits,
  topologyEdges,
  anomalies,
  incidents,
  decisions,
  outcomes,
] as unknown as readonly Stream<never>[]

/** The values of a topic as hashes, by id. */
export interface Collected {
  readonly count: number
  readonly values: ReadonlyMap<string, readonly string[]>
  /** Hash of all values in the order of their ids. */
  readonly hash: string
  /** The first values themselves, by hash, so that a difference can be looked at. */
  readonly texts: ReadonlyMap<string, string>
}
/** Values of a topic that are kept as they are. */
const TEXTS = 20_000
export type Outputs = ReadonlyMap<string, Collected>

/** What can be read: the real world, or a simulated one. */
export type Readable = Pick<World, 'read' | 'decode'>

export const collect = async (world: Readable): Promise<Outputs> => {
  const out = new Map<string, Collected>()
  for (const stream of OUTPUTS) {
    const leftOut = new Set(LEFT_OUT[stream.name])
    const values = new Map<string, string[]>()
    const texts = new Map<string, string>()
    let count = 0
    await world.read(stream.name, async records => {
      for (const value of await world.decode(stream, records)) {
        count++
        const text = JSON.stringify(value, (key, v) =>
          leftOut.has(key) ? undefined : typeof v === 'number' && v > LAST_EVENT_US ? 'wall clock' : v,
        )
        const { id } = value as { id: string }
        const known = values.get(id)
        const one = hash('sha1', text, 'base64')
        if (texts.size < TEXTS) texts.set(one, text)
        if (known) known.push(one)
        else values.set(id, [one])
      }
    })
    const ordered = [...values].map(([id, hashes]) => `${id} ${hashes.sort().join(' ')}`).sort()
    out.set(stream.name, { count, values, hash: hash('sha256', ordered.join('\n'), 'hex').slice(0, 16), texts })
  }
  return out
}

/** Records on dead-letter topics; the input holds nothing that belongs there. */
export const countDeadLetters = async (world: Pick<World, 'read'>): Promise<number> => {
  let n = 0
  for (const { name } of streams) await world.read(`${name}.dlq`, records => void (n += records.length))
  return n
}

export interface Difference {
  readonly topic: string
  readonly unharmed: number
  readonly harmed: number
  /** Values of the unharmed run that are missing. */
  readonly lost: number
  /** Values said more often than in the unharmed run. */
  readonly duplicated: number
  /** Values that say something else under the same id. */
  readonly different: number
  /** Values under ids that the unharmed run does not have. */
  readonly added: number
  /** Values said again where at least once is what is promised; no fault. */
  readonly repeated: number
  readonly equal: boolean
}

export const compare = (unharmed: Outputs, harmed: Outputs): Difference[] =>
  OUTPUTS.map(({ name: topic }) => {
    const [before, after] = [unharmed.get(topic)!, harmed.get(topic)!]
    const found = { lost: 0, duplicated: 0, different: 0, added: 0, repeated: 0 }
    for (const id of new Set([...before.values.keys(), ...after.values.keys()])) {
      const wanted = [...(before.values.get(id) ?? [])]
      const extra: string[] = []
      for (const h of after.values.get(id) ?? []) {
        const at = wanted.indexOf(h)
        if (at >= 0) wanted.splice(at, 1)
        else extra.push(h)
      }
      const again = extra.filter(h => before.values.get(id)?.includes(h)).length
      const other = extra.length - again
      const changed = Math.min(wanted.length, other)
      found.different += changed
      found.lost += wanted.length - changed
      if (AT_LEAST_ONCE.has(topic)) found.repeated += again
      else found.duplicated += again
      if (before.values.has(id)) found.duplicated += other - changed
      else found.added += other - changed
    }
    const { lost, duplicated, different, added } = found
    return { topic, unharmed: before.count, harmed: after.count, ...found, equal: lost + duplicated + different + added === 0 }
  })

export const printDifferences = (differences: readonly Difference[], unharmed: Outputs, harmed: Outputs): void => {
  const head = ['topic', 'unharmed', 'harmed', 'lost', 'duplicated', 'different', 'added', 'hash after ordering']
  const rows = differences.map(d => {
    const [a, b] = [unharmed.get(d.topic)!.hash, harmed.get(d.topic)!.hash]
    return [
      d.topic,
      d.unharmed,
      `${d.harmed}${d.repeated > 0 ? ` (${d.repeated} again)` : ''}`,
      d.lost,
      d.duplicated,
      d.different,
      d.added,
      a === b ? `${a} equal` : `${a} / ${b}`,
    ].map(String)
  })
  printTable(head, rows)
  for (const { topic, equal } of differences) if (!equal) printExample(topic, unharmed.get(topic)!, harmed.get(topic)!)
}

/** The first id whose values differ, and from where on. */
const printExample = (topic: string, before: Collected, after: Collected): void => {
  for (const [id, wanted] of [...before.values, ...after.values]) {
    const [a, b] = [wanted, after.values.get(id) ?? []].map(hashes =>
      hashes.map(h => before.texts.get(h) ?? after.texts.get(h) ?? h),
    )
    const [was, is] = [a.join(), b.join()]
    if (was === is) continue
    let same = 0
    while (was[same] === is[same]) same++
    const from = Math.max(0, same - 200)
    console.log(
      `  ${topic} ${id}, from character ${from}:\n    unharmed ${was.slice(from, same + 300)}\n    harmed   ${is.slice(from, same + 300)}`,
    )
    return
  }
}

export const printTable = (head: readonly string[], rows: readonly (readonly string[])[]): void => {
  const widths = head.map((h, i) => Math.max(h.length, ...rows.map(r => r[i].length)))
  for (const row of [head, ...rows])
    console.log(`  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`)
}
