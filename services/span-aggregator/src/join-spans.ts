import {
  type EdgePart,
  EnvironmentClocks,
  emit,
  type Input,
  idOf,
  isFrom,
  keyOf,
  type Result,
  type Span,
  type Stage,
  type Stateful,
  type TracedLine,
  tracesEdges,
  tracesLines,
  tracesSpans,
  tracesVisits,
} from '@aegis/domain'
import { CountStops } from './count-stops.ts'
import { BUCKETS, bucketOf } from './histogram.ts'

export interface JoinOptions {
  /** How long spans of a trace are waited for, microseconds. Default 1.5 s: exporters send every second or so. */
  readonly holdUs?: number
  /** Length of a window, microseconds. Default 1 s. */
  readonly windowUs?: number
  /** Most traces held; beyond it the oldest are joined at once. */
  readonly maxTraces?: number
}
interface Held {
  since: number
  environment: string
  spans: Span[]
  /** Places of the spans in their partition. */
  offsets: number[]
  lines: TracedLine[]
}
/** A trace is joined within its environment: whose part came first must not decide where the rest of it belongs. */
const traceKey = ({ environment, trace_id }: Pick<Span, 'trace_id' | 'environment'>): string => keyOf(environment, trace_id)
/** Lines of one trace that are kept: a loop that writes one a turn says no more with the next. */
const LINES = 500
const serviceEntity = (peer: string): string => (peer.includes(':') ? peer : `service:${peer}`)
const isData = (span: Span): boolean => Boolean(span.attributes?.['db.system.name'] ?? span.attributes?.['db.system'])

/**
 * Pairs the two sides of each call. A server span names the callee, its parent client span the caller; a client span without its other side
 * (the callee is dead, or not instrumented) counts against the peer it names. Counts go out per edge and window; beside them, with the lines
 * written in the spans, where requests stopped short.
 */
export class JoinSpans implements Stage, Stateful {
  readonly snapshotVersion = 2
  readonly #partition: number
  readonly #stops: CountStops
  readonly #holdUs: number
  readonly #windowUs: number
  readonly #maxTraces: number
  readonly #clocks = new EnvironmentClocks()
  #held = new Map<string, Held>()

  constructor(partition: number, options: JoinOptions = {}) {
    this.#partition = partition
    this.#stops = new CountStops(partition)
    this.#holdUs = options.holdUs ?? 1_500_000
    this.#windowUs = options.windowUs ?? 1_000_000
    this.#maxTraces = options.maxTraces ?? 50_000
  }

  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const input of batch) {
      if (isFrom(input, tracesSpans)) {
        const held = this.#heldOf(input.value)
        held.spans.push(input.value)
        held.offsets.push(input.offset)
      } else if (isFrom(input, tracesLines)) {
        const { lines } = this.#heldOf(input.value)
        if (lines.length < LINES) lines.push(input.value)
      } else if (input.kind === 'tick' && input.stream.name !== tracesLines.name) {
        this.#clocks.see(input)
        const ripe: Held[] = []
        for (const [trace, held] of this.#held) {
          const now = this.#clocks.now(held.environment)
          if (held.since === 0) held.since = now
          if (input.final || now - held.since >= this.#holdUs || this.#held.size - ripe.length > this.#maxTraces) {
            ripe.push(held)
            this.#held.delete(trace)
          }
        }
        // By their first span, whichever way the first of a trace came: spans and lines come over two.
        ripe.sort((a, b) => (a.offsets[0] ?? Number.MAX_SAFE_INTEGER) - (b.offsets[0] ?? Number.MAX_SAFE_INTEGER))
        results.push(...this.#join(ripe).map(part => emit(tracesEdges, part, input)))
        const stops = this.#stops.of(ripe, environment => this.#clocks.now(environment))
        results.push(...stops.map(part => emit(tracesVisits, part, input)))
      }
    }
    return results
  }

  #heldOf(of: Pick<Span, 'trace_id' | 'environment'>): Held {
    const key = traceKey(of)
    let held = this.#held.get(key)
    if (!held) this.#held.set(key, (held = { since: 0, environment: of.environment, spans: [], offsets: [], lines: [] }))
    return held
  }

  #join(traces: readonly Held[]): EdgePart[] {
    const parts = new Map<string, { -readonly [K in keyof EdgePart]: EdgePart[K] } & { buckets: number[] }>()
    const count = (span: Span, caller: string, callee: string, kind: string, selfUs: number, gapUs: number) => {
      const start = Math.floor((span.time + span.duration_us) / this.#windowUs) * this.#windowUs
      const key = keyOf(span.environment, caller, callee, kind, start)
      let part = parts.get(key)
      if (!part) {
        part = {
          id: idOf(key, this.#partition, span.id),
          environment: span.environment,
          time: start,
          window_us: this.#windowUs,
          caller,
          callee,
          kind,
          count: 0,
          errors: 0,
          duration_sum_us: 0,
          self_time_sum_us: 0,
          gap_sum_us: 0,
          buckets: new Array(BUCKETS).fill(0),
        }
        parts.set(key, part)
      }
      part.count++
      if (span.status === 'error') part.errors++
      part.duration_sum_us += span.duration_us
      part.self_time_sum_us += selfUs
      part.gap_sum_us = (part.gap_sum_us ?? 0) + gapUs
      part.buckets[bucketOf(span.duration_us)]++
    }
    for (const { spans } of traces) {
      const byId = new Map(spans.map(s => [s.span_id, s]))
      const childTime = new Map<string, number>()
      const answered = new Set<string>()
      const children = new Map<string, number>()
      for (const s of spans) if (s.parent_id) children.set(s.parent_id, (children.get(s.parent_id) ?? 0) + 1)
      for (const s of spans) {
        const parent = s.parent_id ? byId.get(s.parent_id) : undefined
        if (!parent) continue
        if (parent.entity === s.entity) childTime.set(parent.span_id, (childTime.get(parent.span_id) ?? 0) + s.duration_us)
        else if (s.kind === 'server' || s.kind === 'consumer') answered.add(parent.span_id)
      }
      for (const s of spans) {
        if (s.kind === 'server' || s.kind === 'consumer') {
          const parent = s.parent_id ? byId.get(s.parent_id) : undefined
          const self = Math.max(0, s.duration_us - (childTime.get(s.span_id) ?? 0))
          const caller = parent && parent.entity !== s.entity ? parent : undefined
          // What only waits for one call is that call's other side; the difference is the way there and back.
          const gap = caller && children.get(caller.span_id) === 1 ? Math.max(0, caller.duration_us - s.duration_us) : 0
          count(s, caller?.entity ?? '', s.entity, 'calls', self, gap)
        } else if ((s.kind === 'client' || s.kind === 'producer') && s.peer && !answered.has(s.span_id)) {
          const data = isData(s)
          count(s, s.entity, data ? `database:${s.peer}` : serviceEntity(s.peer), data ? 'reads' : 'calls', s.duration_us, 0)
        }
      }
    }
    return [...parts.values()]
  }

  snapshot(): Uint8Array {
    return Buffer.from(JSON.stringify({ clocks: this.#clocks, held: [...this.#held], stops: this.#stops }))
  }
  restore(bytes: Uint8Array, version = this.snapshotVersion): void {
    const state = JSON.parse(Buffer.from(bytes).toString())
    this.#clocks.fromJSON(state.clocks)
    this.#held = new Map(
      (state.held as [string, Held][]).map(([key, held]) => {
        const [first] = [...held.spans, ...(held.lines ?? [])]
        return [first ? traceKey(first) : key, held]
      }),
    )
    if (version >= 2) this.#stops.load(state.stops)
    // Version 1 knew no lines, and not where spans stood.
    else for (const held of this.#held.values()) Object.assign(held, { offsets: held.spans.map(() => -1), lines: [] })
  }
}
