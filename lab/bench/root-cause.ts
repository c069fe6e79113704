/**
 * Ranking on large graphs: random call graphs with evidence on one entity in ten, ranked by fuse-evidence, beside PageRank of networkx
 * (pure Python) personalised on the same evidence, in the same run. `--services N --edges M --runs K`; `--accept` writes the figures to root-cause.json, one entry for
 * each size of graph. Where NEO4J_URI names a server
 * (`aegis stack up`, `aegis stack env`), also edges merged a second, and the time from the last anomaly to the told incident with the graph
 * in it; its environment is of this run alone and its edges stay behind. With `--server-pid N` (Neo4j's) the same for each second of processor
 * time of both sides, which is what a busy machine can be asked.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import path from 'node:path'
import { type Anomaly, anomalies, type Edge, type Input, incidents, seededRandom } from '@aegis/domain'
import { type Finding, findingKinds, fuseEvidence } from '@aegis/root-cause'

const option = (args: readonly string[], name: string, otherwise: number): number => {
  const at = args.indexOf(`--${name}`)
  return at < 0 ? otherwise : Number(args[at + 1])
}
const quantile = (sorted: readonly number[], q: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]

const graphOf = (services: number, count: number, seed: number) => {
  const random = seededRandom(seed)
  const entities = Array.from({ length: services }, (_, i) => `service:${i}`)
  const edges = Array.from({ length: count }, () => {
    const from = Math.floor(random() * (services - 1))
    return [entities[from], entities[from + 1 + Math.floor(random() * (services - from - 1))]] as const
  })
  const findings: Finding[] = []
  for (const entity of entities)
    if (random() < 0.1)
      for (let k = 0; k < 4; k++)
        findings.push({
          entity,
          kind: findingKinds[Math.floor(random() * findingKinds.length)],
          strength: Math.exp(random() * 4),
          name: `m${k}`,
          before: 1,
          after: 2,
        })
  return { entities, edges, findings }
}

const PEER = `
import sys, json, time
try:
    import networkx as nx
    from networkx.algorithms.link_analysis.pagerank_alg import _pagerank_python
except ImportError:
    print('null'); sys.exit()
d = json.load(sys.stdin)
g = nx.DiGraph(); g.add_nodes_from(d['entities']); g.add_edges_from(map(tuple, d['edges']))
p = {}
for f in d['findings']: p[f['entity']] = p.get(f['entity'], 0) + f['strength']
t = []
for _ in range(3):
    s = time.perf_counter(); r = _pagerank_python(g, personalization=p); sorted(r, key=r.get, reverse=True)[:5]; t.append(time.perf_counter() - s)
print(json.dumps({'version': nx.__version__, 'ms': min(t) * 1000}))
`

export const run = async (args: readonly string[]): Promise<void> => {
  const services = option(args, 'services', 10_000)
  const edges = option(args, 'edges', 100_000)
  const runs = option(args, 'runs', 40)
  const c = graphOf(services, edges, 1)
  const times: number[] = []
  const busy: number[] = []
  for (let i = 0; i < runs + 3; i++) {
    const started = performance.now()
    const cpu = process.threadCpuUsage()
    fuseEvidence({ entities: c.entities, edges: c.edges, series: [] }, { findings: c.findings })
    const { user, system } = process.threadCpuUsage(cpu)
    if (i < 3) continue
    times.push(performance.now() - started)
    busy.push((user + system) / 1000)
  }
  times.sort((a, b) => a - b)
  busy.sort((a, b) => a - b)
  console.log(`${services} services, ${edges} edges, ${c.findings.length} findings, ${runs} runs`)
  console.log(`fused ranking      p50 ${quantile(times, 0.5).toFixed(1)} ms  p95 ${quantile(times, 0.95).toFixed(1)} ms`)
  // What it takes of a core, whoever else wants it.
  console.log(`  processor time   p50 ${quantile(busy, 0.5).toFixed(1)} ms  p95 ${quantile(busy, 0.95).toFixed(1)} ms`)
  const peer = spawnSync('python3', ['-c', PEER], { input: JSON.stringify(c), encoding: 'utf8', maxBuffer: 1 << 26 })
  const said = peer.status === 0 ? (JSON.parse(peer.stdout.trim()) as { version: string; ms: number } | null) : null
  console.log(
    said
      ? `networkx ${said.version} pagerank (pure Python)  best of 3 ${said.ms.toFixed(0)} ms`
      : 'networkx is not installed: no peer in this run',
  )
  const graph = process.env.NEO4J_URI ? await withNeo4j(c, option(args, 'server-pid', 0)) : undefined
  if (!graph) console.log('NEO4J_URI is not set: nothing measured with Neo4j')
  if (args.includes('--accept'))
    accept(`${services} services, ${edges} edges`, {
      machine: `${availableParallelism()} cores, load average ${loadavg()[0].toFixed(0)}, Node ${process.versions.node.split('.')[0]}`,
      date: new Date().toISOString().slice(0, 10),
      ranking: {
        findings: c.findings.length,
        p50Ms: tenth(quantile(times, 0.5)),
        p95Ms: tenth(quantile(times, 0.95)),
        processorP50Ms: tenth(quantile(busy, 0.5)),
        processorP95Ms: tenth(quantile(busy, 0.95)),
      },
      ...(said ? { networkx: { version: said.version, bestMs: Math.round(said.ms) } } : {}),
      ...(graph ? { neo4j: graph } : {}),
    })
}
const tenth = (ms: number) => Math.round(ms * 10) / 10

/** The figures beside this script, each under its name; what was not measured this time stays as it was. */
export const accept = (name: string, figures: Record<string, unknown>): void => {
  const file = path.join(import.meta.dirname, 'root-cause.json')
  const all = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, object>) : {}
  all[name] = { ...all[name], ...figures }
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`)
  console.log(`written to ${path.relative(process.cwd(), file)} as "${name}"`)
}

const SECOND = 1_000_000
/** Seconds of processor time since the first call, of this process and of the server (Linux counts them in hundredths). */
const processorSeconds = (server: number): number => {
  const { user, system } = process.cpuUsage()
  const fields = server > 0 ? readFileSync(`/proc/${server}/stat`, 'utf8').split(') ')[1].split(' ') : []
  return (user + system) / 1e6 + (server > 0 ? (Number(fields[11]) + Number(fields[12])) / 100 : 0)
}
const BATCH = 20_000

/** Edge merges a second, and last anomaly to incident, against a real server. */
const withNeo4j = async (c: ReturnType<typeof graphOf>, server: number): Promise<Record<string, number>> => {
  const { Neo4jTopology } = await import('@aegis/root-cause-analyzer/neo4j-topology')
  const { DiagnoseIncidents } = await import('@aegis/root-cause-analyzer/diagnose-incidents')
  const topology = new Neo4jTopology(process.env.NEO4J_URI!, process.env.NEO4J_USER ?? 'neo4j', process.env.NEO4J_PASSWORD ?? '')
  const environment = `bench-${process.pid}-${c.edges.length}`
  const start = 1_700_000_000 * SECOND
  try {
    const edges = c.edges.map(([from, to]): Edge => ({ from, to, kind: 'calls', requestsPerSecond: 1, errorShare: 0 }))
    const merge = async (time: number) => {
      const began = performance.now()
      const busy = processorSeconds(server)
      for (let i = 0; i < edges.length; i += BATCH) await topology.merge(environment, edges.slice(i, i + BATCH), time)
      const passed = (performance.now() - began) / 1000
      return [passed, processorSeconds(server) - busy].map(s => Math.round(edges.length / s))
    }
    const [newEdges, newBusy] = await merge(start)
    const [knownEdges, knownBusy] = await merge(start + SECOND)
    console.log(`Neo4j edges a second    new ${newEdges}  known ${knownEdges}`)
    if (server > 0) console.log(`  of processor time     new ${newBusy}  known ${knownBusy}`)
    const stage = new DiagnoseIncidents(topology, { settleUs: 0 })
    const anomaly = (entity: string, n: number): Anomaly => ({
      id: `${environment}-${n}`,
      environment,
      time: start + n,
      state: 'open',
      entity,
      kind: 'metric',
      severity: 'high',
      score: 30,
      threshold: 6,
      summary: `${entity} is slow`,
      started: start + n,
      series: [{ metric: 'calls.latency_p95', unit: 'ms', value: 900, expected_low: 0, expected_high: 100, score: 30 }],
      evidence: [],
      detector: 'bench',
      model_version: '1',
    })
    const place = { partition: 0, offset: 0, clamped: false, random: () => 0 }
    const times: number[] = []
    const busy: number[] = []
    let told = 0
    for (let n = 0; n < 30; n++) {
      const value = anomaly(c.edges[n * 97][1], n)
      const batch: Input[] = [
        { kind: 'value', stream: anomalies, time: value.time, value, ...place } as Input,
        {
          kind: 'tick',
          stream: anomalies,
          time: start + (n + 1) * SECOND,
          environment,
          final: false,
          inForce: () => undefined,
          ...place,
        } as Input,
      ]
      const began = performance.now()
      const spent = processorSeconds(server)
      const results = await stage.process(batch)
      times.push(performance.now() - began)
      busy.push(1000 * (processorSeconds(server) - spent))
      told += results.filter(r => r.kind === 'emit' && r.stream.name === incidents.name).length
    }
    times.sort((a, b) => a - b)
    busy.sort((a, b) => a - b)
    console.log(
      `last anomaly to incident, Neo4j in the loop  p50 ${quantile(times, 0.5).toFixed(0)} ms  p95 ${quantile(times, 0.95).toFixed(0)} ms  (${told} incident records)`,
    )
    if (server > 0)
      console.log(`  processor time  p50 ${quantile(busy, 0.5).toFixed(0)} ms  p95 ${quantile(busy, 0.95).toFixed(0)} ms`)
    return {
      newEdgesPerSecond: newEdges,
      knownEdgesPerSecond: knownEdges,
      incidentP50Ms: Math.round(quantile(times, 0.5)),
      incidentP95Ms: Math.round(quantile(times, 0.95)),
      ...(server > 0
        ? {
            newEdgesPerProcessorSecond: newBusy,
            knownEdgesPerProcessorSecond: knownBusy,
            incidentProcessorP50Ms: Math.round(quantile(busy, 0.5)),
            incidentProcessorP95Ms: Math.round(quantile(busy, 0.95)),
          }
        : {}),
    }
  } finally {
    await topology.close()
  }
}
