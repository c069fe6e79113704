import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { models } from '@aegis/domain'
import { allTopics, MemoryBroker, MemoryRegistry } from '@aegis/runtime'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { connectClient, type Decoded } from './client.ts'
import { embeddedStack, share } from './shared-broker.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'aegis-shared-'))
const broker = new MemoryBroker()
let end: () => Promise<void>
beforeAll(async () => {
  vi.stubEnv('AEGIS_STATE_DIR', folder)
  vi.stubEnv('KAFKA_BROKERS', undefined)
  await broker.ensureTopics(allTopics({ data: 2, environment: 1 }))
  end = await share({ broker, registry: new MemoryRegistry() }, 'http://127.0.0.1:1')
})
afterAll(async () => {
  await end()
  expect(embeddedStack()).toBeUndefined()
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})
const version = (n: number) => ({
  id: `m${n}`,
  environment: 'e',
  time: n,
  version: '1',
  state: 'active',
  weights: Buffer.alloc(100_000, n),
  metrics: {},
  lineage: {},
})

it('an embedded stack is read and written by commands of other processes', async () => {
  expect(embeddedStack()).toMatchObject({ pid: process.pid, gatewayUrl: 'http://127.0.0.1:1' })
  const client = await connectClient()
  await client.publish(
    models,
    Array.from({ length: 30 }, (_, i) => version(i)),
  )
  const seen: Decoded[] = []
  await client.all([models] as never, decoded => void seen.push(...decoded))
  expect(seen.map(d => (d.value as { id: string }).id)).toEqual(Array.from({ length: 30 }, (_, i) => `m${i}`))
  expect(Buffer.from((seen[7].value as { weights: Uint8Array }).weights).equals(Buffer.alloc(100_000, 7))).toBe(true)
  expect(await client.broker.partitions('metrics.raw')).toBe(2)
  expect(await client.holds('models', 0, 0, 5)).toBe(true)
  await client.tick([models] as never, { time: 1, environment: 'e', versions: {} })
  expect(await client.broker.end('models', 0)).toBe(31)
  await expect(client.broker.partitions('nothing')).rejects.toThrow('topic nothing does not exist')
  await expect(client.broker.transactor('x')).rejects.toThrow('serves no transactions')
  await client.close()
})

it('there is one for each checkout', async () => {
  await expect(share({ broker, registry: new MemoryRegistry() }, '')).rejects.toThrow('runs already')
})
