import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StatsdTable } from './statsd.ts'
import { readOther } from './statsd-issues.ts'
import { readStatsdLine, type StatsdCheck, type StatsdEvent } from './statsd-line.ts'

const options = { environment: 'e', now: 1_700_000_000_000_000, redact: (text: string) => text.replace('hunter2', '***') }

describe('lines of StatsD', () => {
  it.each([
    [
      'wait:1.5:2:3|h|@0.5|#zone:a,blue',
      { name: 'wait', values: ['1.5', '2', '3'], rate: 0.5, tags: { zone: 'a', blue: 'true' } },
    ],
    ['size:3|d|c:ci-4fe1', { type: 'd', tags: { instance: '4fe1' } }],
    ['age:7|g|T1700000001|#a:b:c', { seconds: 1_700_000_001, tags: { a: 'b:c' } }],
    ['who:a:b|s', { type: 's', values: ['a:b'] }],
    ['orders,lane=4,kind=x:1|c', { name: 'orders', tags: { lane: '4', kind: 'x' } }],
    ['orders;lane=4:1|c', { name: 'orders', tags: { lane: '4' } }],
    ['orders#lane=4:1|c|#kind:x', { name: 'orders', tags: { lane: '4', kind: 'x' } }],
    ['orders[lane=4].done:1|c', { name: 'orders.done', tags: { lane: '4' } }],
    ['hits:2|m', { type: 'm' }],
  ])('%s', (line, expected) => expect(readStatsdLine(line)).toMatchObject(expected))
  it.each(['x', 'x:1', 'x:|c', 'x:a|g', 'x:1:b|h', 'x:1|zz', 'x:1|c|@0', '_e{9,9}:a|b', '_e{a}', '_sc|x|7', '_sc|x'])(
    '%s is none',
    line => expect(readStatsdLine(line)).toBeUndefined(),
  )
  it('reads whatever comes without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'a:1|c#,@_e{}scTg[=];\n0.') }), line => void readStatsdLine(line)),
      {
        seed: 1,
        numRuns: 2000,
      },
    )
  })
  it('keeps values with a time of their own by themselves', () => {
    const table = new StatsdTable()
    table.add('n:1|c|T1700000001\nn:2|c|T1700000001\nn:4|c|T1700000002\nn:8|c\nw:1:2:3|h|@0.5')
    expect(table.take().map(v => [v.name, v.value, v.time])).toEqual([
      ['n', 3, 1_700_000_001_000_000],
      ['n', 4, 1_700_000_002_000_000],
      ['n', 8, undefined],
      ['w.count', 6, undefined],
      ['w.sum', 12, undefined],
    ])
  })
})

describe('events and service checks', () => {
  const read = (line: string) => readOther(readStatsdLine(line) as StatsdEvent | StatsdCheck, options)
  it('make known problems of checks, which end when they are well', () => {
    const bad = read('_sc|mq.reachable|2|d:1700000000|h:web-1|#service:shop,env:prod|m:no | answer from hunter2')
    expect(bad).toMatchObject({
      issue: {
        environment: 'prod',
        entity: 'service:shop',
        kind: 'probe',
        name: 'mq.reachable',
        state: 'firing',
        severity: 'high',
        summary: 'no | answer from ***',
        time: 1_700_000_000_000_000,
      },
    })
    const well = read('_sc|mq.reachable|0|h:web-1|#service:shop,env:prod')
    expect(well).toMatchObject({ issue: { state: 'resolved', id: (bad as { issue: { id: string } }).issue.id } })
    expect(read('_sc|mq.reachable|1')).toMatchObject({ issue: { entity: 'service:mq', severity: 'medium' } })
  })
  it('make known problems of errors and warnings, and lines of the others', () => {
    expect(read('_e{7,10}:Grüße|a\\nb cd ä|t:error|k:x|#service:shop')).toMatchObject({
      issue: { kind: 'event', name: 'Grüße', severity: 'high', summary: 'Grüße: a\nb cd ä' },
    })
    expect(read('_e{5,2}:Grüße|ok|t:error')).toMatchObject({ issue: { name: 'Grüße' } })
    expect(read('_e{4,3}:disk|low|t:warning|h:web-1')).toMatchObject({ issue: { entity: 'host:web-1', severity: 'medium' } })
    expect(read('_e{6,2}:deploy|v7|#service:shop')).toMatchObject({
      line: { entity: 'service:shop', body: 'deploy: v7', severity: 'INFO' },
    })
    const open = read('_e{4,3}:disk|low|t:error|k:d1|h:web-1') as { issue: { id: string } }
    expect(read('_e{4,2}:disk|ok|t:success|k:d1|h:web-1')).toMatchObject({ issue: { state: 'resolved', id: open.issue.id } })
  })
})
