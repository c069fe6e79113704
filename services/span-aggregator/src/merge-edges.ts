import {
  EnvironmentClocks,
  emit,
  type Input,
  idOf,
  isFrom,
  keyOf,
  metricsRaw,
  type Result,
  type Stage,
  type Stateful,
  topologyEdges,
  tracesEdges,
} from '@aegis/domain'
import { BUCKETS, quantile } from './histogram.ts'

export interface MergeOptions {
  /** Windows that a figure is taken over. Default 3: one second holds few calls. */
  readonly windows?: number
  /** How often an edge that goes on being used is told again, microseconds. Default 15 s. */
  readonly refreshUs?: number
  /** An edge without calls for this long is forgotten, microseconds. Default 10 minutes. */
  readonly forgetUs?: number
}
interface Totals {
  count: number
  errors: number
  duration: number
  self: number
  /** Time on the wire. */
  gap: number
  buckets: number[]
}
interface EdgeState {
  environment: string
  caller: string
  callee: string
  kind: string
  /** Newest last; one entry per tick. */
  recent: Totals[]
  open: Totals
  told: number
  used: number
}
const empty = (): Totals => ({ count: 0, errors: 0, duration: 0, self: 0, gap: 0, buckets: new Array(BUCKETS).fill(0) })
const addTo = (into: Totals, from: Totals): Totals => {
  into.count += from.count
  into.errors += from.errors
  into.duration += from.duration
  into.self += from.self
  into.gap += from.gap
  for (let i = 0; i < BUCKETS; i++) into.buckets[i] += from.buckets[i] ?? 0
  return into
}

/** Adds up the parts of each edge and tells, every tick, how each callee answers; and now and then that the edge is there. */
export class MergeEdges implements Stage, Stateful {
  readonly snapshotVersion = 2
  readonly #windows: number
  readonly #refreshUs: number
  readonly #forgetUs: number
  readonly #clocks = new EnvironmentClocks()
  #edges = new Map<string, EdgeState>()

  constructor(options: MergeOptions = {}) {
    this.#windows = options.windows ?? 3
    this.#refreshUs = options.refreshUs ?? 15_000_000
    this.#forgetUs = options.forgetUs ?? 600_000_000
  }

  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const input of batch) {
      if (isFrom(input, tracesEdges)) {
        const v = input.value
        const key = keyOf(v.environment, v.caller, v.callee, v.kind)
        let edge = this.#edges.get(key)
        if (!edge)
          this.#edges.set(
            key,
            (edge = {
              environment: v.environment,
              caller: v.caller,
              callee: v.callee,
              kind: v.kind,
              recent: [],
              open: empty(),
              told: 0,
              used: 0,
            }),
          )
        addTo(edge.open, {
          count: v.count,
          errors: v.errors,
          duration: v.duration_sum_us,
          self: v.self_time_sum_us,
          gap: v.gap_sum_us ?? 0,
          buckets: [...v.buckets],
        })
        edge.used = Math.max(edge.used, v.time)
      } else if (input.kind === 'tick') {
        this.#clocks.see(input)
        results.push(...this.#tell(input))
      }
    }
    return results
  }

  #tell(tick: Extract<Input, { kind: 'tick' }>): Result[] {
    const results: Result[] = []
    const callees = new Map<string, { environment: string; callee: string; totals: Totals; seconds: number }>()
    /** Time on the wire by who called; where no client side was recorded there is none. */
    const callers = new Map<string, { environment: string; caller: string; gap: number; count: number }>()
    for (const [key, edge] of this.#edges) {
      if (!this.#clocks.moves(tick, edge.environment)) continue
      const now = this.#clocks.now(edge.environment)
      edge.recent.push(edge.open)
      edge.open = empty()
      if (edge.recent.length > this.#windows) edge.recent.shift()
      const totals = edge.recent.reduce(addTo, empty())
      const seconds = edge.recent.length
      if (now - edge.used > this.#forgetUs) {
        this.#edges.delete(key)
        continue
      }
      const at = callees.get(keyOf(edge.environment, edge.callee))
      if (at) addTo(at.totals, totals)
      else
        callees.set(keyOf(edge.environment, edge.callee), {
          environment: edge.environment,
          callee: edge.callee,
          totals: addTo(empty(), totals),
          seconds,
        })
      if (totals.gap > 0) {
        const out = callers.get(keyOf(edge.environment, edge.caller))
        if (out) {
          out.gap += totals.gap
          out.count += totals.count
        } else
          callers.set(keyOf(edge.environment, edge.caller), {
            environment: edge.environment,
            caller: edge.caller,
            gap: totals.gap,
            count: totals.count,
          })
      }
      if (edge.caller !== '' && totals.count > 0 && now - edge.told >= this.#refreshUs) {
        edge.told = now
        results.push(
          emit(
            topologyEdges,
            {
              id: idOf(key, now),
              environment: edge.environment,
              time: now,
              from: edge.caller,
              to: edge.callee,
              kind: edge.kind,
              source: 'spans',
              inferred: false,
              requests_per_second: totals.count / seconds,
              error_share: totals.errors / totals.count,
              p50_ms: quantile(totals.buckets, 0.5) / 1000,
              p99_ms: quantile(totals.buckets, 0.99) / 1000,
            },
            tick,
          ),
        )
      }
    }
    const observe = (environment: string, entity: string, metric_name: string, unit: string, value: number) => {
      const time = this.#clocks.now(environment)
      results.push(
        emit(
          metricsRaw,
          {
            id: idOf(environment, entity, metric_name, time),
            environment,
            time,
            entity,
            metric_name,
            metric_type: 'gauge',
            unit,
            value,
            dimensions: {},
          },
          tick,
        ),
      )
    }
    for (const { environment, callee, totals, seconds } of callees.values()) {
      observe(environment, callee, 'calls.rate', '1/s', totals.count / seconds)
      if (totals.count === 0) continue
      observe(environment, callee, 'calls.error_share', '1', totals.errors / totals.count)
      observe(environment, callee, 'calls.latency_p50', 'ms', quantile(totals.buckets, 0.5) / 1000)
      observe(environment, callee, 'calls.latency_p95', 'ms', quantile(totals.buckets, 0.95) / 1000)
      observe(environment, callee, 'calls.self_time', 'ms', totals.self / totals.count / 1000)
      if (totals.gap > 0) observe(environment, callee, 'calls.wire_time', 'ms', totals.gap / totals.count / 1000)
    }
    for (const { environment, caller, gap, count } of callers.values())
      observe(environment, caller, 'calls.wire_time_out', 'ms', gap / count / 1000)
    return results
  }

  snapshot(): Uint8Array {
    return Buffer.from(JSON.stringify({ clocks: this.#clocks, edges: [...this.#edges] }))
  }
  restore(bytes: Uint8Array, version = this.snapshotVersion): void {
    const state = JSON.parse(Buffer.from(bytes).toString())
    this.#clocks.fromJSON(state.clocks)
    this.#edges = new Map(state.edges)
    // Version 1 did not add up the time on the wire.
    if (version < 2) for (const edge of this.#edges.values()) for (const t of [edge.open, ...edge.recent]) t.gap ??= 0
  }
}
