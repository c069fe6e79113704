/** The registry on a real Kafka, the command line on it, and the model-keeper that watches and copies to a real MLflow server. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { packLogModel } from '@aegis/anomaly-detection/logs/log-model-file'
import { LogWatch } from '@aegis/anomaly-detection/logs/log-watch'
import { type ModelHealth, type ModelVersion, modelHealth, models, type Prediction, predictions } from '@aegis/domain'
import { modelKeeper } from '@aegis/model-keeper'
import { MlflowRegistry, type ModelStream, StreamRegistry } from '@aegis/model-registry'
import { registryContract } from '@aegis/model-registry/registry.contract'
import { connect, RUNTIME_SETTINGS, readConfig, type ServiceDefinition, silentLog } from '@aegis/runtime'
import { startMlflow, stopMlflow } from '@aegis/stack/local/mlflow'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { servicesHere } from './services-here.ts'

const root = path.resolve(import.meta.dirname, '../..')
const { mlflowHome } = (await import(path.join(root, 'tools/setup/mlflow.mjs'))) as { mlflowHome(): string | undefined }
const lacking = mlflowHome() ? '' : ' (left out: MLflow is not in the cache; node tools/setup/mlflow.mjs fetches it)'

const { env, start, cli, stop } = servicesHere()
const now = () => Date.now() * 1000
const service = randomUUID()
let client: StreamClient
let folder = ''

const stream: ModelStream = {
  versions: async () => {
    const all: ModelVersion[] = []
    await client.all([models as never], decoded => {
      for (const { value } of decoded) if (value) all.push(value as ModelVersion)
    })
    return all
  },
  publish: version => client.publish(models, [version]),
}
const eventually = async (what: string, look: () => Promise<boolean>): Promise<void> => {
  for (let i = 0; i < 300; i++) {
    if (await look().catch(() => false)) return
    await new Promise(done => setTimeout(done, 200))
  }
  throw new Error(`${what}: not within a minute`)
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'aegis-registry-'))
  client = new StreamClient(connect(readConfig(RUNTIME_SETTINGS, env), 'test', silentLog()))
  // The keeper makes the topics where this test is the first.
  await start(modelKeeper as unknown as ServiceDefinition)
})
afterAll(async () => {
  await stop()
  await client?.close()
  await stopMlflow(folder)
  rmSync(folder, { recursive: true, force: true })
})

describe('the models stream on Kafka as a registry', () => {
  registryContract(
    async () => new StreamRegistry(stream, { now }),
    () => `log-watch/shop/service:${randomUUID()}`,
  )
})

describe('aegis models', () => {
  it('brings a log model in, tells of it, and gives it out again', () => {
    const file = path.join(folder, 'model.json')
    const id = `log-watch/shop/service:${service}`
    const state = new LogWatch<never>().toJSON()
    writeFileSync(file, packLogModel([[service, state]]))
    expect(cli('models', 'import', file, '--environment', 'shop')).toContain(`${id}: version`)
    expect(cli('models', 'list', id)).toContain('active')
    expect(cli('models', 'card', id)).toMatch(/no hold-out figures/)
    const out = path.join(folder, 'out.json')
    cli('models', 'export', id, '--out', out)
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ kind: 'aegis-log-model', services: [[service, state]] })
  })
})

describe('the model-keeper', () => {
  it('says how a model does whose answers are on a stream', async () => {
    const environment = randomUUID()
    const prediction = (n: number) =>
      ({
        id: `p${n}`,
        environment,
        time: now() + n,
        kind: 'failure',
        model: 'random-forest',
        model_version: '1',
        detected: true,
        label: 'timeout',
        severity: 'high',
        score: (n % 97) / 97,
        confidence: (n % 89) / 89,
        entities: [],
        actions: [],
        reason: '',
        who: 'test',
        duration_us: 1,
      }) satisfies Prediction
    await client.publish(
      predictions,
      Array.from({ length: 1300 }, (_, n) => prediction(n)),
    )
    const seen: ModelHealth[] = []
    const tail = await client.tail([modelHealth as never], 'start', decoded => {
      for (const { value } of decoded) if ((value as ModelHealth)?.environment === environment) seen.push(value as ModelHealth)
    })
    await eventually('the first word on the model', async () => seen.length > 0)
    await tail.close()
    expect(seen[0]).toMatchObject({ model: 'failure random-forest', version: '1', state: 'well', samples: 1200 })
  })
  it.skipIf(lacking !== '')(
    `copies versions to MLflow, and what waited while that was away${lacking}`,
    async () => {
      const name = `log-watch/shop/service:${randomUUID()}`
      const url = await startMlflow(folder)
      await start(modelKeeper as unknown as ServiceDefinition, { MLFLOW_TRACKING_URI: url, AEGIS_MLFLOW_SECONDS: '0.5' })
      const here = new StreamRegistry(stream, { now })
      const there = new MlflowRegistry({ url, now, timeoutMs: 3000 })
      const champion = async () => (await there.loadModel(name, 'champion')).version
      const first = await here.registerModel(Buffer.from('{"w":[1]}'), name, { holdout_accuracy: 0.9 })
      await here.promoteModel(name, first.version, 'active')
      await eventually('the first version in MLflow', async () => (await champion()) === first.version)
      await stopMlflow(folder)
      const second = await here.registerModel(Buffer.from('{"w":[2]}'), name, { holdout_accuracy: 0.95 })
      await here.promoteModel(name, second.version, 'active')
      expect((await here.loadModel(name, 'champion')).version).toBe(second.version)
      await startMlflow(folder)
      await eventually('the second version in MLflow', async () => (await champion()) === second.version)
      expect((await there.versions(name)).map(v => v.state)).toEqual(['retired', 'active'])
    },
    240_000,
  )
})
