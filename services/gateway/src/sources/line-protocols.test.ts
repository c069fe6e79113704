import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readGraphiteLine } from './graphite.ts'
import { precisionOf, readInfluxLines } from './influx.ts'
import { taggedObservation } from './tagged.ts'

const NOW = 1_700_000_000_000_000

describe('Graphite', () => {
  it.each([
    ['shop.orders.placed 7 1700000000', { name: 'shop.orders.placed', value: 7, time: NOW, tags: {} }],
    ['shop.orders.placed 7.5 -1', { value: 7.5, time: NOW }],
    [
      'orders;service=shop;lane=4 1e2 1699999999.5',
      { name: 'orders', value: 100, tags: { service: 'shop', lane: '4' }, time: NOW - 500_000 },
    ],
    ['servers.web_1.cpu.load 2 1700000000', { name: 'cpu.load', tags: { host: 'web.1' } }],
    ['stats.timers.shop.wait.mean 3 1700000000', { name: 'shop.wait.mean' }],
  ])('%s', (line, expected) => expect(readGraphiteLine(line, NOW)).toMatchObject(expected))
  it.each([
    ['orders', 'is not "path value seconds"'],
    ['orders x 1700000000', 'x is no number'],
    ['orders 1 1700000', '1700000 is 1970-01-20'],
    ['orders 1 now', 'now is no time'],
    ['orders;lane 1 1700000000', 'lane is no tag=value'],
  ])('%s: %s', (line, reason) => expect(readGraphiteLine(line, NOW)).toContain(reason))
})

describe("InfluxDB's line protocol", () => {
  const read = (text: string, precision = 'ns') => readInfluxLines(text, precisionOf(precision) as number, NOW)
  it('gives every number and truth value, with tags, escapes and precisions', () => {
    const { values, bad } = read(
      'orders\\ placed,service=shop,lane=a\\,b value=7i,late=2.5,open=t,note="a, b=\\"c\\" d" 1700000000\n# words\n\ncpu,host=web1 usage=1e1',
      's',
    )
    expect(bad).toEqual([])
    expect(values.map(v => [v.name, v.value, v.tags, v.time])).toEqual([
      ['orders placed', 7, { service: 'shop', lane: 'a,b' }, NOW],
      ['orders placed.late', 2.5, { service: 'shop', lane: 'a,b' }, NOW],
      ['orders placed.open', 1, { service: 'shop', lane: 'a,b' }, NOW],
      ['cpu.usage', 10, { host: 'web1' }, NOW],
    ])
    expect(read('a v=1 1700000000000', 'ms').values[0].time).toBe(NOW)
    expect(read('a v=1 1700000000000000000').values[0].time).toBe(NOW)
    expect(precisionOf('fortnight')).toBeUndefined()
  })
  it('names the lines it cannot read, and takes the others', () => {
    const { values, bad } = read('a v=1\nb\nc,x v=1\nd v=\ne v=1 2 3\nf v="open\ng v=2\nh v=3 17\ni v=1.2.3')
    expect(values.map(v => v.name)).toEqual(['a.v', 'g.v'])
    expect(bad.map(b => b.line)).toEqual([2, 3, 4, 5, 6, 8, 9])
    expect(bad[5].reason).toContain('1970')
  })
  it('keeps line ends within texts, and counts lines on', () => {
    const { values, bad } = read('a note="one\ntwo",v=1\nb\nc v=2')
    expect(values.map(v => v.name)).toEqual(['a.v', 'c.v'])
    expect(bad).toMatchObject([{ line: 3 }])
  })
  it('ends with values or reasons, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab=, "\\\n1i#t') }), text => void read(text)),
      { seed: 2, numRuns: 2000 },
    )
  })
})

describe('tagged values', () => {
  const of = (name: string, tags: Record<string, string>, hostFirst = false) =>
    taggedObservation({ name, tags, type: 'gauge', unit: '', value: 1 }, NOW, 'default', hostFirst)
  it.each([
    ['orders.placed', {}, 'service:orders'],
    ['orders.placed', { service: 'shop', host: 'web1' }, 'service:shop'],
    ['orders.placed', { host: 'web1' }, 'service:orders'],
    ['system.load.1', { host: 'web1' }, 'host:web1'],
    ['requests', { kube_deployment: 'cart', pod_name: 'cart-7d9f8b6c5-x2x4z' }, 'service:cart'],
    ['requests', { pod_name: 'cart-7d9f8b6c5-x2x4z' }, 'service:cart'],
    ['requests', {}, 'service:unknown'],
  ])('%s %o is about %s', (name, tags, entity) => expect(of(name, tags as Record<string, string>).entity).toBe(entity))
  it('are about the machine first where agents of machines send them', () => {
    expect(of('nginx.requests', { host: 'web1' }, true).entity).toBe('host:web1')
    expect(of('x', { env: 'eu' }).environment).toBe('eu')
  })
})
