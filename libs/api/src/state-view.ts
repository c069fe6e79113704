import {
  type Anomaly,
  anomalies,
  approvals,
  type Change,
  changes,
  type Decision,
  decisions,
  type Incident,
  incidents,
  type Outcome,
  outcomes,
  type Stream,
  type TopologyEdge,
  topologyEdges,
} from '@aegis/domain'

const KEPT = 2000

/** Newest state per id of the streams people look at, bounded; rebuilt from the topics at every start. */
export class StateView {
  readonly incidents = new Map<string, Incident>()
  readonly anomalies = new Map<string, Anomaly>()
  readonly decisions = new Map<string, Decision>()
  readonly outcomes = new Map<string, Outcome[]>()
  readonly changes: Change[] = []
  readonly edges = new Map<string, TopologyEdge>()

  static readonly streams: readonly Stream<never>[] = [
    incidents,
    anomalies,
    decisions,
    outcomes,
    approvals,
    changes,
    topologyEdges,
  ] as unknown as readonly Stream<never>[]

  take(stream: string, value: unknown): void {
    switch (stream) {
      case incidents.name:
        return this.#put(this.incidents, (value as Incident).id, value as Incident)
      case anomalies.name:
        return this.#put(this.anomalies, (value as Anomaly).id, value as Anomaly)
      case decisions.name:
        return this.#put(this.decisions, (value as Decision).decision, value as Decision)
      case outcomes.name: {
        const outcome = value as Outcome
        const known = this.outcomes.get(outcome.decision) ?? []
        return this.#put(this.outcomes, outcome.decision, known.some(o => o.id === outcome.id) ? known : [...known, outcome])
      }
      case changes.name:
        this.changes.push(value as Change)
        if (this.changes.length > KEPT) this.changes.splice(0, KEPT / 4)
        return
      case topologyEdges.name: {
        const edge = value as TopologyEdge
        return this.#put(this.edges, `${edge.environment}\0${edge.from}\0${edge.to}\0${edge.kind}`, edge)
      }
    }
  }

  #put<T>(map: Map<string, T>, key: string, value: T): void {
    map.delete(key)
    map.set(key, value)
    if (map.size > KEPT) map.delete(map.keys().next().value!)
  }
}
