import { AegisError, type LogEvent } from '@aegis/domain'
import { type CausalChain, type ChainEvent, causalChain, type Severity, sessionOf, TemplateOrder } from '@aegis/log-mining'

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
  readonly #order = new TemplateOrder()
  #events: ChainEvent[] = []

  constructor(range: ChainRange) {
    this.#range = range
  }

  /** @param line number of its first line, from 1 */
  event(event: LogEvent, line: number): void {
    const { by, from, to } = this.#range
    const at = by === 'time' ? event.time : line
    if (at < from || at > to) {
      this.#order.learn(event.template_id, event.time)
      return
    }
    if (this.#events.length >= MOST)
      throw new AegisError('INPUT_INVALID', `--chain: more than ${MOST} events from ${from} to ${to}; name a shorter range`)
    this.#events.push({
      id: String(line),
      timeUs: event.time,
      service: event.service,
      templateId: event.template_id,
      severity: event.severity as Severity,
      category: event.category as ChainEvent['category'],
      body: event.body,
      mentions: event.mentions as ChainEvent['mentions'],
      traceId: sessionOf(event.trace_id, event.parameters as never),
      exception: event.exception ?? undefined,
      anomalous: event.fault_pattern !== null && event.fault_pattern !== undefined,
    })
  }

  /** What there is to read: bad lines, those that match a known fault, and what is tied to them, as far as it goes. */
  finish(most: number): CausalChain & { readonly of: number } {
    const whole = causalChain(this.#events, { maxEvents: Math.max(most, 2000), order: this.#order })
    const kept = new Set(whole.events.filter(e => e.anomalous || BAD.has(e.severity)).map(({ id }) => id))
    // Backwards from each sign: what led to it.
    for (const { from, to } of [...whole.links].reverse()) if (kept.has(to)) kept.add(from)
    const chain = causalChain(
      whole.events.filter(({ id }) => kept.has(id)),
      { maxEvents: most, order: this.#order },
    )
    return { ...chain, of: this.#events.length }
  }
}
const BAD = new Set<string>(['WARN', 'ERROR', 'CRITICAL'])

/** The chain for a person: each event with what ties it to those before. */
export function chainText({ events, links, of }: CausalChain & { readonly of: number }): string {
  if (events.length === 0)
    return of === 0 ? 'chain: no events there' : `chain: ${of} events there, none of them bad or tied to one that is`
  const out = [`chain: ${events.length} of ${of} events, ${links.length} links, from first sign to last`]
  for (const e of events) {
    const text = e.body.split('\n', 1)[0]
    out.push(
      `  ${new Date(e.timeUs / 1000).toISOString()}  line ${e.id.padEnd(6)} ${e.severity.padEnd(8)} ${e.category.padEnd(14)} ${e.service}: ${text.length > 160 ? `${text.slice(0, 159)}…` : text}`,
    )
    for (const l of links.filter(({ to }) => to === e.id))
      out.push(
        `      after line ${l.from}: ${l.kind === 'order' ? 'which regularly comes before it' : `same ${l.kind === 'trace' ? 'request' : l.kind} ${l.label}`}`,
      )
  }
  return out.join('\n')
}
