import type { Stage, Stream } from '@aegis/domain'

/** A stage, what it reads and what it may write. */
export interface StageDefinition {
  readonly name: string
  /** Partitioned streams; partition n of all of them goes together, so they need the same number of partitions. */
  readonly reads: readonly Stream<never>[]
  /** Broadcast streams whose values ticks put in force. */
  readonly follows?: readonly Stream<never>[]
  readonly writes: readonly Stream<never>[]
  /**
   * Its state goes with every transaction, and nothing is ever replayed: for stages that read anything outside their streams.
   */
  readonly snapshotAlways?: boolean
  readonly create: (partition: number) => Stage
}

/** Any list of streams, for the fields above. */
export const streamList = (...streams: readonly unknown[]): readonly Stream<never>[] => streams as readonly Stream<never>[]
