/** The faults of the demo shop, each with what truly heals it. */
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fault } from './fault.ts'

export const faults: readonly Fault[] = [
  {
    name: 'bad-deploy',
    sentence: 'Release 2.4.0 of catalog throws on every product that is not on offer.',
    trueCause: 'catalog',
    rightActions: [{ operation: 'rollback', service: 'catalog' }],
    inject: async hands => void (await hands.operate('catalog', 'deploy', { version: '2.4.0' })),
  },
  {
    name: 'bad-config',
    sentence: 'Someone gave the payment time-out of checkout in seconds: it now waits 2 ms.',
    trueCause: 'checkout',
    rightActions: [{ operation: 'revert-config', service: 'checkout' }],
    inject: async hands => void (await hands.operate('checkout', 'config', { config: { paymentTimeoutMs: 2 } })),
  },
  {
    name: 'killed-dependency',
    sentence: 'The inventory process is killed.',
    trueCause: 'inventory',
    rightActions: [
      { operation: 'start', service: 'inventory' },
      { operation: 'restart', service: 'inventory' },
    ],
    inject: async hands => {
      for (const { pid } of (await hands.status('inventory')).replicas) if (pid) process.kill(pid, 'SIGKILL')
    },
  },
  {
    name: 'memory-leak',
    sentence: 'A session cache in catalog never lets go; near its limit catalog mostly looks for memory.',
    trueCause: 'catalog',
    rightActions: [{ operation: 'restart', service: 'catalog' }],
    inject: hands => hands.drill('catalog', 'leak'),
  },
  {
    name: 'cpu-burn',
    sentence: 'A recommendation job in cart has its event loop for six tenths of each second.',
    trueCause: 'cart',
    rightActions: [
      { operation: 'restart', service: 'cart' },
      { operation: 'scale', service: 'cart' },
    ],
    inject: hands => hands.drill('cart', 'burn'),
  },
  {
    name: 'slow-store',
    sentence: 'An index rebuild occupies all input/output slots of the store.',
    trueCause: 'store',
    rightActions: [
      { operation: 'restart', service: 'store' },
      { operation: 'raise-limit', service: 'store' },
    ],
    inject: hands => hands.drill('store', 'rebuild-index'),
  },
  {
    name: 'pool-exhaustion',
    sentence: 'A stock report in inventory keeps every connection of the pool to the store.',
    trueCause: 'inventory',
    rightActions: [
      { operation: 'raise-limit', service: 'inventory' },
      { operation: 'restart', service: 'inventory' },
    ],
    inject: hands => hands.drill('inventory', 'leak-connections'),
  },
  {
    name: 'disk-full',
    sentence: 'Memory dumps fill the data directory of the store to its quota, so that nothing can be written.',
    trueCause: 'store',
    rightActions: [{ operation: 'clean-disk', service: 'store' }],
    inject: async hands => {
      const { disk } = await hands.status('store')
      const dumps = join(disk.directory, 'diagnostics')
      await mkdir(dumps, { recursive: true })
      const block = Buffer.alloc(1_000_000, 7)
      for (let written = 0; written <= disk.quotaBytes; written += 4 * block.length) {
        const file = await open(join(dumps, `heap-${Date.now()}-${written}.heapsnapshot`), 'w')
        for (let i = 0; i < 4; i++) await file.write(block)
        await file.close()
      }
    },
  },
  {
    name: 'overload',
    sentence: 'A flash sale brings more buyers than payment has workers for.',
    trueCause: 'payment',
    rightActions: [
      { operation: 'scale', service: 'payment' },
      { operation: 'raise-limit', service: 'payment' },
    ],
    inject: hands => hands.crowd(30),
  },
]

export function faultNamed(name: string): Fault {
  const fault = faults.find(one => one.name === name)
  if (!fault) throw new Error(`no fault ${name}; there are ${faults.map(one => one.name).join(', ')}`)
  return fault
}
