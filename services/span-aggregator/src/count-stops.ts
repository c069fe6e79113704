import { type Evidence, idOf, keyOf, type Span, type TracedLine, type VisitPart } from '@aegis/domain'
import { type CaseLine, type CaseSpan, type SeenVisit, VisitWatch } from '@aegis/root-cause'

/** A trace that is complete, as far as it will be. */
export interface EndedTrace {
  readonly environment: string
  readonly spans: readonly Span[]
  readonly offsets: readonly number[]
  readonly lines: readonly TracedLine[]
}
/** Visits that stopped and are quoted, per entity and round. */
const EXAMPLES = 2

interface Count {
  environment: string
  entity: string
  visits: number
  steps: Map<string, number>
  evidence: Evidence[]
}

/** Visits of ended traces by entity: how many there were, how many stopped short of what is usual, and the spans and lines of some that did. */
export class CountStops {
  readonly #partition: number
  readonly #watch = new VisitWatch()

  constructor(partition: number) {
    this.#partition = partition
  }

  /** @param now time of an environment, microseconds */
  of(traces: readonly EndedTrace[], now: (environment: string) => number): VisitPart[] {
    const counts = new Map<string, Count>()
    for (const trace of traces) if (trace.spans.length > 0) this.#see(trace, counts, now(trace.environment))
    return [...counts.values()].map(({ environment, entity, visits, steps, evidence }): VisitPart => {
      let stopped = 0
      for (const n of steps.values()) stopped += n
      const [most] = [...steps].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      const time = now(environment)
      return {
        id: idOf(environment, entity, time, this.#partition),
        environment,
        time,
        entity,
        visits,
        stopped,
        step: most?.[0] ?? null,
        evidence,
      }
    })
  }

  #see(trace: EndedTrace, counts: Map<string, Count>, now: number): void {
    const { environment } = trace
    const at = new Map(trace.spans.map((s, i) => [s.span_id, trace.offsets[i]]))
    const written = new Map<CaseLine, TracedLine>()
    for (const line of [...trace.lines].sort(byTime))
      written.set(
        {
          time: line.time,
          entity: line.entity,
          template: line.statement,
          text: line.text,
          severity: line.severity,
          trace: line.trace_id,
          span: line.span_id,
        },
        line,
      )
    for (const { visit, stopped } of this.#watch.see(environment, caseSpans(trace.spans), [...written.keys()], now)) {
      const key = keyOf(environment, visit.entity)
      let count = counts.get(key)
      if (!count) counts.set(key, (count = { environment, entity: visit.entity, visits: 0, steps: new Map(), evidence: [] }))
      count.visits++
      if (stopped === undefined) continue
      count.steps.set(stopped, (count.steps.get(stopped) ?? 0) + 1)
      if (count.evidence.length >= 2 * EXAMPLES) continue
      const line = visit.severe ?? visit.last
      if (line) count.evidence.push(lineEvidence(written.get(line)!))
      count.evidence.push(this.#spanEvidence(visit, stopped, at.get(visit.entry.id) ?? -1))
    }
  }

  #spanEvidence({ entity, operation, entry }: SeenVisit['visit'], stopped: string, offset: number): Evidence {
    return {
      kind: 'span',
      entity,
      text: `${operation} of trace ${entry.trace}, span ${entry.id}, ${stopped.startsWith('! ') ? 'wrote an error that it never writes' : `ended without "${stopped.replace(/^> /, '')}"`}`,
      time: entry.start,
      stream: 'traces.spans',
      partition: this.#partition,
      offset,
      name: operation,
    }
  }

  toJSON() {
    return this.#watch.toJSON()
  }
  load(state: ReturnType<VisitWatch['toJSON']>): void {
    this.#watch.load(state)
  }
}

const byTime = (a: TracedLine, b: TracedLine) => a.time - b.time || a.partition - b.partition || a.offset - b.offset

const caseSpans = (spans: readonly Span[]): CaseSpan[] =>
  spans.map(s => {
    const failed = s.status === 'error'
    return {
      start: s.time,
      duration: s.duration_us,
      trace: s.trace_id,
      id: s.span_id,
      parent: s.parent_id ?? '',
      entity: s.entity,
      operation: s.operation,
      ...(failed ? { failed } : {}),
      // Given up or refused: whoever was called may have worked on, or was never there.
      ...(failed && (s.kind === 'client' || s.kind === 'producer') ? { lost: true } : {}),
    }
  })
const lineEvidence = (line: TracedLine): Evidence => ({
  kind: 'log',
  entity: line.entity,
  text: line.text,
  time: line.time,
  stream: 'logs.raw',
  partition: line.partition,
  offset: line.offset,
  name: line.statement,
})
