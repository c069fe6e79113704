/** The api service on a real Kafka: what it answers is on its stream, what was found outlives its restart, and it reads on from where it was. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { api } from '@aegis/api-service'
import { type Change, changes, type Prediction, predictions, type Stream } from '@aegis/domain'
import {
  connect,
  RUNTIME_SETTINGS,
  type RunningService,
  readConfig,
  type ServiceDefinition,
  silentLog,
  startService,
} from '@aegis/runtime'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stackEnv } from './stack-env.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'aegis-api-'))
const environment = randomUUID()
let client: StreamClient
let service: RunningService | undefined
const infrastructures: ReturnType<typeof connect>[] = []
const start = async (): Promise<RunningService> => {
  const env = { ...stackEnv(), AEGIS_HISTORY_FILE: path.join(folder, 'history.sqlite'), AEGIS_ENVIRONMENT: environment }
  const runtime = readConfig(RUNTIME_SETTINGS, env)
  const infrastructure = connect(runtime, 'api-test', silentLog())
  infrastructures.push(infrastructure)
  return startService(
    api as unknown as ServiceDefinition,
    readConfig(api.settings, env) as never,
    runtime,
    infrastructure,
    silentLog(),
  )
}
beforeAll(async () => {
  service = await start()
  client = new StreamClient(connect(readConfig(RUNTIME_SETTINGS, stackEnv()), 'api-test-client', silentLog()))
})
afterAll(async () => {
  await service?.stop()
  await client?.close()
  for (const { broker } of infrastructures) await broker.close()
  rmSync(folder, { recursive: true, force: true })
})
const ask = async (url: string, body?: unknown) => {
  const response = await fetch(
    `http://127.0.0.1:${service?.port}${url}`,
    body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) },
  )
  return {
    status: response.status,
    body: (await response.json()) as { length: number; streams: Record<string, { count: number }> },
  }
}
const until = async (met: () => Promise<boolean>, what: string) => {
  for (let i = 0; i < 300; i++) {
    if (await met()) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error(`${what} did not come within 30 s`)
}
const change = (id: string): Change => ({
  id,
  environment,
  time: Date.now() * 1000,
  entity: 'service:cart',
  kind: 'deploy',
  before: '1',
  after: '2',
  author: null,
  source: 'test',
})

it('knows how its neighbours are, by their own protocols', async () => {
  expect((await ask('/health')).body).toMatchObject({
    status: 'healthy',
    kafka: { status: 'up' },
    neo4j: { status: 'up' },
    redis: { status: 'up' },
  })
})
it('puts what it answered on its stream, and lists it', async () => {
  const found: Prediction[] = []
  const tail = await client.tail([predictions as unknown as Stream<never>], 'end', decoded => {
    for (const d of decoded) if (d.value) found.push(d.value as Prediction)
  })
  expect(
    (
      await ask('/api/v1/detect-failure', {
        logs: [{ level: 'ERROR', message: 'write failed: No space left on device', service: 'cart' }],
      })
    ).body,
  ).toMatchObject({
    failure_detected: true,
    failure_type: 'storage_issues',
  })
  await until(async () => found.some(p => p.environment === environment && p.label === 'storage_issues'), 'the prediction')
  await until(async () => (await ask(`/api/v1/predictions?environment=${environment}`)).body.length === 1, 'the list')
  await tail.close()
})
it('goes on after a restart where it was, with all it knew', { timeout: 120_000 }, async () => {
  const producer = await client.broker.producer()
  const send = (id: string) => client.publish(changes, [change(id)])
  await send('before')
  await until(async () => (await ask(`/api/v1/changes?environment=${environment}`)).body.length === 1, 'the first change')
  await service?.stop()
  await send('while it was away')
  service = await start()
  await until(async () => (await ask(`/api/v1/changes?environment=${environment}`)).body.length === 2, 'the change of meanwhile')
  const { streams } = (await ask('/api/v1/status')).body
  // Not read again from the beginning: of the changes only the one that was new.
  expect(streams.changes.count).toBe(1)
  expect((await ask('/api/v1/changes/before')).status).toBe(200)
  await producer.close()
})
