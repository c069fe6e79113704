import { anomalies, changes, incidents, outcomes, topologyEdges } from '@aegis/domain'
import { PlainTopology } from '@aegis/root-cause'
import { defineService, streamList } from '@aegis/runtime'
import { settings } from './config.ts'
import { DiagnoseIncidents } from './diagnose-incidents.ts'
import { Neo4jTopology } from './neo4j-topology.ts'

export const rootCauseAnalyzer = defineService({
  name: 'root-cause-analyzer',
  about: 'Keeps the service graph, groups anomalies into incidents and ranks their causes with evidence.',
  settings,
  create(config) {
    const neo4j =
      config.neo4jUri === 'memory' ? undefined : new Neo4jTopology(config.neo4jUri, config.neo4jUser, config.neo4jPassword)
    const topology = neo4j ?? new PlainTopology()
    return {
      stages: [
        {
          name: 'diagnose-incidents',
          reads: streamList(anomalies, changes, topologyEdges, outcomes),
          writes: streamList(incidents),
          snapshotAlways: true,
          create: () =>
            new DiagnoseIncidents(topology, {
              settleUs: config.settleMs * 1000,
              closeUs: config.closeMs * 1000,
              hops: config.hops,
            }),
        },
      ],
      ready: async () => (neo4j && !(await neo4j.healthy()) ? `Neo4j at ${config.neo4jUri} does not answer` : undefined),
      stop: async () => neo4j?.close(),
    }
  },
})
