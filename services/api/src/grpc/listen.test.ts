import path from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { HistoryStore } from '../history/history-store.ts'
import { Inference } from '../inference/inference.ts'
import { listenInference } from './listen.ts'

const NOW = 1_800_000_000_000_000
let served: Awaited<ReturnType<typeof listenInference>>
let caughtUp = true
const secret = 'Bearer right'
type Client = Record<
  string,
  (
    request: object,
    metadata: grpc.Metadata,
    done: (error: grpc.ServiceError | null, answer: Record<string, unknown>) => void,
  ) => void
> &
  grpc.Client
let client: Client
beforeAll(async () => {
  const inference = new Inference({
    environment: 'prod',
    minSamples: 100,
    anomalyThreshold: 0.85,
    failureWindowSeconds: 300,
    model: undefined,
    store: new HistoryStore(':memory:', 'e'),
    log: { add() {} },
    now: () => NOW,
    guardFacts: () => ({
      control: undefined,
      defaultMode: 'act',
      allow: [],
      deny: [],
      limits: {
        disruptivePerHour: 6,
        concurrent: 1,
        cooldownMs: 0,
        minimumConfidence: 0.4,
        minimumEvidence: 1,
        errorBudgetFloor: 0,
      },
    }),
    caughtUp: () => caughtUp,
  })
  served = await listenInference({
    host: '127.0.0.1',
    port: 0,
    inference,
    auth: { byHeader: header => (header === secret ? { name: 'ada', scopes: ['read'], environments: ['*'] } : undefined) },
  })
  const definition = loadSync(path.join(import.meta.dirname, 'inference.proto'), { keepCase: true, defaults: true })
  const { Inference: Service } = (
    grpc.loadPackageDefinition(definition) as unknown as {
      aegis: { inference: { v1: { Inference: grpc.ServiceClientConstructor } } }
    }
  ).aegis.inference.v1
  client = new Service(`127.0.0.1:${served.port}`, grpc.credentials.createInsecure()) as unknown as Client
})
afterAll(async () => {
  client?.close()
  await served?.close()
})
const ask = (method: string, request: object, key = secret) =>
  new Promise<Record<string, unknown>>((resolve, reject) => {
    const metadata = new grpc.Metadata()
    if (key) metadata.set('authorization', key)
    client[method](request, metadata, (error, answer) => (error ? reject(error) : resolve(answer)))
  })

it('answers as the HTTP routes do', async () => {
  expect(await ask('DetectAnomaly', { metrics: [{ metric_type: 'cpu_usage', value: 250 }] })).toMatchObject({
    is_anomaly: true,
    severity: 'critical',
    details: { model: 'unit' },
  })
  expect(
    await ask('DetectFailure', { logs: [{ level: 'ERROR', message: 'No space left on device', service: 'db' }] }),
  ).toMatchObject({ failure_detected: true, failure_type: 'storage_issues' })
  expect(await ask('DetectFailure', {})).toMatchObject({ failure_detected: false, failure_type: '' })
  expect(
    await ask('EvaluatePolicy', {
      action: 'scale_up',
      resource: 'service:a',
      context: { userId: 'u', role: 'r', metadata: { fields: { confidence: { numberValue: 0.9, kind: 'numberValue' } } } },
    }),
  ).toMatchObject({ allowed: true })
  expect(await ask('Advise', { metrics: [{ metric_type: 'cpu_usage', value: 91 }] })).toMatchObject({
    suggestions: [{ kind: 'scaling' }, { kind: 'caching' }],
  })
})
it('says what is wrong by its status', async () => {
  await expect(ask('DetectAnomaly', { metrics: [] })).rejects.toMatchObject({ code: grpc.status.INVALID_ARGUMENT })
  await expect(ask('DetectAnomaly', { metrics: [{ metric_type: 'a', value: 1 }] }, '')).rejects.toMatchObject({
    code: grpc.status.UNAUTHENTICATED,
  })
  await expect(ask('Advise', { incident: 'nobody' })).rejects.toMatchObject({ code: grpc.status.NOT_FOUND })
  caughtUp = false
  await expect(ask('EvaluatePolicy', { action: 'restart', resource: 'service:a' })).rejects.toMatchObject({
    code: grpc.status.UNAVAILABLE,
  })
})
it('says that it serves, and what', async () => {
  const { Health } = await import('@grpc/proto-loader').then(
    loader =>
      (
        grpc.loadPackageDefinition(
          loader.loadSync(
            path.join(
              path.dirname(new URL(import.meta.resolve('grpc-health-check')).pathname),
              '../../proto/health/v1/health.proto',
            ),
          ),
        ) as unknown as { grpc: { health: { v1: { Health: grpc.ServiceClientConstructor } } } }
      ).grpc.health.v1,
  )
  const health = new Health(`127.0.0.1:${served.port}`, grpc.credentials.createInsecure()) as unknown as Client
  expect(
    await new Promise((resolve, reject) =>
      health.check({ service: '' }, new grpc.Metadata(), (error, answer) => (error ? reject(error) : resolve(answer))),
    ),
  ).toMatchObject({ status: expect.anything() })
  health.close()
})
