/**
 * The chain of an incident out of the log events of its window: those who are suspected and their neighbours, what was bad or known for a fault, and what leads to it.
 * What was logged before the window teaches which template regularly comes before which.
 */

import { type LogEvent, sessionOf } from '@aegis/domain'
import { type CausalChain, type ChainEvent, causalChain, TemplateOrder } from './causal-chain.ts'
import type { Severity } from './severity.ts'

export interface ChainGathererOptions {
  /** Events of the window kept; beyond it only those that are bad or known for a fault. Default 20,000. */
  readonly most?: number
}
export interface GatheredChain extends CausalChain {
  /** Events of the window. */
  readonly of: number
}
const BAD = new Set<string>(['WARN', 'ERROR', 'CRITICAL'])
/** Events looked at for links, while a person may want to see fewer. */
const LINKED = 2000

/** Takes events in the order of their time, as far as it is known. */
export class ChainGatherer {
  readonly #most: number
  readonly #order = new TemplateOrder()
  #events: ChainEvent[] = []
  #of = 0

  constructor(options: ChainGathererOptions = {}) {
    this.#most = options.most ?? 20_000
  }

  get full(): boolean {
    return this.#events.length >= this.#most
  }

  /** An event outside the window. */
  learn(event: LogEvent): void {
    this.#order.learn(event.template_id, event.time)
  }

  /** An event of the window, by the name it is to be called. */
  add(event: LogEvent, id: string): void {
    this.#of++
    const anomalous = event.fault_pattern !== null && event.fault_pattern !== undefined
    // Signs stay: of them there are fewer, and they are what is read.
    if (this.full && ((!anomalous && !BAD.has(event.severity)) || this.#events.length >= 2 * this.#most)) return
    this.#events.push({
      id,
      timeUs: event.time,
      service: event.service,
      templateId: event.template_id,
      severity: event.severity as Severity,
      category: event.category as ChainEvent['category'],
      body: event.body,
      mentions: event.mentions as ChainEvent['mentions'],
      traceId: sessionOf(event.trace_id, event.parameters as never),
      exception: event.exception ?? undefined,
      anomalous,
    })
  }

  /** What there is to read: bad lines, those that match a known fault, and what is tied to them, as far as it goes. At most `most` events. */
  finish(most: number): GatheredChain {
    const whole = causalChain(this.#events, { maxEvents: Math.max(most, LINKED), order: this.#order })
    const kept = new Set(whole.events.filter(e => e.anomalous || BAD.has(e.severity)).map(({ id }) => id))
    // Backwards from each sign: what led to it.
    for (const { from, to } of [...whole.links].reverse()) if (kept.has(to)) kept.add(from)
    const chain = causalChain(
      whole.events.filter(({ id }) => kept.has(id)),
      { maxEvents: most, order: this.#order },
    )
    return { ...chain, of: this.#of }
  }
}

export interface ChainWindow {
  readonly environment: string
  /** Microseconds. */
  readonly from: number
  readonly to: number
  /** Suspects, those affected, and who is next to a suspect. */
  readonly entities: readonly string[]
}
/** What is told of an incident, as far as its window follows from it. */
export interface IncidentScope {
  readonly environment: string
  readonly started: number
  readonly time: number
  readonly ended?: number | null
  readonly entities: readonly string[]
  readonly causes: readonly { readonly entity: string }[]
  readonly graph: readonly { readonly from: string; readonly to: string }[]
}
/** Suspects whose neighbours are looked at. */
const SUSPECTS = 3
const BEFORE_US = 120_000_000
const AFTER_US = 15_000_000
/** Of a long incident its beginning is what tells. */
const LONGEST_US = 1_800_000_000

/** From two minutes before the first sign to just after its end, or as far as it has come; half an hour at most. */
export function chainWindow(incident: IncidentScope): ChainWindow {
  const suspects = new Set(incident.causes.slice(0, SUSPECTS).map(({ entity }) => entity))
  const next = incident.graph.flatMap(({ from, to }) => (suspects.has(from) || suspects.has(to) ? [from, to] : []))
  return {
    environment: incident.environment,
    from: incident.started - BEFORE_US,
    to: Math.min((incident.ended ?? incident.time) + AFTER_US, incident.started + LONGEST_US),
    entities: [...new Set([...suspects, ...incident.entities, ...next])],
  }
}
