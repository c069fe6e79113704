import { describe } from 'vitest'
import { topologyContract } from '../../libs/root-cause/src/topology.contract.ts'
import { Neo4jTopology } from '../../services/root-cause-analyzer/src/neo4j-topology.ts'
import { stackEnv } from './stack-env.ts'

let run = 0
describe('Neo4jTopology', () =>
  topologyContract(
    () => {
      const env = stackEnv()
      return new Neo4jTopology(env.NEO4J_URI, env.NEO4J_USER, env.NEO4J_PASSWORD)
    },
    () => `test-topology-${process.pid}-${++run}`,
  ))
