/**
 * Makes incidents whose cause is known: a random call graph with random load, one fault in it, and the metrics, spans and log lines that follow.
 * Everything about the system is drawn anew each time (domain randomisation, Tobin et al. 2017): size and shape of the graph, which kinds of
 * telemetry exist and what they are called, how noisy they are, how long the history is, whether it is of the same day, how the mix of
 * requests shifts. What is learned from it cannot be about any one system. Faults change what they would change physically (own time, time on
 * the wire, errors that stop a request half-way, resources), and symptoms follow from the call tree alone.
 */
import type { CaseLine, CaseSpan, CauseCase, CutSeries } from '@aegis/root-cause/case-evidence'

export type FaultKind = 'cpu' | 'memory' | 'network' | 'slow' | 'error' | 'crash' | 'pool' | 'disk' | 'none'
export const faultKinds: readonly FaultKind[] = ['cpu', 'memory', 'network', 'slow', 'error', 'crash', 'pool', 'disk']
export interface SimulatedCase {
  readonly evidence: CauseCase
  readonly cause: string
  readonly fault: FaultKind
  /** Series the fault moved at the cause itself. */
  readonly metrics: readonly string[]
  readonly alert?: { readonly entity: string; readonly metric: string }
  /** Somebody notices: requests that enter take 5 % longer, or half a percent of them fails. */
  readonly felt: boolean
}
export interface SimulateOptions {
  /** Default: drawn. "none" makes a quiet window. */
  readonly fault?: FaultKind
  /** Most entities. Default 45. */
  readonly entities?: number
  /** A graph to fail on, from who depends to what is depended on. Default: drawn. */
  readonly graph?: { readonly entities: readonly string[]; readonly edges: readonly (readonly [string, string])[] }
}

interface Visit {
  operation: string
  /** Calls in order, each made with a probability. */
  calls: { to: number; visit: Visit; share: number }[]
  statements: { text: string; share: number; severe: boolean }[]
}

export const simulateCase = (random: () => number, options: SimulateOptions = {}): SimulatedCase => {
  const between = (a: number, b: number) => a + (b - a) * random()
  const whole = (a: number, b: number) => Math.floor(between(a, b + 1))
  const chance = (p: number) => random() < p
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const logn = (s: number) => Math.exp(s * normal())
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]

  // The system.
  const given = options.graph
  const n = given ? given.entities.length : whole(6, options.entities ?? 45)
  const names = given ? [...given.entities] : Array.from({ length: n }, (_, i) => `entity-${i}`)
  const callees: number[][] = names.map(() => [])
  const roots = [0]
  if (given) {
    const at = new Map(names.map((name, i) => [name, i]))
    for (const [from, to] of given.edges) if (from !== to) callees[at.get(from)!].push(at.get(to)!)
    const called = new Set(callees.flat())
    roots.splice(0, 1, ...names.keys().filter(i => !called.has(i) && callees[i].length > 0))
    // A ring has no entrance of its own.
    if (roots.length === 0) roots.push(0)
  } else
    for (let i = 1; i < n; i++)
      if (chance(0.08)) roots.push(i)
      else for (let k = whole(1, 2); k > 0; k--) callees[whole(0, Math.min(i - 1, Math.floor(i * 0.7) + 1))].push(i)
  const edges: [string, string][] = []
  callees.forEach((list, i) => {
    callees[i] = [...new Set(list)]
    for (const j of callees[i]) edges.push([names[i], names[j]])
  })
  const self = names.map(() => 2000 * logn(1))
  const wire = 800 * logn(0.5)
  const visitOf = (i: number, depth: number): Visit => ({
    operation: `op-${i}-${whole(0, 2)}`,
    calls:
      depth > 6
        ? []
        : callees[i]
            .filter(() => chance(0.7))
            .map(to => ({ to, visit: visitOf(to, depth + 1), share: chance(0.6) ? 1 : between(0.2, 0.9) })),
    statements: Array.from({ length: whole(1, 4) }, (_, k) => ({
      text: `statement ${i}.${k}`,
      share: chance(0.7) ? 1 : between(0.1, 0.9),
      severe: chance(0.03),
    })),
  })
  const entries = Array.from({ length: whole(1, 5) + roots.length - 1 }, (_, k) => {
    const root = roots[k % roots.length]
    return { root, visit: visitOf(root, 0), share: logn(0.7) }
  })
  const active = new Set<number>()
  const walk = (i: number, v: Visit) => {
    active.add(i)
    for (const c of v.calls) walk(c.to, c.visit)
  }
  for (const e of entries) walk(e.root, e.visit)

  // The fault.
  const fault = options.fault ?? pick(faultKinds)
  const at = pick([...active])
  const hard = between(0.3, 1)
  const slow = names.map(() => 1)
  let delay = 0
  let failing = 0
  if (fault === 'cpu') slow[at] = 1 + 4 * hard * between(0.2, 1)
  if (fault === 'memory') slow[at] = 1 + 1.5 * hard * random()
  if (fault === 'slow' || fault === 'pool' || fault === 'disk') slow[at] = 2 + 15 * hard * random()
  if (fault === 'network') delay = wire * between(3, 60) * hard
  if (fault === 'error') failing = between(0.25, 1)
  if (fault === 'crash') failing = 1
  const propagates = between(0.3, 1)
  // Many systems swallow errors of their own: they answer, but wrongly or with half the work done.
  const swallowed = fault === 'error' && chance(0.5)
  const broken = fault === 'error' ? pick([...operationsOf(entries, at)]) : undefined

  // What a visit costs and whether it fails, now and before; means for metrics, draws for spans.
  interface Load {
    visits: number
    time: number
    client: number
    failures: number
  }
  const measure = (ill: boolean, shares: readonly number[]): Load[] => {
    const loads = names.map((): Load => ({ visits: 0, time: 0, client: 0, failures: 0 }))
    const go = (i: number, v: Visit, weight: number): [number, number] => {
      const gone = ill && fault === 'crash' && i === at
      let own = ill && i === at && (broken === undefined || broken === v.operation) ? failing : 0
      let time = self[i] * (ill ? slow[i] : 1)
      let alive = 1 - own * 0.6
      for (const c of v.calls) {
        if (gone) break
        const [t, f] = go(c.to, c.visit, weight * c.share * alive)
        const way = wire + (ill && (i === at || c.to === at) ? delay : 0)
        time += (t + way) * c.share * alive
        const passed = f * propagates * c.share
        own = 1 - (1 - own) * (1 - passed)
        alive *= 1 - passed * 0.8
      }
      const l = loads[i]
      l.visits += gone ? weight * 0.02 : weight
      l.time += time * weight
      l.client += (time + wire + (ill && i === at ? delay * 2 : 0)) * weight
      const seen = swallowed && ill && i === at ? own * 0.02 : own
      l.failures += seen * weight
      return [time, seen]
    }
    for (const [k, e] of entries.entries()) go(e.root, e.visit, shares[k])
    return loads
  }
  const volume = 60 * logn(1.2)
  const sharesBefore = entries.map(e => e.share * volume)
  const load = logn(0.3)
  const mix = between(0.05, 0.6)
  const sharesNow = sharesBefore.map(s => s * logn(mix) * load)
  const was = measure(false, sharesBefore)
  const ill = fault !== 'none'
  const is = measure(ill, sharesNow)
  // Slow requests hold up those who ask: all load falls in a closed loop.
  const held = chance(0.5) ? Math.min(1, Math.sqrt(was[0].time / was[0].visits / (is[0].time / Math.max(1e-9, is[0].visits)))) : 1

  // Metrics.
  const style = whole(0, 3)
  const noise = between(0.02, 0.25)
  const otherDay = chance(0.3)
  const drift = otherDay ? between(0.05, 0.4) : between(0, 0.08)
  const rowsBefore = chance(0.5) ? whole(6, 30) : whole(30, 200)
  const rowsNow = chance(0.7) ? whole(4, 6) : whole(10, 120)
  const late = chance(0.3) ? 1 : 0
  const untraced = new Set(names.filter(() => chance(0.05)))
  const series: CutSeries[] = []
  const moved: string[] = []
  const add = (i: number, metric: string, before: number, now: number, wobble = noise, top = Number.POSITIVE_INFINITY) => {
    // What is used follows what is asked; times wander more.
    const wander = drift * (metric === words.cpu || metric === words.memory ? 0.4 : 1)
    const level = wander > 0 ? logn(wander * (chance(0.15) ? 4 : 0.6)) : 1
    const spiky = chance(0.15)
    const dirt = chance(0.2) ? between(0.05, 0.2) : 0
    const bend = (v: number) => Math.min(top, Math.max(0, v))
    const draw = (value: number) => bend(value * Math.exp(wobble * normal()) * (spiky && chance(0.05) ? between(1, 4) : 1))
    series.push({
      entity: names[i],
      metric,
      before: Array.from({ length: rowsBefore }, () => draw(chance(dirt) ? before + (now - before) * random() : before)),
      after: Array.from({ length: rowsNow }, (_, k) =>
        draw((k < late ? before : now) * (top < Number.POSITIVE_INFINITY ? 1 : level)),
      ),
    })
    if (ill && i === at && Math.abs(now - before) > 0.15 * before + 1e-9) moved.push(metric)
  }
  const resources = style !== 1
  const words = {
    cpu: pick(['cpu_usage', 'cpu', 'process_cpu_seconds_rate', 'container_cpu_percent']),
    memory: pick(['memory_bytes', 'mem', 'heap_used', 'container_memory_rss']),
    latency: pick(['latency', 'request_duration', 'response_time']),
    error: pick(['errors', 'error_rate', 'http_5xx']),
    success: pick(['success_rate', 'availability']),
    traffic: pick(['requests', 'request_rate', 'throughput', 'workload']),
  }
  const rated = chance(0.5)
  const client = chance(0.4)
  const latencies = style !== 3 || chance(0.5)
  for (let i = 0; i < n; i++) {
    const a = was[i]
    const b = is[i]
    const idle = a.visits === 0
    const here = ill && i === at
    const growth = idle ? 1 : (b.visits * held) / a.visits
    // What hardly works is measured coarsely: few requests, numbers near nothing.
    const rough = noise * (1 + 4 / Math.sqrt(1 + Math.min(a.visits, b.visits)))
    const idleShare = idle ? 0.05 * logn(1) : 1
    if (resources) {
      const cpu = 5 * logn(1) * idleShare
      const busy = 0.3 + 0.7 * growth
      const jump = here
        ? fault === 'cpu'
          ? between(1.5, 20)
          : fault === 'memory'
            ? between(1, 2.5)
            : fault === 'crash'
              ? 0.05
              : fault === 'slow'
                ? between(1, 1.4)
                : 1
        : 1
      add(i, words.cpu, cpu, cpu * busy * jump, rough)
      if (rated) add(i, `${words.cpu}_limit_share`, cpu / 50, (cpu / 50) * busy * jump, rough)
      const memory = 2e8 * logn(0.8)
      add(
        i,
        words.memory,
        memory,
        memory *
          (here ? (fault === 'memory' ? between(1.3, 4) : fault === 'cpu' ? between(1, 1.15) : fault === 'crash' ? 0.3 : 1) : 1),
        noise * 0.3,
      )
      if (style === 2) {
        add(i, 'network_receive_bytes', 1e5, 1e5 * growth)
        add(i, 'disk_write_bytes', 1e4, 1e4 * (here && fault === 'disk' ? between(3, 50) : 1), noise * 3)
        add(
          i,
          'threads_waiting',
          2,
          2 *
            (here && fault === 'pool'
              ? between(4, 30)
              : idle
                ? 1
                : Math.min(6, b.time / Math.max(1, b.visits) / (a.time / a.visits))),
          noise * 2,
        )
        add(i, 'node_cpu_percent', 30, 30 * (here && fault === 'cpu' ? between(1, 2) : 1), noise * 2)
      }
    }
    if (idle && chance(0.3)) {
      // Probes keep even idle things answering.
      add(i, `${words.latency}_${client ? 'client_' : ''}p90`, 500 * logn(1), 500 * logn(1), noise * 4)
      add(i, words.traffic, 1, 1, noise * 3)
    }
    if (idle || b.visits === 0) continue
    if (latencies)
      for (const [q, spread] of pick([
        [['p50', 1]],
        [
          ['p50', 1],
          ['p90', 1.8],
          ['p99', 3],
        ],
      ] as [string, number][][])) {
        add(
          i,
          `${words.latency}_${client ? 'server_' : ''}${q}`,
          (a.time / a.visits) * spread,
          (b.time / b.visits) * spread,
          rough * spread * 0.7,
        )
        if (client)
          add(
            i,
            `${words.latency}_client_${q}`,
            (a.client / a.visits) * spread,
            (b.client / b.visits) * spread,
            rough * spread * 0.7,
          )
      }
    const errors = 0.002 * random()
    const failed = Math.min(1, b.failures / b.visits + errors)
    if (style !== 3) {
      const share = (p: number, visits: number) => {
        const of = Math.max(1, Math.round(visits))
        let bad = 0
        for (let k = 0; k < Math.min(of, 400); k++) if (chance(p)) bad++
        return 100 * (1 - bad / Math.min(of, 400))
      }
      const usual = chance(0.1) ? between(0.05, 0.8) : errors
      if (rated) {
        series.push({
          entity: names[i],
          metric: words.success,
          before: Array.from({ length: rowsBefore }, () => share(usual, a.visits)),
          after: Array.from({ length: rowsNow }, (_, k) =>
            share(k < late ? usual : Math.min(1, usual + failed), b.visits * held),
          ),
        })
        if (ill && i === at && failed > 0.02) moved.push(words.success)
      } else add(i, words.error, a.visits * errors, b.visits * held * failed, 0.4)
    }
    add(i, words.traffic, a.visits, b.visits * held)
  }

  // Spans and lines.
  const traced = chance(0.6)
  const logged = chance(0.5)
  const clients = chance(0.7)
  const statuses = chance(0.4)
  const bias = logn(mix)
  // The quiet time may be of another day, when each entity was a little faster or slower, and some wrote of troubles nobody felt.
  const pace = names.map(() => (otherDay || chance(0.3) ? logn(0.35) : logn(0.05)))
  const mutters = names.map(() => (chance(0.08) ? between(0.02, 0.3) : 0))
  const record = (unwell: boolean, shares: readonly number[], count: number): { spans: CaseSpan[]; lines: CaseLine[] } => {
    const spans: CaseSpan[] = []
    const lines: CaseLine[] = []
    let id = 0
    const sum = shares.reduce((a, b) => a + b)
    const go = (i: number, v: Visit, trace: string, parent: string, start: number): { time: number; failed: boolean } => {
      if (unwell && fault === 'crash' && i === at) return { time: wire, failed: true }
      const me = `${id++}`
      let time = self[i] * logn(0.3) * (unwell ? slow[i] * pace[i] : 1)
      const stops = unwell && i === at && fault === 'error' && v.operation === broken && chance(failing)
      const stopAt = stops ? whole(0, v.calls.length) : v.calls.length
      let failed = stops
      const half = Math.floor(v.statements.length / 2)
      const say = (s: { text: string; share: number; severe: boolean }) => {
        if (logged && chance(s.share))
          lines.push({
            time: start + time,
            entity: names[i],
            template: s.text,
            text: s.text,
            severity: s.severe ? 'ERROR' : 'INFO',
            trace,
            span: me,
          })
      }
      for (const s of v.statements.slice(0, stops ? whole(0, half) : half)) say(s)
      for (const [k, c] of v.calls.entries()) {
        if (k >= stopAt || failed) break
        if (!chance(c.share < 1 && unwell ? Math.min(1, c.share * bias) : c.share)) continue
        const way = (wire + (unwell && (i === at || c.to === at) ? delay : 0)) * logn(0.3)
        const hidden = untraced.has(names[c.to])
        const span = clients && !hidden ? `${id++}` : me
        const r = go(c.to, c.visit, trace, span, start + time + way / 2)
        if (span !== me)
          spans.push({
            start: start + time,
            duration: r.time + way,
            trace,
            id: span,
            parent: me,
            entity: names[i],
            operation: `call ${c.visit.operation}`,
            ...(statuses && r.failed ? { failed: true } : {}),
          })
        time += r.time + way
        if (r.failed && !swallowed && chance(propagates)) failed = true
      }
      if (unwell && chance(mutters[i])) say({ text: `warning of ${i}`, share: 1, severe: chance(0.5) })
      if (stops && chance(0.6)) say({ text: `failed in ${i}`, share: 1, severe: true })
      if (!failed) for (const s of v.statements.slice(half)) say(s)
      else if (!stops && chance(0.4)) say({ text: `request failed ${i}`, share: 1, severe: true })
      if (!untraced.has(names[i]))
        spans.push({
          start,
          duration: time,
          trace,
          id: me,
          parent,
          entity: names[i],
          operation: v.operation,
          ...(statuses && failed && chance(0.8) ? { failed: true } : {}),
        })
      return { time, failed }
    }
    for (let t = 0; t < count; t++) {
      let r = random() * sum
      const k = Math.max(
        0,
        shares.findIndex(s => (r -= s) <= 0),
      )
      go(entries[k].root, entries[k].visit, `${unwell}-${t}`, '', 1e9 + t * 1e6)
    }
    return { spans, lines }
  }
  const quiet = traced || logged ? record(false, sharesBefore, whole(20, 120)) : { spans: [], lines: [] }
  const now = traced || logged ? record(true, sharesNow, whole(20, 150)) : { spans: [], lines: [] }
  // The alert comes from where requests enter.
  const entrance = entries.find(e => reaches(e.visit, e.root, at))?.root ?? 0
  const alerted = chance(0.4) && (failing > 0 ? style !== 3 && !swallowed : latencies) && ill
  return {
    evidence: {
      entities: names,
      edges: edges.filter(() => chance(0.95)),
      series,
      spans: traced ? now.spans : [],
      spansBefore: traced ? quiet.spans : [],
      lines: logged ? now.lines.sort((x, y) => x.time - y.time) : [],
      linesBefore: logged ? quiet.lines.sort((x, y) => x.time - y.time) : [],
    },
    cause: names[at],
    fault,
    metrics: moved,
    felt: entries.some(({ root }) => {
      const per = (l: Load, sum: number) => sum / Math.max(1e-9, l.visits)
      return per(is[root], is[root].time) > 1.05 * per(was[root], was[root].time) || per(is[root], is[root].failures) > 0.005
    }),
    ...(alerted
      ? {
          alert: {
            entity: names[entrance],
            metric: failing > 0 ? (rated ? words.success : words.error) : `${words.latency}_p50`,
          },
        }
      : {}),
  }
}

const operationsOf = (entries: readonly { root: number; visit: Visit }[], at: number): Set<string> => {
  const found = new Set<string>()
  const walk = (i: number, v: Visit) => {
    if (i === at) found.add(v.operation)
    for (const c of v.calls) walk(c.to, c.visit)
  }
  for (const e of entries) walk(e.root, e.visit)
  return found
}

const reaches = (v: Visit, from: number, to: number): boolean => from === to || v.calls.some(c => reaches(c.visit, c.to, to))
