import { AegisError, type LogEvent } from '@aegis/domain'
import { ChainGatherer, type GatheredChain } from '@aegis/log-mining'

/** From where to where: times in microseconds, or numbers of lines. */
export interface ChainRange {
  readonly by: 'time' | 'line'
  readonly from: number
  readonly to: number
}
const MOST = 20_000

/** `2026-01-01T12:00..2026-01-01T12:05`, or `300..340` for numbers of lines. */
export function parseRange(text: string): ChainRange {
  const ends = text.split('..')
  const byLine = ends.every(end => /^\d+$/.test(end))
  const [from, to] = ends.map(end =>
    byLine ? Number(end) : Date.parse(/[zZ]$|[+-]\d\d:?\d\d$/.test(end) ? end : `${end}Z`) * 1000,
  )
  if (ends.length !== 2 || !Number.isFinite(from) || !Number.isFinite(to) || from > to)
    throw new AegisError(
      'INPUT_INVALID',
      `--chain must be FROM..TO, two times such as 2026-01-01T12:00..2026-01-01T12:05 (UTC unless said) or two line numbers such as 300..340, not ${text}`,
    )
  return { by: byLine ? 'line' : 'time', from, to }
}

/** Gathers the events of a range out of a log, and learns from all others which template regularly comes before which. */
export class ChainReader {
  readonly #range: ChainRange
  readonly #gatherer = new ChainGatherer({ most: MOST })

  constructor(range: ChainRange) {
    this.#range = range
  }

  /** @param line number of its first line, from 1 */
  event(event: LogEvent, line: number): void {
    const { by, from, to } = this.#range
    const at = by === 'time' ? event.time : line
    if (at < from || at > to) return this.#gatherer.learn(event)
    if (this.#gatherer.full)
      throw new AegisError('INPUT_INVALID', `--chain: more than ${MOST} events from ${from} to ${to}; name a shorter range`)
    this.#gatherer.add(event, String(line))
  }

  finish(most: number): GatheredChain {
    return this.#gatherer.finish(most)
  }
}

/** The chain for a person: each event with what ties it to those before. `name` is what the ids of the events are: lines of a file, or places on a stream. */
export function chainText({ events, links, of }: GatheredChain, name = 'line'): string {
  if (events.length === 0)
    return of === 0 ? 'chain: no events there' : `chain: ${of} events there, none of them bad or tied to one that is`
  const out = [`chain: ${events.length} of ${of} events, ${links.length} links, from first sign to last`]
  for (const e of events) {
    const text = e.body.split('\n', 1)[0]
    out.push(
      `  ${new Date(e.timeUs / 1000).toISOString()}  ${name} ${e.id.padEnd(6)} ${e.severity.padEnd(8)} ${e.category.padEnd(14)} ${e.service}: ${text.length > 160 ? `${text.slice(0, 159)}…` : text}`,
    )
    for (const l of links.filter(({ to }) => to === e.id))
      out.push(
        `      after ${name} ${l.from}: ${l.kind === 'order' ? 'which regularly comes before it' : `same ${l.kind === 'trace' ? 'request' : l.kind} ${l.label}`}`,
      )
  }
  return out.join('\n')
}
