import { AegisError, type Edge, type Graph, idOf, topologyEdges } from '@aegis/domain'
import {
  type DescribedSystem,
  systemOfKubernetes,
  type TopologyFormat,
  type TopologyHistory,
  topologyFormats,
  writeTopology,
} from '@aegis/root-cause'
import { authorization } from '@aegis/stack/own-keys'
import { stackEnvironment } from '@aegis/stack/pipeline/client'
import { embeddedStack } from '@aegis/stack/pipeline/shared-broker'
import { Command } from 'commander'
import { READERS } from '../topology/readers.ts'

interface Common {
  readonly environment: string
}

const readRunning = async (namespace: string, context: string | undefined): Promise<DescribedSystem> => {
  // Loaded here alone: the client is large, and few commands need it.
  const { clusterOf, readCluster } = await import('../topology/read-cluster.ts')
  return systemOfKubernetes(await readCluster(clusterOf(context), namespace, console.error))
}
/** The graph that the environment names, else that of the local stack. */
const withGraph = async <T>(use: (topology: TopologyHistory) => Promise<T>): Promise<T> => {
  const { Neo4jTopology } = await import('@aegis/root-cause-analyzer/neo4j-topology')
  const env = stackEnvironment()
  const uri = env.NEO4J_URI ?? 'bolt://127.0.0.1:7687'
  const topology = new Neo4jTopology(uri, env.NEO4J_USER ?? 'neo4j', env.NEO4J_PASSWORD ?? '')
  try {
    return await use(topology)
  } catch (error) {
    throw new AegisError(
      'STORE_UNAVAILABLE',
      `the graph at ${uri} does not answer (${(error as Error).message.split('\n')[0]}); start a stack with "aegis up", or set NEO4J_URI`,
    )
  } finally {
    await topology.close()
  }
}
/** Whether the graph lives in an embedded stack: edges go to it by its stream, and are read back through its gateway. */
const embedded = () => (process.env.NEO4J_URI ? undefined : embeddedStack())
const publishEdges = async (environment: string, edges: readonly Edge[]): Promise<void> => {
  const { connectClient } = await import('@aegis/stack/pipeline/client')
  const client = await connectClient()
  const time = Date.now() * 1000
  try {
    await client.publish(
      topologyEdges,
      edges.map(e => ({ id: idOf(environment, e.from, e.to, e.kind), environment, time, source: 'user', ...e })),
    )
  } finally {
    await client.close()
  }
}
/** The newest edges that the embedded stack has seen. */
const readEmbedded = async (gatewayUrl: string, environment: string): Promise<Graph> => {
  const response = await fetch(`${gatewayUrl}/api/v1/topology?environment=${encodeURIComponent(environment)}&limit=10000`, {
    headers: authorization(gatewayUrl),
  })
  if (!response.ok) throw new AegisError('STORE_UNAVAILABLE', `the gateway at ${gatewayUrl} answered ${response.status}`)
  const edges = (await response.json()) as (Edge & { inferred?: boolean })[]
  const nodes = [...new Set(edges.flatMap(e => [e.from, e.to]))].sort()
  return {
    nodes: nodes.map(id => ({ id })),
    edges: edges.map(({ from, to, kind, inferred }) => ({ from, to, kind, ...(inferred ? { inferred } : {}) })),
  }
}

const timeOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const ms = Date.parse(text)
  if (Number.isNaN(ms))
    throw new AegisError('INPUT_INVALID', `--at "${text}" is no time; needed is for example 2026-01-31T12:00:00Z`)
  return ms * 1000
}
const shown = (g: Graph): string => {
  const lines = g.edges.map(e => `${e.from} ${e.kind.replace('_', ' ')} ${e.to}${e.inferred ? ' (inferred)' : ''}`)
  const joined = new Set(g.edges.flatMap(e => [e.from, e.to]))
  const alone = g.nodes.filter(n => !joined.has(n.id)).map(n => `${n.id} calls nobody that is known, and nobody calls it`)
  return [...lines, ...alone, `${g.nodes.length} entities, ${g.edges.length} edges`].join('\n')
}

/** `aegis topology import k8s|compose|edges PATH`, `show`, `export`. */
export const topologyCommand = (): Command => {
  const command = new Command('topology')
  const environment = ['--environment <name>', 'environment the graph belongs to', 'default'] as const
  const at = ['--at <time>', 'the graph as it was at that time (ISO 8601)'] as const
  const around = ['--around <entity>', 'only what is within two hops of it'] as const
  command
    .command('import <format> <path>')
    .description(
      'adds edges from Kubernetes manifests (k8s), a running Kubernetes (cluster; the path is its namespace, "*" for all), a docker-compose file (compose) or a list of edges (edges)',
    )
    .option(...environment)
    .option('--context <name>', 'with cluster: the context of the kubeconfig')
    .option('--dry-run', 'show what was read, and change nothing')
    .action(async (format: string, where: string, options: Common & { dryRun?: boolean; context?: string }) => {
      const read = READERS[format]
      if (!read && format !== 'cluster')
        throw new AegisError('INPUT_INVALID', `"${format}" is not known; known are ${Object.keys(READERS).join(', ')}, cluster`)
      const { edges, entities, notes } = read ? read(where) : await readRunning(where, options.context)
      if (!options.dryRun)
        if (embedded()) await publishEdges(options.environment, edges)
        else await withGraph(t => t.merge(options.environment, edges, Date.now() * 1000))
      console.log(shown({ nodes: entities.map(id => ({ id })), edges }))
      for (const note of notes) console.error(note)
    })
  const read = async (options: Common & { at?: string; around?: string }): Promise<Graph> => {
    const time = timeOf(options.at)
    const here = embedded()
    if (here) {
      if (time !== undefined)
        throw new AegisError('INPUT_INVALID', '--at: an embedded stack keeps no past of its graph; "aegis up --stack real" does')
      const all = await readEmbedded(here.gatewayUrl, options.environment)
      if (options.around === undefined) return all
      const { PlainTopology } = await import('@aegis/root-cause')
      const plain = new PlainTopology()
      await plain.merge(options.environment, all.edges, 1)
      return plain.around(options.environment, [options.around], 2)
    }
    return withGraph(t =>
      options.around === undefined
        ? t.all(options.environment, time)
        : time === undefined
          ? t.around(options.environment, [options.around], 2)
          : t.aroundAt(options.environment, [options.around], 2, time),
    )
  }
  command
    .command('show')
    .description('the edges of the service graph')
    .option(...environment)
    .option(...at)
    .option(...around)
    .action(async options => console.log(shown(await read(options))))
  command
    .command('export')
    .description('the service graph for other tools')
    .option(...environment)
    .option(...at)
    .option(...around)
    .option('--format <format>', topologyFormats.join(', '), 'json')
    .action(async options => {
      if (!topologyFormats.includes(options.format as TopologyFormat))
        throw new AegisError('INPUT_INVALID', `--format ${options.format}: known are ${topologyFormats.join(', ')}`)
      console.log(writeTopology(await read(options), options.format as TopologyFormat))
    })
  return command
}
