import type { Stream } from './streams.ts'

/** W3C trace context of a record, as it stands in the `traceparent` header. */
export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

/** A value and where it came from, so that ids, evidence and traces can follow. */
export interface Received<T> {
  readonly kind: 'value'
  readonly stream: Stream<T>
  readonly partition: number
  readonly offset: number
  /** Event time, microseconds; clamped where it lies more than 5 minutes ahead of the last tick. */
  readonly time: number
  /** True when the event time was clamped. */
  readonly clamped: boolean
  readonly value: T
  /** Seeded by stream, partition and offset: the same numbers in every replay. */
  readonly random: () => number
  readonly trace?: TraceContext
}

/** Time passing, in order with the data: live and in replays, silence has a place in the log. */
export interface Tick {
  readonly kind: 'tick'
  readonly stream: Stream<unknown>
  readonly partition: number
  readonly offset: number
  /** Microseconds. */
  readonly time: number
  /** The environment it is for, or `*`. */
  readonly environment: string
  /** True for the last tick of a replay: whatever still waits for time to pass may finish. */
  readonly final: boolean
  /** The newest value with this key of a followed broadcast stream, as of this tick. */
  readonly inForce: <T>(stream: Stream<T>, key: string) => T | undefined
}

export type Input<T = unknown> = Received<T> | Tick

/** Narrows an input to a value of one stream. */
export const isFrom = <T>(input: Input<unknown>, stream: Stream<T>): input is Received<T> =>
  input.kind === 'value' && input.stream.name === stream.name

/** A value for a stream, with the inputs that caused it (trace links, headers). */
export interface Emit {
  readonly kind: 'emit'
  readonly stream: Stream<unknown>
  readonly value: unknown
  readonly cause?: Input
  /** Trace to go on with, where the cause is a tick but a traced record is behind it. */
  readonly trace?: TraceContext
}
/** A bad record: goes to the dead-letter topic with its original bytes. */
export interface Reject {
  readonly kind: 'reject'
  readonly input: Received<unknown>
  readonly reason: string
}
export type Result = Emit | Reject

/** A value fits only its own stream. */
export const emit = <T>(stream: Stream<T>, value: T, cause?: Input, trace?: TraceContext): Emit => ({
  kind: 'emit',
  stream: stream as Stream<unknown>,
  value,
  cause,
  trace,
})
export const reject = (input: Received<unknown>, reason: string): Reject => ({ kind: 'reject', input, reason })

/**
 * One step of the pipeline. Lives as long as its partition is assigned; never sees Kafka.
 * Three ways out: emit a value, reject an input, throw. A throw is retried; a stage that threw is thrown away and restored,
 * so a retry teaches nothing twice. Any split of the input into batches gives the same state and outputs.
 */
export interface Stage {
  process(batch: readonly Input[], signal: AbortSignal): Promise<readonly Result[]>
  /** Called after the results of `process` are committed and can no longer be taken back. Must not throw. */
  committed?(results: readonly Result[]): void
  /** Called once when the stage is live: state restored, nothing being replayed. */
  live?(): void
  /** Called when the partition is taken away or the service stops. */
  close?(): Promise<void>
}

/** For what must survive a restart. `version` counts up when the form of the snapshot changes. */
export interface Stateful {
  readonly snapshotVersion: number
  snapshot(): Uint8Array
  /** Throws when it cannot read `version`. */
  restore(bytes: Uint8Array, version: number): void
}
export const isStateful = (stage: Stage): stage is Stage & Stateful => 'snapshot' in stage && 'restore' in stage
