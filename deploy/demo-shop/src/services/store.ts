/** A small key-value database: an append-only file on disk, an index in memory, a limited number of input/output slots. */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { metrics } from '@opentelemetry/api'
import { runService } from '../kit/run-service.ts'
import { HttpError } from '../kit/serve.ts'
import { seedRecords } from './seed.ts'

let connections = 0
const compactAtBytes = 6_000_000

await runService(
  async kit => {
    const { config, dataDir } = kit.identity
    const file = join(dataDir, 'data.log')
    mkdirSync(dataDir, { recursive: true })
    const slots = kit.limitedPool('store.slots', { name: 'io', acquireTimeoutMs: 2000, maxWaiting: 256 })
    const index = new Map<string, { at: number; length: number }>()
    let data = 0
    let end = 0

    // Input and output are synchronous: microseconds in the page cache, and nothing can come between an offset and its bytes.
    const compact = (records: Iterable<[string, unknown]>) => {
      const fresh = openSync(`${file}.new`, 'w+')
      index.clear()
      end = 0
      for (const [key, value] of records) {
        const line = Buffer.from(`${JSON.stringify([key, value])}\n`)
        writeSync(fresh, line)
        index.set(key, { at: end, length: line.length })
        end += line.length
      }
      renameSync(`${file}.new`, file)
      if (data) closeSync(data)
      data = fresh
    }
    const recorded = (): Map<string, unknown> => {
      const live = new Map<string, unknown>()
      if (!existsSync(file)) return live
      for (const line of readFileSync(file, 'utf8').split('\n')) {
        try {
          const [key, value] = JSON.parse(line)
          live.set(key, value)
        } catch {
          // the half-written last line of a killed process
        }
      }
      return live
    }
    const live = recorded()
    compact(live.size > 0 ? live : seedRecords())
    kit.log.info(`recovered ${index.size} keys from data.log, ${end} bytes after compaction`)
    await kit.disk.measure()

    const read = (key: string): unknown => {
      const entry = index.get(key)
      if (!entry) return undefined
      const buffer = Buffer.alloc(entry.length)
      readSync(data, buffer, 0, entry.length, entry.at)
      return JSON.parse(buffer.toString())[1]
    }
    const write = (key: string, value: unknown) => {
      if (kit.disk.full) {
        throw Object.assign(new Error(`ENOSPC: no space left on device, write '${file}'`), { code: 'ENOSPC', errno: -28 })
      }
      const line = Buffer.from(`${JSON.stringify([key, value])}\n`)
      const at = end
      end += line.length
      writeSync(data, line, 0, line.length, at)
      index.set(key, { at, length: line.length })
      if (end > compactAtBytes) {
        kit.log.info(`compacting data.log at ${end} bytes`)
        compact(recorded())
      }
    }
    setInterval(
      () => kit.log.info(`checkpoint: ${index.size} keys, data.log at ${end} bytes, ${connections} connections`),
      5000,
    ).unref()
    /** Each operation has a slot for as long as the medium takes. */
    const operation = <T>(work: () => T) =>
      slots.use(async () => {
        const started = performance.now()
        await sleep(Number(config.mediumLatencyMs))
        const result = work()
        operations.record((performance.now() - started) / 1000)
        return result
      })
    const meter = metrics.getMeter('store')
    const operations = meter.createHistogram('store.operation.duration', { unit: 's' })
    meter.createObservableGauge('store.keys').addCallback(result => result.observe(index.size))
    meter.createObservableGauge('store.connections.usage').addCallback(result => result.observe(connections))
    meter.createObservableGauge('store.connections.max').addCallback(result => result.observe(Number(config.maxConnections)))

    return {
      'GET /keys/:key': ({ params }) =>
        operation(() => {
          const value = read(params.key)
          if (value === undefined) throw new HttpError(404, `no key ${params.key}`)
          return { body: { value } }
        }),
      'PUT /keys/:key': ({ params, body }) =>
        operation(() => {
          write(params.key, (body as { value: unknown }).value)
          return { body: {} }
        }),
      'POST /add': ({ body }) =>
        operation(() => {
          const { key, delta, floor } = body as { key: string; delta: number; floor: number }
          const value = Number(read(key) ?? 0) + delta
          if (value < floor) throw new HttpError(409, `${key} would fall below ${floor}`)
          write(key, value)
          return { body: { value } }
        }),
      'POST /query': ({ body }) =>
        operation(() => {
          const { prefix, contains, limit } = body as { prefix: string; contains: string; limit: number }
          const keys = [...index.keys()].filter(key => key.startsWith(prefix))
          const values: unknown[] = []
          for (const key of keys) {
            if (values.length >= limit) break
            const value = read(key)
            if (JSON.stringify(value).includes(contains)) values.push(value)
          }
          return { body: { values } }
        }),
    }
  },
  server => {
    server.maxConnections = 96
    server.on('connection', socket => {
      connections++
      socket.once('close', () => connections--)
    })
  },
)
