/**
 * A real MLflow server as registry: the contract that the `models` stream passes, MLflow's own Python client on what we wrote, and a server that is away for a while.
 * `node tools/setup/mlflow.mjs` fetches it; the test says so where it is missing.
 */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import type { ModelVersion } from '@aegis/domain'
import { cardArtifacts, copyVersions, MlflowRegistry, mlflowName, StreamRegistry } from '@aegis/model-registry'
import { registryContract } from '@aegis/model-registry/registry.contract'
import { startMlflow, stopMlflow } from '@aegis/stack/local/mlflow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const { mlflowHome } = (await import(path.join(root, 'tools/setup/mlflow.mjs'))) as { mlflowHome(): string | undefined }
const home = mlflowHome()
const lacking = home ? '' : ' (left out: it is not in the cache; node tools/setup/mlflow.mjs fetches it)'
const now = () => Date.now() * 1000

describe.skipIf(lacking !== '')(`MLflow as a registry${lacking}`, () => {
  let folder = ''
  let url = ''
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'aegis-mlflow-'))
    url = await startMlflow(folder)
  }, 180_000)
  afterAll(async () => {
    await stopMlflow(folder)
    rmSync(folder, { recursive: true, force: true })
  })
  registryContract(
    async () => new MlflowRegistry({ url, now }),
    () => `log-watch/shop/service:${randomUUID()}`,
  )

  it('shows our models to its own Python client, and keeps what waited while it was away', async () => {
    const name = `log-watch/shop/service:${randomUUID()}`
    const stream: ModelVersion[] = []
    const here = new StreamRegistry({ versions: async () => [...stream], publish: async v => void stream.push(v) }, { now })
    const there = new MlflowRegistry({ url, now, timeoutMs: 3000 })
    const copy = () => copyVersions(stream, there, { artifactsOf: (v, of) => cardArtifacts(v, of) })
    const weights = (n: number) => Buffer.from(JSON.stringify({ w: [n] }))
    const first = await here.registerModel(
      weights(1),
      name,
      { holdout_accuracy: 0.9 },
      {},
      { lineage: { stream: 'logs.parsed' } },
    )
    await here.promoteModel(name, first.version, 'active')
    await copy()
    await stopMlflow(folder)
    const second = await here.registerModel(weights(2), name, { holdout_accuracy: 0.95 })
    await expect(copy()).rejects.toThrow('does not answer')
    expect((await here.loadModel(name, 'champion')).version).toBe(first.version)
    await here.promoteModel(name, second.version, 'candidate')
    expect(await startMlflow(folder)).toBe(url)
    expect(await copy()).toEqual({ registered: 1, moved: 1, refused: [] })
    const script = `
import json, sys, mlflow
url, name = sys.argv[1:3]
mlflow.set_tracking_uri(url)
client = mlflow.MlflowClient()
out = {}
for alias in ('champion', 'challenger'):
    v = client.get_model_version_by_alias(name, alias)
    folder = mlflow.artifacts.download_artifacts(run_id=v.run_id, artifact_path='model')
    out[alias] = {
        'version': v.tags['aegis.version'],
        'weights': open(folder + '/weights.bin').read(),
        'metrics': client.get_run(v.run_id).data.metrics,
        'params': client.get_run(v.run_id).data.params,
        'card': mlflow.artifacts.load_text(client.get_run(v.run_id).info.artifact_uri + '/artifacts/card.md').split('\\n')[0],
    }
print(json.dumps(out))
`
    const { stdout } = await promisify(execFile)(path.join(home as string, 'bin', 'python'), [
      '-c',
      script,
      url,
      mlflowName(name),
    ])
    expect(JSON.parse(stdout.trim().split('\n').at(-1) as string)).toMatchObject({
      champion: {
        version: first.version,
        weights: '{"w":[1]}',
        metrics: { holdout_accuracy: 0.9 },
        params: { stream: 'logs.parsed', digest: first.lineage.digest },
        card: `# ${name} ${first.version}`,
      },
      challenger: { version: second.version, weights: '{"w":[2]}', metrics: { holdout_accuracy: 0.95 } },
    })
  }, 180_000)
})
