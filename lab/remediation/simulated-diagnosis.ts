/**
 * A diagnosis as root-cause analysis would hand it over, for a fault on a service graph: who shows what, who is suspected how much, of what.
 *
 * The faulty service shows signs of its own and is felt by those who call it, less with each step; a slow dependency also exhausts its callers'
 * pools, so that even a specific sign may be an effect. Each service's score is what it shows, less where a dependency explains it, plus noise; a softmax
 * over scores is the confidence, so the first suspect is right about as often as is said. `clarity` (0 to 1) is how much there is to see.
 * Numbers of metrics, lines and steps are drawn as widely as systems differ.
 */
import type { Cause, Incident } from '@aegis/domain'
import type { FAULT_KINDS } from '@aegis/remediation/encode-situation'

export type Kind = (typeof FAULT_KINDS)[number]
/** Callers and those they call, by index into `services`; who calls stands before whom it calls. */
export interface ServiceGraph {
  readonly services: readonly string[]
  readonly calls: readonly (readonly [from: number, to: number])[]
}
export interface HiddenFault {
  readonly kind: Kind
  /** What it may be called instead. */
  readonly takenFor: readonly Kind[]
  readonly root: number
  /** A deploy or change of configuration stands in the record. */
  readonly changed: boolean
}
const UNSPECIFIC: ReadonlySet<Kind> = new Set(['latency', 'error', 'network', 'unknown'])
/** Kinds that make callers slow rather than fail. */
const SLOWS: ReadonlySet<Kind> = new Set(['memory', 'cpu', 'pool', 'latency', 'network'])
const UNSPECIFIC_LEFT = 0.7

/** 3 to 12 services, each called by some earlier one: edge services first, stores last. */
export function drawGraph(random: () => number): ServiceGraph {
  const n = 3 + Math.floor(random() * 10)
  const calls: [number, number][] = []
  for (let to = 1; to < n; to++) {
    const callers = new Set([Math.floor(random() * to)])
    while (random() < 0.35 && callers.size < to) callers.add(Math.floor(random() * to))
    for (const from of callers) calls.push([from, to])
  }
  return { services: Array.from({ length: n }, (_, i) => `service:s${i}`), calls }
}

interface Shown {
  readonly kind: Kind
  /** How strong what it shows is, 0 to 1. */
  readonly strength: number
  readonly score: number
}

/** Who is felt from the faulty service up, and how many calls away. */
function distances({ services, calls }: ServiceGraph, root: number): number[] {
  const at = services.map(() => Infinity)
  at[root] = 0
  // Callers stand before whom they call, so one pass from the end suffices.
  for (let s = root; s >= 0; s--) for (const [from, to] of calls) if (to === s) at[from] = Math.min(at[from], at[s] + 1)
  return at
}
/** Entities from a service to the edge, the way it is felt. */
const pathLength = ({ calls }: ServiceGraph, service: number): number => {
  let length = 1
  for (let at = service; ; length++) {
    const caller = calls.find(([, to]) => to === at)
    if (!caller) return length
    at = caller[0]
  }
}

export interface DrawnDiagnosis {
  readonly causes: readonly Cause[]
  readonly health: Incident['health']
  readonly entities: readonly string[]
}

export function drawDiagnosis(graph: ServiceGraph, fault: HiddenFault, clarity: number, random: () => number): DrawnDiagnosis {
  const normal = () => random() + random() + random() + random() - 2
  const some = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]
  const away = distances(graph, fault.root)
  // How much is told of anything differs from system to system.
  const richness = 0.3 + 1.4 * random()
  const shown = graph.services.map((_, s): Shown | undefined => {
    const noise = 3 * normal()
    if (s === fault.root) {
      // A change just before the first sign is seen mostly; other causes show as far as there is something to see.
      const seen = fault.changed ? random() < 0.88 : random() < 0.3 + 0.68 * clarity
      const kind = seen ? fault.kind : some(fault.takenFor)
      const score = (UNSPECIFIC.has(kind) ? 0 : 0.9) + 3.2 * clarity + (fault.changed && seen ? 1.5 : 0)
      return { kind, strength: 0.45 + 0.5 * random(), score: score + noise }
    }
    if (Number.isFinite(away[s])) {
      if (random() > 0.92 * 0.8 ** (away[s] - 1)) return undefined
      const slow = SLOWS.has(fault.kind) ? random() < 0.75 : random() < 0.1
      const pool = slow && random() < 0.3
      const kind: Kind = pool ? 'pool' : random() < 0.1 ? 'unknown' : slow ? (random() < 0.12 ? 'cpu' : 'latency') : 'error'
      return { kind, strength: 0.15 + 0.6 * random(), score: (pool ? 1.1 : 0.4) - 0.4 * away[s] + noise }
    }
    // What the faulty one calls sees other traffic than usual; others are strange by chance.
    const called = graph.calls.some(([from, to]) => from === fault.root && to === s)
    if (random() > (called ? 0.4 : 0.1)) return undefined
    const kind = some(['error', 'latency', 'unknown', 'cpu', 'pool'] as const)
    return { kind, strength: 0.5 * random(), score: (called ? 0.3 : -0.6) + (kind === 'pool' ? 0.5 : 0) + noise }
  })
  const strange = shown.flatMap((what, s) => (what ? [{ s, what }] : [])).sort((a, b) => b.what.score - a.what.score)
  const sum = strange.reduce((total, { what }) => total + Math.exp(what.score), 0)
  const healthKnown = random()
  const causes = strange.slice(0, 5).map(({ s, what }, rank): Cause => {
    const probability = Math.exp(what.score) / sum
    const logs = what.kind === 'error' || what.kind === 'crash' || random() < 0.5 * richness ? 1 + Math.floor(random() * 3) : 0
    const metrics = random() < 0.75 * richness ? 1 + Math.floor(random() * 7 * richness) : 0
    const traces = random() < 0.15 * richness ? 1 : 0
    const change = what.kind === 'deploy' || what.kind === 'config' ? 1 : 0
    const evidence = [
      ...Array<string>(change).fill('change'),
      ...Array<string>(logs).fill('log'),
      ...Array<string>(metrics).fill('metric'),
      ...Array<string>(traces).fill('trace'),
    ].slice(0, 10)
    return {
      entity: graph.services[s],
      confidence: Math.min(0.99, probability * (UNSPECIFIC.has(what.kind) ? UNSPECIFIC_LEFT : 1)),
      score: what.score,
      path: Array.from({ length: Math.min(6, pathLength(graph, s)) }, (_, i) => graph.services[i]),
      metrics: Array.from({ length: metrics }, () => 'm'),
      evidence: (evidence.length > 0 ? evidence : ['metric']).map(kind => ({ kind, entity: '', text: '', time: 0, stream: '' })),
      against: Array.from({ length: rank === 0 ? Math.floor(random() * 2.5) : 1 + Math.floor(random() * 3) }, () => 'doubt'),
      explanation: '',
      fault_kind: what.kind,
    }
  })
  return {
    causes,
    health: graph.services
      .map((entity, s) => ({ entity, score: 1 - (shown[s]?.strength ?? 0) }))
      .filter(({ entity }) => causes[0].entity === entity || random() < healthKnown),
    entities: strange.map(({ s }) => graph.services[s]),
  }
}
