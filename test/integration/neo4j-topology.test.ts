import type { Edge } from '@aegis/domain'
import { topologyContract } from '@aegis/root-cause/topology.contract'
import { Neo4jTopology } from '@aegis/root-cause-analyzer/neo4j-topology'
import neo4j from 'neo4j-driver'
import { describe, expect, it } from 'vitest'
import { stackEnv } from './stack-env.ts'

let run = 0
const environment = () => `test-topology-${process.pid}-${++run}`
const make = () => {
  const env = stackEnv()
  return new Neo4jTopology(env.NEO4J_URI, env.NEO4J_USER, env.NEO4J_PASSWORD)
}
const calls = (from: string, to: string, requestsPerSecond: number): Edge => ({
  from: `service:${from}`,
  to: `service:${to}`,
  kind: 'calls',
  requestsPerSecond,
})

describe('Neo4jTopology', () => {
  topologyContract(make, environment)

  it('writers beside each other create no edge twice', async () => {
    const writers = [make(), make(), make()]
    const env = environment()
    const edges = Array.from({ length: 300 }, (_, i) => calls(`a${i % 20}`, `b${i}`, i))
    // Every writer knows the entities already, so that none waits for another at these.
    for (const w of writers)
      await w.merge(
        env,
        edges.map((e): Edge => ({ ...e, kind: 'reads' })),
        5,
      )
    await Promise.all(writers.map(w => w.merge(env, edges, 10)))
    const graph = await writers[0].all(env)
    expect(graph.edges).toHaveLength(600)
    expect(graph.nodes).toHaveLength(320)
    await Promise.all(writers.map(w => w.close()))
  })
  it('an edge another writer created is refreshed, not created', async () => {
    const [one, two] = [make(), make()]
    const env = environment()
    await one.merge(env, [calls('a', 'b', 1)], 10)
    await two.merge(env, [calls('a', 'b', 2), calls('b', 'c', 3)], 20)
    const { edges } = await one.all(env)
    expect(edges.map(e => e.requestsPerSecond)).toEqual([2, 3])
    expect(await one.age(env, 15)).toBe(0)
    await Promise.all([one.close(), two.close()])
  })
  it('a graph emptied under a writer is written again', async () => {
    const t = make()
    const env = environment()
    await t.merge(env, [calls('a', 'b', 1), calls('b', 'c', 2)], 10)
    const { NEO4J_URI, NEO4J_USER, NEO4J_PASSWORD } = stackEnv()
    const driver = neo4j.driver(NEO4J_URI, neo4j.auth.basic(NEO4J_USER, NEO4J_PASSWORD))
    await driver.executeQuery('MATCH (e:Entity {environment: $env}) DETACH DELETE e', { env })
    await driver.close()
    // Others may stand in the places that came free.
    await t.merge(`${env}-other`, [calls('x', 'y', 1), calls('y', 'z', 2)], 10)
    await t.merge(env, [calls('a', 'b', 1), calls('b', 'c', 2)], 20)
    expect((await t.all(env)).edges).toEqual([calls('a', 'b', 1), calls('b', 'c', 2)])
    expect((await t.all(`${env}-other`)).edges).toEqual([calls('x', 'y', 1), calls('y', 'z', 2)])
    await t.close()
  })
})
