import { expect, it } from 'vitest'
import type { DescribedSystem } from './described-system.ts'
import { systemOfCompose } from './read-compose.ts'

const short = ({ edges }: DescribedSystem) => edges.map(e => `${e.from} ${e.kind} ${e.to}${e.inferred ? ' ?' : ''}`)

it('of a compose file: what it depends on is known, addresses are inferred', () => {
  const system = systemOfCompose({
    services: {
      web: {
        image: 'shop/web',
        depends_on: { cart: { condition: 'service_healthy' } },
        environment: ['CART_URL=http://cart:8080/api', 'MODE=web'],
      },
      cart: { image: 'shop/cart', environment: { STORE: 'redis://:secret@store:6379/0' } },
      store: { image: 'redis:8' },
    },
  })
  expect(short(system)).toEqual(['service:cart calls database:store ?', 'service:web calls service:cart'])
  expect(() => systemOfCompose({ kind: 'Pod' })).toThrow('docker-compose')
})

it('knows services by their other names, and leaves out what no active profile starts', () => {
  const system = systemOfCompose(
    {
      services: {
        web: {
          image: 'web',
          links: ['main:primary'],
          environment: {
            DB: 'primary',
            CACHE_HOST: 'kv',
            QUEUE_NAME: 'orders',
            APP_NAME: 'worker',
            ALLOWED_ORIGINS: 'http://worker:80',
          },
          command: ['serve', '--orders', 'worker'],
        },
        main: { image: 'postgres' },
        fast: { image: 'redis', networks: { inner: { aliases: ['kv'] } } },
        orders: { image: 'orders' },
        worker: { image: 'worker', network_mode: 'service:orders' },
        tool: { image: 'adminer', profiles: ['debug'], depends_on: ['main'] },
        seed: { image: 'seed', profiles: ['once'] },
        late: { image: 'late', depends_on: { seed: { condition: 'service_completed_successfully' } } },
      },
    },
    { profiles: [] },
  )
  expect(short(system)).toEqual([
    'service:late calls service:seed',
    'service:web calls database:fast ?',
    'service:web calls database:main',
    'service:worker calls service:orders',
  ])
  expect(system.notes).toEqual(['tool is left out: it is started only with --profile debug'])
})
