import { streams } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { schemaOf } from './codec.ts'
import { MemoryBroker } from './memory-broker.ts'
import { preflight } from './preflight.ts'
import { MemoryRegistry } from './registry.ts'
import { allTopics } from './topics.ts'

const spread = { data: 6, environment: 3 }
const standing = async () => {
  const broker = new MemoryBroker()
  const registry = new MemoryRegistry()
  await broker.ensureTopics(allTopics(spread))
  for (const stream of streams) await registry.register(`${stream.name}-value`, schemaOf(stream))
  return { broker, registry }
}

describe('preflight', () => {
  it('lets the first install through, and asks for everything once it must stand', async () => {
    const empty = { broker: new MemoryBroker(), registry: new MemoryRegistry() }
    expect(await preflight(empty, spread)).toEqual([])
    expect(await preflight(empty, spread, { mustStand: true })).toHaveLength(streams.length)
  })

  it('lets the same version and one with a field more through', async () => {
    const now = await standing()
    expect(await preflight(now, spread, { mustStand: true })).toEqual([])
    const more = { name: 'more', type: ['null', 'string'], default: null }
    const schemas = (s: never) => ({ ...schemaOf(s), fields: [...schemaOf(s).fields, more] })
    expect(await preflight(now, spread, { schemas: schemas as never })).toEqual([])
  })

  it('names the topic that has another width, and the setting', async () => {
    const problems = await preflight(await standing(), { data: 12, environment: 3 })
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.join()).toMatch(/topic logs\.raw has 6 partitions and the settings say 12.*AEGIS_DATA_PARTITIONS to 6/)
    expect(problems.join()).not.toMatch(/AEGIS_ENVIRONMENT_PARTITIONS/)
  })

  it('names the field that cannot be read any more', async () => {
    const schemas = (s: never) => ({ ...schemaOf(s), fields: [...schemaOf(s).fields, { name: 'must', type: 'long' }] })
    const problems = await preflight(await standing(), spread, { schemas: schemas as never })
    expect(problems).toHaveLength(streams.length)
    expect(problems[0]).toMatch(/field "must" is new and has no default/)
  })

  it('says that the registry does not answer', async () => {
    const { broker, registry } = await standing()
    registry.healthy = async () => false
    expect((await preflight({ broker, registry }, spread)).join()).toMatch(/SCHEMA_REGISTRY_URL/)
  })
})
