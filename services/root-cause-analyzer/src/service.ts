import { readFileSync } from 'node:fs'
import {
  AegisError,
  anomalies,
  changes,
  controls,
  feedback,
  incidents,
  outcomes,
  type Topology,
  topologyEdges,
} from '@aegis/domain'
import { featureNames, PlainTopology } from '@aegis/root-cause'
import { defineService, readKnowledgeFile, streamList } from '@aegis/runtime'
import { settings } from './config.ts'
import { DiagnoseIncidents } from './diagnose-incidents.ts'
import { Neo4jTopology } from './neo4j-topology.ts'

/** Weights of a file that training wrote; whoever names a file means it, so a bad one stops the service. */
const readWeights = (file: string): Record<string, number> => {
  let weights: unknown
  try {
    weights = (JSON.parse(readFileSync(file, 'utf8')) as { weights?: unknown }).weights
  } catch (error) {
    throw new AegisError('CONFIG_INVALID', `AEGIS_RANKER: ${file} cannot be read: ${(error as Error).message}`)
  }
  const entries = typeof weights === 'object' && weights !== null ? Object.entries(weights) : []
  const wrong = entries.find(([name, w]) => !featureNames.includes(name) || !Number.isFinite(w))
  if (entries.length === 0 || wrong)
    throw new AegisError(
      'CONFIG_INVALID',
      `AEGIS_RANKER: ${file} holds ${wrong ? `"${wrong[0]}", which is no weight of the ranking` : 'no weights'}; write it with "aegis simulate --train"`,
    )
  return Object.fromEntries(entries) as Record<string, number>
}

/** @param shared the graph, when it outlives this service; else the setting says where it is */
export const rootCauseAnalyzerWith = (shared?: Topology) =>
  defineService({
    name: 'root-cause-analyzer',
    about: 'Keeps the service graph, groups anomalies into incidents and ranks their causes with evidence.',
    settings,
    create(config) {
      if (config.metricKnowledge) readKnowledgeFile(config.metricKnowledge)
      const weights = config.ranker === '' ? undefined : readWeights(config.ranker)
      const neo4j =
        shared || config.neo4jUri === 'memory'
          ? undefined
          : new Neo4jTopology(config.neo4jUri, config.neo4jUser, config.neo4jPassword)
      const topology = shared ?? neo4j ?? new PlainTopology()
      return {
        stages: [
          {
            name: 'diagnose-incidents',
            reads: streamList(anomalies, changes, topologyEdges, outcomes, feedback),
            follows: streamList(controls),
            writes: streamList(incidents),
            snapshotAlways: true,
            create: () =>
              new DiagnoseIncidents(topology, {
                settleUs: config.settleMs * 1000,
                closeUs: config.closeMs * 1000,
                hops: config.hops,
                edgeAgeUs: config.edgeAgeHours * 3_600_000_000,
                weights,
              }),
          },
        ],
        ready: async () => (neo4j && !(await neo4j.healthy()) ? `Neo4j at ${config.neo4jUri} does not answer` : undefined),
        stop: async () => neo4j?.close(),
      }
    },
  })

export const rootCauseAnalyzer = rootCauseAnalyzerWith()
