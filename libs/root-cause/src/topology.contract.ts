/** What every service graph must keep to; called with a maker for each implementation. */
import type { Edge } from '@aegis/domain'
import { expect, it } from 'vitest'
import type { TopologyHistory } from './plain-topology.ts'

export const topologyContract = (
  make: () => Promise<TopologyHistory> | TopologyHistory,
  environment: () => string = () => 'one',
) => {
  const calls = (from: string, to: string): Edge => ({ from: `service:${from}`, to: `service:${to}`, kind: 'calls' })
  const pairs = (g: { edges: readonly Edge[] }) => g.edges.map(e => `${e.from}>${e.to}`)

  it('finds what is near in both directions, no further', async () => {
    const t = await make()
    const env = environment()
    await t.merge(
      env,
      [calls('a', 'b'), calls('b', 'c'), calls('c', 'd'), { from: 'service:b', to: 'host:h', kind: 'runs_on' }],
      10,
    )
    const near = await t.around(env, ['service:b'], 1)
    expect(near.nodes.map(n => n.id)).toEqual(['host:h', 'service:a', 'service:b', 'service:c'])
    expect(pairs(near)).toEqual(['service:a>service:b', 'service:b>host:h', 'service:b>service:c'])
    expect((await t.around(env, ['service:b'], 0)).edges).toEqual([])
    await t.close?.()
  })
  it('merging twice changes nothing', async () => {
    const t = await make()
    const env = environment()
    await t.merge(env, [calls('a', 'b')], 10)
    const once = await t.around(env, ['service:a'], 2)
    await t.merge(env, [calls('a', 'b')], 10)
    expect(await t.around(env, ['service:a'], 2)).toEqual(once)
    await t.close?.()
  })
  it('keeps environments apart', async () => {
    const t = await make()
    const env = environment()
    await t.merge(env, [calls('a', 'b')], 10)
    await t.merge(`${env}-other`, [calls('a', 'x')], 10)
    expect(pairs(await t.around(env, ['service:a'], 2))).toEqual(['service:a>service:b'])
    expect(pairs(await t.around(`${env}-none`, ['service:a'], 2))).toEqual([])
    await t.close?.()
  })
  it('ages out edges not seen, and keeps them in the past', async () => {
    const t = await make()
    const env = environment()
    await t.merge(env, [calls('a', 'b'), calls('a', 'c')], 10)
    await t.merge(env, [calls('a', 'b')], 50)
    expect(await t.age(env, 40)).toBe(1)
    expect(await t.age(env, 40)).toBe(0)
    expect(pairs(await t.around(env, ['service:a'], 2))).toEqual(['service:a>service:b'])
    expect(pairs(await t.aroundAt(env, ['service:a'], 2, 10))).toEqual(['service:a>service:b', 'service:a>service:c'])
    expect(pairs(await t.aroundAt(env, ['service:a'], 2, 45))).toEqual(['service:a>service:b'])
    expect(pairs(await t.aroundAt(env, ['service:a'], 2, 5))).toEqual([])
    await t.close?.()
  })
  it('an edge that comes back stood twice', async () => {
    const t = await make()
    const env = environment()
    await t.merge(env, [calls('a', 'b')], 10)
    await t.age(env, 30)
    await t.merge(env, [calls('a', 'b')], 50)
    expect(pairs(await t.around(env, ['service:a'], 1))).toEqual(['service:a>service:b'])
    expect(pairs(await t.all(env, 10))).toEqual(['service:a>service:b'])
    expect(pairs(await t.all(env, 30))).toEqual([])
    expect(pairs(await t.all(env))).toEqual(['service:a>service:b'])
    await t.close?.()
  })
}
