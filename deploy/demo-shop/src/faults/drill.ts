/**
 * What a drill can set off inside a running service, for real: memory really leaks, the CPU really burns, permits are really held.
 * Reached through a port of its own with a random token that only the injector has; gone when the process is restarted.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getHeapStatistics } from 'node:v8'
import type { Identity } from '../kit/identity.ts'
import type { Pool } from '../kit/pool.ts'
import type { Log } from '../kit/telemetry.ts'

type Drill = (pool: Pool | undefined, log: Log) => void

const drills: Partial<Record<string, Drill>> = {
  leak: (_pool, log) => leakMemory(log),
  burn: (_pool, log) => burnCpu(log),
  'leak-connections': (pool, log) => void leakConnections(pool, log),
  'rebuild-index': (pool, log) => rebuildIndex(pool, log),
}

export async function listenForDrills(identity: Identity, pool: Pool | undefined, log: Log): Promise<number> {
  const server = createServer((request, response) => {
    const drill = drills[(request.url ?? '').slice(1)]
    const allowed = request.headers.authorization === `Bearer ${identity.drillToken}`
    response.writeHead(!allowed ? 403 : drill ? 202 : 404).end()
    if (allowed) drill?.(pool, log)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  return (server.address() as AddressInfo).port
}

/** A session cache that nothing ever leaves. Near its limit it walks all of itself looking for something to evict. */
function leakMemory(log: Log) {
  const limit = getHeapStatistics().heap_size_limit
  const cache: object[] = []
  let number = 0
  const used = () => getHeapStatistics().used_heap_size / limit
  setInterval(() => {
    for (let i = 0; i < 6000 && used() < 0.8; i++) {
      number++
      cache.push({
        session: `s-${number}`,
        seen: [number, number + 1, number + 2],
        page: `/products/p-${number % 200}?ref=${number}`,
        at: String(number),
      })
    }
  }, 50)
  setInterval(() => {
    if (used() < 0.5) return
    const until = performance.now() + 550
    let bytes = 0
    let looked = 0
    for (let i = 0; performance.now() < until; i = (i + 1) % cache.length, looked++) bytes += JSON.stringify(cache[i]).length
    log.warn(
      `session cache eviction pass found nothing to evict: ${cache.length} entries, looked at ${looked} (${bytes} bytes), heap ${Math.round(used() * 100)}% of limit`,
    )
  }, 950)
}

/** A re-ranking job that has the event loop for 600 of every 1000 ms: the cap leaves the machine's other work its share. */
function burnCpu(log: Log) {
  let round = 0
  setInterval(() => {
    const until = performance.now() + 600
    let sum = 0
    while (performance.now() < until) for (let i = 1; i < 20_000; i++) sum += Math.sqrt(i) / (i + sum)
    if (round++ % 5 === 0) log.info(`recommendation matrix pass ${round} done, residual ${(sum % 1).toFixed(4)}`)
  }, 1000)
}

/** An error path that forgets to give the connection back, taken until the pool is empty. */
async function leakConnections(pool: Pool | undefined, log: Log) {
  for (let left = pool?.limit ?? 0; pool && left > 0; left--) {
    await pool.acquire().catch(() => {
      left++
    })
    if (left % 4 === 0) log.warn(`slow consumer: stock report still open on pool ${pool.name}`)
  }
}

/** An index rebuild that takes all the store's slots in turn, a long hold each. */
function rebuildIndex(pool: Pool | undefined, log: Log) {
  if (!pool) return
  log.info('index rebuild started: 4 segments, scanning')
  const segment = async (number: number) => {
    for (let page = 0; ; page++) {
      const release = await pool.acquire().catch(() => undefined)
      if (release) {
        await new Promise(resolve => setTimeout(resolve, 350))
        release()
      }
      if (page % 20 === 19) log.info(`index rebuild: segment ${number} at page ${page + 1}`)
    }
  }
  for (let number = 0; number < 4; number++) void segment(number)
}
