import {
  type Anomaly,
  anomalies,
  type Change,
  changes,
  controls,
  EnvironmentClocks,
  emit,
  feedback,
  type Incident,
  type Input,
  idOf,
  incidents,
  isFinal,
  isFrom,
  type Outcome,
  outcomes,
  type Result,
  type Stage,
  type Stateful,
  type Tick,
  type TimelineEntry,
  type Topology,
  type TraceContext,
} from '@aegis/domain'
import {
  belongs,
  type HeldCause,
  hasImpact,
  holdCause,
  type IncidentGroup,
  type IncidentPart,
  isSilence,
  newGroup,
  partsOf,
  type Ranking,
  type Remedy,
  rankCauses,
} from '@aegis/root-cause'
import { ConfirmedCauses, type ConfirmedState } from './confirmed-causes.ts'
import { entitiesOf, incidentWords, mergedWords } from './incident-words.ts'
import { MOST_NODES } from './most-nodes.ts'
import { Surroundings } from './surroundings.ts'

export interface DiagnoseOptions {
  readonly settleUs?: number
  readonly closeUs?: number
  readonly hops?: number
  /** Members that nothing connects for so long become incidents of their own, microseconds. Default 30 s. */
  readonly splitUs?: number
  /** Edges not seen for so long no longer stand, microseconds. Default one day. */
  readonly edgeAgeUs?: number
  /** Weights of the ranking by feature name. Default: those shipped. */
  readonly weights?: Readonly<Record<string, number>>
}
/** What is remembered at most: it all stands in the snapshot. */
const MOST = {
  anomalies: 300,
  loose: 1000,
  /** Entities whose surroundings are read at once: a neighbourhood that is too large is cut off. */
  asked: 20,
  changes: 1000,
  deeds: 100,
  notes: 20,
  remedies: 200,
} as const
/** Changes and loose anomalies older than this are of no use any more, microseconds. */
const KEEP_US = 15 * 60_000_000
/** A second suspect with so much of the first one's confidence makes it a close call. */
const CLOSE_SHARE = 0.6
/** What was done about an incident, and whether it is over and did not help. */
type Deed = TimelineEntry & { readonly outcome?: string; readonly failed?: boolean }

/** Anomalies to incidents: grouped over the service graph, causes ranked with their evidence, told whenever there is news. */
export class DiagnoseIncidents implements Stage, Stateful {
  readonly snapshotVersion = 4
  readonly #surroundings: Surroundings
  readonly #settleUs: number
  readonly #closeUs: number
  readonly #splitUs: number
  readonly #clocks = new EnvironmentClocks()
  readonly #confirmed = new ConfirmedCauses()
  readonly #weights: Readonly<Record<string, number>> | undefined
  #groups = new Map<string, IncidentGroup>()
  /** Anomalies without impact, waiting for an incident to belong to. */
  #loose = new Map<string, Anomaly>()
  #changes: Change[] = []
  /** What was done about each incident, with the outcome that said so. */
  #deeds: Record<string, Deed[]> = {}
  /** What was done in incidents of each environment and whether it helped, oldest first. */
  #remedies = new Map<string, Remedy[]>()
  /** Last ranking of each incident; kept as it was while an action on it is under way, which disturbs what it rests on. */
  #rankings: Record<string, { ranking: Ranking; kept: boolean; held?: HeldCause }> = {}
  /** Trace of the first traced anomaly of each incident. */
  #traces: Record<string, TraceContext> = {}
  /** Groups that became part of another one, and which. */
  #merged: { group: IncidentGroup; into: string }[] = []

  constructor(topology: Topology, options: DiagnoseOptions = {}) {
    this.#settleUs = options.settleUs ?? 3_000_000
    this.#closeUs = options.closeUs ?? 20_000_000
    this.#splitUs = options.splitUs ?? 30_000_000
    this.#surroundings = new Surroundings(topology, { hops: options.hops ?? 3, edgeAgeUs: options.edgeAgeUs ?? 86_400_000_000 })
    this.#weights = options.weights
  }

  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const input of batch) {
      if (this.#surroundings.take(input)) continue
      await this.#surroundings.write()
      if (isFrom(input, anomalies)) {
        const group = await this.#anomaly(input.value)
        if (group && input.trace) this.#traces[group.id] ??= input.trace
      } else if (isFrom(input, changes)) this.#changes.push(input.value)
      else if (isFrom(input, outcomes)) this.#deed(input.value)
      else if (isFrom(input, feedback)) this.#confirmed.confirm(input.value)
      else if (input.kind === 'tick' && input.stream.name === anomalies.name) {
        this.#clocks.see(input)
        await this.#surroundings.age(input, this.#clocks)
        for (const { group, into } of this.#merged.splice(0)) {
          group.revision++
          const words = mergedWords(group, into, { now: this.#clocks.now(group.environment), happened: this.#happened(group) })
          results.push(emit(incidents, words, input, this.#traces[group.id]))
        }
        for (const group of [...this.#groups.values()]) if (this.#clocks.moves(input, group.environment)) await this.#split(group)
        for (const group of [...this.#groups.values()]) {
          if (!this.#clocks.moves(input, group.environment)) continue
          const incident = await this.#advance(group, input)
          if (incident) results.push(emit(incidents, incident, input, this.#traces[group.id]))
        }
        this.#forget()
      }
    }
    await this.#surroundings.write()
    return results
  }

  async #anomaly(a: Anomaly): Promise<IncidentGroup | undefined> {
    for (const group of this.#groups.values())
      if (group.anomalies[a.id]) {
        this.#join(group, a)
        return group
      }
    // A log unlike its usual self with nothing wrong in it is worth reading, but no sign of a fault.
    if (a.state === 'close' || (a.kind === 'log' && a.severity === 'low')) {
      this.#loose.delete(a.id)
      return undefined
    }
    const here = [...this.#groups.values()].filter(g => g.environment === a.environment)
    // The graph is asked only when there is something to hold it against: the first sign of an incident must not wait for it.
    const graph = here.length > 0 ? await this.#surroundings.near(a.environment, [a.entity]) : { nodes: [], edges: [] }
    const [group, ...more] = here.filter(g => belongs(g, a.entity, graph))
    if (group) {
      this.#join(group, a)
      // An anomaly between two incidents makes one of them; what is being acted on stays as it is.
      if (graph.edges.length > 0) for (const other of more) if (!this.#deeds[other.id]) this.#merge(other, group)
      return group
    }
    if (!hasImpact(a)) {
      this.#loose.set(a.id, a)
      return undefined
    }
    const fresh = newGroup(a)
    this.#groups.set(fresh.id, fresh)
    this.#join(fresh, a)
    const waiting = [...this.#loose.values()].filter(other => other.environment === a.environment)
    for (let i = 0; i < waiting.length; i += MOST.asked) {
      const some = waiting.slice(i, i + MOST.asked)
      const around = await this.#surroundings.near(a.environment, entitiesOf(some))
      for (const other of some)
        if (belongs(fresh, other.entity, around)) {
          this.#loose.delete(other.id)
          this.#join(fresh, other)
        }
    }
    return fresh
  }

  #merge(from: IncidentGroup, into: IncidentGroup): void {
    this.#groups.delete(from.id)
    into.anomalies = { ...from.anomalies, ...into.anomalies }
    into.impact = { ...from.impact, ...into.impact }
    into.started = Math.min(into.started, from.started)
    into.changed = Math.max(into.changed, from.changed)
    // One that nobody was told of needs no word of its end.
    if (from.revision > 0) this.#merged.push({ group: from, into: into.id })
  }

  /** Members that nothing has connected for a while go on as incidents of their own; what nobody notices waits for one to belong to. */
  async #split(group: IncidentGroup): Promise<void> {
    const now = this.#clocks.now(group.environment)
    const graph = await this.#surroundings.of(group, entitiesOf(Object.values(group.anomalies)))
    // What is being acted on or over stays as it is; and a neighbourhood that was cut off may have the connection in the part not read.
    const stays = this.#deeds[group.id] || Object.keys(group.impact).length === 0 || graph.nodes.length >= MOST_NODES
    const [rest, ...parts] = stays ? [[]] : partsOf(group, graph)
    if (parts.length === 0) {
      delete group.apart
      return
    }
    const key = parts.map(part => entitiesOf(part).join(' ')).join(' | ')
    if (group.apart?.key !== key) group.apart = { key, since: now }
    if (now - group.apart.since < this.#splitUs) return
    delete group.apart
    for (const part of parts) this.#part(group, part, now)
    group.started = Math.min(...rest.map(a => a.started))
  }
  #part(group: IncidentGroup, part: IncidentPart, now: number): void {
    const noticed = part.find(a => group.impact[a.id])
    // The time makes it another incident than one that was split off before and merged again.
    const fresh = noticed && { ...newGroup(noticed), id: idOf('incident', group.environment, noticed.id, group.id, now) }
    for (const a of part) {
      delete group.anomalies[a.id]
      delete group.impact[a.id]
      if (fresh) this.#join(fresh, a)
      else if (a.state !== 'close') this.#loose.set(a.id, a)
    }
    const entities = entitiesOf(part).join(', ')
    const note = (text: string): TimelineEntry => ({ time: now, entity: part[0].entity, text })
    group.notes = [
      ...(group.notes ?? []),
      note(
        fresh
          ? `${entities}: goes on as incident ${fresh.id}, as nothing connects it with the rest`
          : `${entities}: no part of it, as nothing connects it with the rest`,
      ),
    ].slice(-MOST.notes)
    if (!fresh) return
    fresh.splitFrom = group.id
    fresh.notes = [note(`was taken for a part of incident ${group.id} until now`)]
    this.#groups.set(fresh.id, fresh)
  }

  #join(group: IncidentGroup, a: Anomaly): void {
    const known = group.anomalies[a.id]
    // A series that is back in its band has still been part of the story.
    const series = [...(a.series ?? []), ...(known?.series ?? []).filter(k => !a.series?.some(g => g.metric === k.metric))]
    group.anomalies[a.id] = { ...a, series }
    if (a.state !== 'close' && hasImpact(a)) group.impact[a.id] = true
    else delete group.impact[a.id]
    this.#loose.delete(a.id)
    const ids = Object.keys(group.anomalies)
    if (ids.length > MOST.anomalies) {
      const oldest = ids.find(id => !group.impact[id] && id !== a.id)
      if (oldest) delete group.anomalies[oldest]
    }
    group.started = Math.min(group.started, a.started)
    if (
      a.state !== 'close' &&
      (!known || known.severity !== a.severity || (known.series ?? []).length !== (a.series ?? []).length)
    )
      group.changed = a.time
  }

  #deed(o: Outcome): void {
    if (!this.#groups.has(o.incident)) return
    const list = (this.#deeds[o.incident] ??= [])
    // Outcomes come at least once.
    if (list.some(d => d.outcome === o.id)) return
    const last = this.#rankings[o.incident]
    if (last && o.action !== 'page') last.kept = o.status === 'started' || o.status === 'carried_out' || o.status === 'done'
    const group = this.#groups.get(o.incident)!
    if (o.action !== 'page' && (o.status === 'done' || o.status === 'undone' || o.status === 'failed')) {
      const known = this.#remedies.get(group.environment) ?? []
      const entities = entitiesOf(Object.values(group.anomalies))
      known.push({ incident: o.incident, target: o.target, entities, healed: o.status === 'done' })
      this.#remedies.set(group.environment, known.slice(-MOST.remedies))
    }
    if (list.length >= MOST.deeds) list.shift()
    list.push({
      outcome: o.id,
      ...(o.action !== 'page' && isFinal(o) && o.status !== 'done' && { failed: true }),
      time: o.time,
      entity: o.target,
      text: `${o.action}: ${o.status}${o.error ? ` (${o.error})` : ''}`,
    })
  }

  /** Where the incident stands now; told only when that is news. */
  async #advance(group: IncidentGroup, { final, inForce }: Tick): Promise<Incident | undefined> {
    const now = this.#clocks.now(group.environment)
    const all = Object.values(group.anomalies)
    const windows = (inForce(controls, group.environment)?.maintenance ?? []).filter(w => now >= w.from && now < w.to)
    const reasonFor = (entity: string) => windows.find(w => !w.entities?.length || w.entities.includes(entity))?.reason
    // Somebody is at work on all that is hit: nobody is called, unless it lasts beyond the window or reaches others.
    if (group.revision === 0 && windows.length > 0 && all.every(a => !group.impact[a.id] || reasonFor(a.entity) !== undefined)) {
      if (Object.keys(group.impact).length === 0) this.#groups.delete(group.id)
      return undefined
    }
    let state = group.revision === 0 ? 'open' : 'updated'
    if (Object.keys(group.impact).length === 0) {
      if (group.state === 'open') {
        group.state = 'mitigated'
        group.mitigatedAt = now
      }
      state = now - group.mitigatedAt >= this.#closeUs || final ? 'closed' : 'mitigated'
    } else if (group.state === 'mitigated') {
      group.state = 'open'
      state = 'reopened'
    }
    // The first sign is seldom the cause: causes are named once the picture has had time to settle.
    const settled =
      final || now - Math.min(...all.map(a => a.time)) >= this.#settleUs || now - group.started >= 3 * this.#settleUs
    const entities = entitiesOf(all)
    const graph = await this.#surroundings.of(group, entities)
    const last = this.#rankings[group.id]
    const fresh: Ranking = last?.kept
      ? last.ranking
      : rankCauses(
          {
            anomalies: all,
            graph,
            addresses: this.#surroundings.addresses(group.environment),
            changes: this.#changes.filter(c => c.environment === group.environment),
            remedies: (this.#remedies.get(group.environment) ?? []).filter(r => r.incident !== group.id),
          },
          { weights: this.#weights, calibration: this.#confirmed.calibration(group.environment) },
        )
    // What was tried on it without help frees the place.
    const failed = (this.#deeds[group.id] ?? []).some(d => d.failed && d.entity === last?.held?.entity)
    const isGone = (entity: string) =>
      all.some(a => a.entity === entity && a.state !== 'close' && a.series?.some(g => isSilence(g.metric)))
    const { ranking, held } = last?.kept
      ? { ranking: fresh, held: last.held }
      : holdCause(fresh, failed ? undefined : last?.held, { graph, now, isGone })
    this.#rankings[group.id] = { ranking, kept: last?.kept ?? false, held: settled ? held : undefined }
    // Two suspects nearly alike: a few more seconds tell them apart better than an action on the wrong one.
    const [first, second] = ranking.causes
    const close = second !== undefined && second.confidence > CLOSE_SHARE * first.confidence
    const clear = !close || final || now - group.started >= 4 * this.#settleUs
    const named = settled && clear ? ranking : { ...ranking, verdict: 'not_enough_evidence' as const }
    const told = JSON.stringify([
      state,
      named.verdict,
      named.causes.map(c => [c.entity, c.fault_kind, Math.round(c.confidence * 10)]),
      entities,
      // Who decides what is tried next waits to hear what is thought now that this did not help.
      (this.#deeds[group.id] ?? []).filter(d => d.failed).length,
    ])
    if (state === 'closed') this.#groups.delete(group.id)
    if (told === group.told) return undefined
    group.told = told
    group.revision++
    if (named.verdict === 'cause_named') {
      const { id, environment } = group
      this.#confirmed.told({ incident: id, environment, cause: named.causes[0].entity, margin: named.margin })
    }
    const maintained = entities.flatMap(entity => {
      const reason = reasonFor(entity)
      return reason === undefined ? [] : [{ time: group.started, entity, text: `under maintenance: ${reason}` }]
    })
    return incidentWords(group, { state, now, graph, ranking: named, happened: [...this.#happened(group), ...maintained] })
  }

  /** Changes around the incident, and what was done about it. */
  #happened(group: IncidentGroup): TimelineEntry[] {
    const all = Object.values(group.anomalies)
    return [
      ...this.#changes
        .filter(
          c => c.environment === group.environment && all.some(a => a.entity === c.entity) && c.time > group.started - KEEP_US,
        )
        .map(c => ({ time: c.time, entity: c.entity, text: `${c.kind}: ${c.before || '?'} → ${c.after}` })),
      ...(this.#deeds[group.id] ?? []).map(({ outcome: _outcome, failed: _failed, ...entry }) => entry),
    ]
  }

  #forget(): void {
    this.#changes = this.#changes.filter(c => c.time > this.#clocks.now(c.environment) - KEEP_US).slice(-MOST.changes)
    for (const id of this.#loose.keys()) {
      if (this.#loose.size <= MOST.loose) break
      this.#loose.delete(id)
    }
    for (const [id, a] of this.#loose) if (a.time < this.#clocks.now(a.environment) - KEEP_US) this.#loose.delete(id)
    for (const id of Object.keys(this.#deeds)) if (!this.#groups.has(id)) delete this.#deeds[id]
    for (const id of Object.keys(this.#traces)) if (!this.#groups.has(id)) delete this.#traces[id]
    this.#surroundings.forget(id => this.#groups.has(id))
    for (const id of Object.keys(this.#rankings)) if (!this.#groups.has(id)) delete this.#rankings[id]
  }

  snapshot(): Uint8Array {
    return Buffer.from(
      JSON.stringify({
        clocks: this.#clocks,
        groups: [...this.#groups],
        loose: [...this.#loose],
        changes: this.#changes,
        deeds: this.#deeds,
        remedies: [...this.#remedies],
        rankings: this.#rankings,
        traces: this.#traces,
        merged: this.#merged,
        ...this.#confirmed.toJSON(),
        aged: this.#surroundings,
      }),
    )
  }
  restore(bytes: Uint8Array, version = this.snapshotVersion): void {
    const state = JSON.parse(Buffer.from(bytes).toString())
    this.#clocks.fromJSON(state.clocks)
    this.#groups = new Map(state.groups)
    // Before version 2 it was not kept which anomalies people notice.
    if (version < 2)
      for (const group of this.#groups.values())
        group.impact = Object.fromEntries(
          Object.values(group.anomalies)
            .filter(a => a.state !== 'close' && hasImpact(a))
            .map(a => [a.id, true]),
        )
    this.#loose = new Map(state.loose)
    this.#changes = state.changes
    this.#deeds = state.deeds
    this.#traces = state.traces ?? {}
    // Before version 3 neither was kept.
    this.#rankings = state.rankings ?? {}
    // Before version 4 confidence rested on another measure, with which what was confirmed cannot be held against rankings of today.
    this.#confirmed.fromJSON(version < 4 ? {} : (state as ConfirmedState))
    if (version < 4) for (const { ranking } of Object.values(this.#rankings)) Object.assign(ranking, { margin: 0 })
    this.#merged = state.merged ?? []
    this.#remedies = new Map(state.remedies ?? [])
    this.#surroundings.fromJSON(state.aged)
  }
}
