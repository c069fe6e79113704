import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { AegisError, type Edge, type Graph } from '@aegis/domain'
import {
  edgesOfCompose,
  edgesOfKubernetes,
  edgesOfList,
  type TopologyFormat,
  type TopologyHistory,
  topologyFormats,
  writeTopology,
} from '@aegis/root-cause'
import { Command } from 'commander'
import { parseAllDocuments } from 'yaml'

interface Common {
  readonly environment: string
}

/** Documents of a file, or of all YAML and JSON files of a folder. */
const documentsOf = (where: string): unknown[] => {
  let files: string[]
  try {
    files = statSync(where).isDirectory()
      ? readdirSync(where, { recursive: true })
          .map(String)
          .filter(f => /\.(ya?ml|json)$/.test(f))
          .sort()
          .map(f => path.join(where, f))
      : [where]
  } catch {
    throw new AegisError('INPUT_INVALID', `${where} cannot be read`)
  }
  return files.flatMap(file =>
    [...parseAllDocuments(readFileSync(file, 'utf8'))].map(d => {
      if (d.errors.length > 0) throw new AegisError('INPUT_INVALID', `${file}: ${d.errors[0].message.split('\n')[0]}`)
      return d.toJS()
    }),
  )
}
const readRunning = async (namespace: string, context: string | undefined): Promise<Edge[]> => {
  // Loaded here alone: the client is large, and few commands need it.
  const { clusterOf, readCluster } = await import('../topology/read-cluster.ts')
  return edgesOfKubernetes(await readCluster(clusterOf(context), namespace, console.error))
}
/** Readers of what people wrote down, by the name of the format. */
export const READERS: Readonly<Record<string, (where: string) => Edge[]>> = {
  k8s: where => edgesOfKubernetes(documentsOf(where)),
  compose: where => {
    const all = documentsOf(where)
    return all.flatMap(edgesOfCompose)
  },
  edges: where => {
    try {
      return edgesOfList(readFileSync(where, 'utf8'))
    } catch (error) {
      if (error instanceof AegisError) throw new AegisError('INPUT_INVALID', `${where}, ${error.message}`)
      throw new AegisError('INPUT_INVALID', `${where} cannot be read`)
    }
  },
}

const withGraph = async <T>(use: (topology: TopologyHistory) => Promise<T>): Promise<T> => {
  const { Neo4jTopology } = await import('@aegis/root-cause-analyzer/neo4j-topology')
  const uri = process.env.NEO4J_URI ?? 'bolt://127.0.0.1:7687'
  const topology = new Neo4jTopology(uri, process.env.NEO4J_USER ?? 'neo4j', process.env.NEO4J_PASSWORD ?? '')
  try {
    return await use(topology)
  } finally {
    await topology.close()
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
  return [...lines, `${g.nodes.length} entities, ${g.edges.length} edges`].join('\n')
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
      const edges = read ? read(where) : await readRunning(where, options.context)
      const nodes = [...new Set(edges.flatMap(e => [e.from, e.to]))].map(id => ({ id }))
      if (!options.dryRun) await withGraph(t => t.merge(options.environment, edges, Date.now() * 1000))
      console.log(shown({ nodes, edges }))
    })
  const read = async (options: Common & { at?: string; around?: string }): Promise<Graph> => {
    const time = timeOf(options.at)
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
