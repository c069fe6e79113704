import { expect, test } from 'vitest'
import { standInGateway } from './stand-in-gateway.cases.ts'
import { Reporter, watchCommand } from './watch.ts'

const left = (entity: string, name: string, state: string, detector = 'issues') => ({
  entity,
  state,
  detector,
  series: [{ metric: `crash_loop.${name}.errors` }],
})
const { asked } = standInGateway(({ url }) =>
  url.startsWith('/api/v1/anomalies')
    ? [
        left('service:old', 'kubernetes/shop CrashLoopBackOff', 'open'),
        left('service:past', 'kubernetes/shop CrashLoopBackOff', 'close'),
        left('service:other', 'kubernetes/bank CrashLoopBackOff', 'open'),
        left('service:theirs', 'DiskAlmostFull', 'open'),
      ]
    : { accepted: 1 },
)
const trouble = (entity: string) =>
  ({ entity, kind: 'crash_loop', name: 'CrashLoopBackOff', severity: 'high', summary: 'main: it crashes' }) as const
const told = () => asked.filter(a => a.method === 'POST').map(a => JSON.parse(a.body) as Record<string, string>[])

test('tells a trouble once, when it is over, and what an earlier watch of the namespace left open', async () => {
  const said: string[] = []
  const reporter = new Reporter('prod', 'shop', line => said.push(line))
  await reporter.troubles([trouble('service:cart')])
  await reporter.troubles([trouble('service:cart')])
  await reporter.troubles([])
  const name = 'kubernetes/shop CrashLoopBackOff'
  const cart = { ...trouble('service:cart'), name, environment: 'prod' }
  expect(told()).toEqual([
    [
      { ...cart, state: 'firing' },
      { entity: 'service:old', kind: 'crash_loop', name, environment: 'prod', state: 'resolved' },
    ],
    [{ ...cart, state: 'resolved' }],
  ])
  expect(said).toEqual([
    'service:cart: main: it crashes',
    'service:old: CrashLoopBackOff is over',
    'service:cart: CrashLoopBackOff is over',
  ])
})

test('tells changes with where they were seen', async () => {
  await new Reporter('prod', 'shop', () => undefined).changes([
    { entity: 'service:cart', kind: 'deploy', before: 'main shop:1', after: 'main shop:2' },
  ])
  expect(told()).toEqual([
    [
      {
        entity: 'service:cart',
        kind: 'deploy',
        before: 'main shop:1',
        after: 'main shop:2',
        environment: 'prod',
        source: 'kubernetes',
      },
    ],
  ])
})

test('refuses nonsense', async () => {
  await expect(watchCommand().parseAsync(['shop', '--every', 'soon'], { from: 'user' })).rejects.toThrow(
    '--every must be a number above 0, not soon',
  )
})
