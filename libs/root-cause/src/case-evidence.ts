/** What a ranking works on: the telemetry around one incident, with the same telemetry from a quiet time to hold it against. */
import type { EntityId, Evidence } from '@aegis/domain'

/** One series, cut at the onset. */
export interface CutSeries {
  readonly entity: EntityId
  readonly metric: string
  /** Other end, where the series belongs to an edge. */
  readonly peer?: EntityId
  readonly before: readonly number[]
  readonly after: readonly number[]
}
export interface CaseLine {
  readonly time: number
  readonly entity: EntityId
  /** Id of its template; the caller mines templates. */
  readonly template: string
  readonly text: string
  readonly severity?: string
  readonly trace?: string
  readonly span?: string
}
export interface CaseSpan {
  readonly start: number
  readonly duration: number
  readonly trace: string
  readonly id: string
  readonly parent: string
  readonly entity: EntityId
  readonly operation: string
  readonly failed?: boolean
  /** The calling side of a call that failed. */
  readonly lost?: boolean
}
export interface CauseCase {
  readonly entities: readonly EntityId[]
  /** From who depends to what is depended on. */
  readonly edges: readonly (readonly [EntityId, EntityId])[]
  readonly series: readonly CutSeries[]
  readonly lines?: readonly CaseLine[]
  readonly linesBefore?: readonly CaseLine[]
  readonly spans?: readonly CaseSpan[]
  readonly spansBefore?: readonly CaseSpan[]
  /** Entities changed (deploy, configuration) shortly before. */
  readonly changed?: readonly EntityId[]
  /** First sign of each entity, microseconds, where signs came with their times. */
  readonly onsets?: ReadonlyMap<EntityId, number>
}
/** One thing found, with its strength in robust deviations. */
export interface Finding {
  readonly entity: EntityId
  /** Feature it counts for. */
  readonly kind: string
  readonly strength: number
  readonly name: string
  readonly before: number
  readonly after: number
  /** What it is expected between, where no single value before is known: `before` is only its middle. */
  readonly expected?: readonly [low: number, high: number]
  /** Verbatim line, or the operation. */
  readonly text?: string
  readonly time?: number
  /** The record it rests on, where it came from a stream. */
  readonly reference?: Evidence
  /** Others say that it could not be reached at all. */
  readonly unreachable?: boolean
}
