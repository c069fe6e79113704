import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { loadTensorFlow } from '@aegis/anomaly-detection/tensorflow'
import { packTrained, trainEntity } from '@aegis/anomaly-detection/train-entity'
import type { ModelHealth, ModelVersion } from '@aegis/domain'
import { earlierVersion, inForce, presentVersion } from '@aegis/model-registry'
import { describe, expect, it } from 'vitest'
import { exportModel, healthLine, lineOf, readCases, readModels } from './models.ts'

const version = (id: string, v: string, over: Partial<ModelVersion> = {}): ModelVersion => ({
  id,
  environment: 'e',
  time: 1_700_000_000_000_000,
  version: v,
  state: 'active',
  weights: new Uint8Array([1]),
  metrics: {},
  lineage: {},
  ...over,
})

describe('aegis models', () => {
  const learning = version('a', 'learning-1', {
    state: 'learning',
    weights: null,
    metrics: { rows: 5, until: 1 },
    lineage: { until: 'T' },
  })
  const all = [learning, version('a', '1'), version('b', '7'), version('a', '2'), version('a', '3')]
  it('shows what is in force', () => {
    expect(inForce(all).map(m => `${m.id} ${m.version}`)).toEqual(['a 3', 'b 7'])
    expect(lineOf(learning)).toBe('a  learning-1  learning 2023-11-14T22:13:20  rows 5, until about T')
  })
  it('goes back one version, and once more one further', () => {
    expect(earlierVersion(all, 'a').version).toBe('2')
    const back = [...all, version('a', '2', { state: 'held' })]
    expect(presentVersion(back, 'a')).toMatchObject({ version: '2', state: 'held' })
    expect(earlierVersion(back, 'a').version).toBe('1')
    expect(earlierVersion(back, 'a', { to: '3' }).version).toBe('3')
  })
  it('says what there is when it cannot', () => {
    expect(() => earlierVersion(all, 'b')).toThrow('b has no version before 7')
    expect(() => earlierVersion(all, 'a', { to: '9' })).toThrow('a has no version 9 to go back to; there are 1, 2')
    expect(() => presentVersion(all, 'c')).toThrow('no model is called c')
  })
  it('writes a network in the format of tf.layers', async () => {
    const { tf, ...rest } = await loadTensorFlow()
    const values = Float64Array.from({ length: 600 }, (_, i) => Math.sin(i / 5))
    const trained = trainEntity(
      {
        detector: 'vae',
        metrics: ['x', 'y'],
        rows: { count: 300, metrics: 2, values },
        stepSeconds: 60,
        alarmsPerDay: 1,
        youngThreshold: 9,
        steps: 100,
      },
      { tf, ...rest },
    )
    const out = mkdtempSync(join(tmpdir(), 'aegis-model-'))
    try {
      const files = await exportModel(version('vae/e/service:a', '1', { weights: packTrained(trained) }), out)
      expect(files).toHaveLength(4)
      const file = JSON.parse(readFileSync(files[0], 'utf8'))
      const again = await tf.loadLayersModel(
        tf.io.fromMemory({
          modelTopology: file.modelTopology,
          weightSpecs: file.weightsManifest[0].weights,
          weightData: Uint8Array.from(readFileSync(files[1])).buffer,
        }),
      )
      expect(again.inputs[0].shape).toEqual([null, 6])
      expect(file.userDefinedMetadata.metrics).toEqual(['x', 'y'])
    } finally {
      rmSync(out, { recursive: true, force: true })
    }
  })
  it('reads cases of two models, and names the line that is none', () => {
    const read = (text: string) => readCases(Buffer.from(text), 'cases.jsonl')
    expect(read('{"present":1,"candidate":0,"slice":"a"}\n\n{"present":0.5,"candidate":null}\n')).toEqual([
      { present: 1, candidate: 0, slice: 'a' },
      { present: 0.5, candidate: Number.NaN },
    ])
    expect(() => read('{"present":1,"candidate":1}\nx')).toThrow('cases.jsonl, line 2: write')
  })
  it('says in a line how a model does', () => {
    const line = healthLine({
      environment: 'shop',
      model: 'root-cause',
      state: 'degraded',
      reason: 'right in 0.81 of the last 500 outcomes, in 0.90 of those before',
      samples: 1200,
      outcomes: 1000,
      accuracy: 0.8,
      accuracy_before: 0.9,
      accuracy_lately: 0.81,
      calibration_error: null,
      estimated_accuracy: null,
      drifted: [{ feature: 'confidence', distance: 0.3, p: 0, stability: 1 }],
    } as unknown as ModelHealth)
    expect(line).toContain('shop  root-cause  degraded right in 0.81')
    expect(line).toContain('thought right –; 1200 inputs, changed: confidence')
  })
  it('writes others as one file, and takes no file that was changed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aegis-model-'))
    const into = { environment: 'e', timeUs: 7 }
    try {
      const file = join(folder, 'rules.json')
      const rules = version('alert-rules', '1', { weights: Buffer.from('rules: []') })
      expect(await exportModel(rules, file)).toEqual([file])
      const [again] = readModels(readFileSync(file), file, into)
      expect(again).toMatchObject({ id: 'alert-rules', version: '1', time: 7, weights: Buffer.from('rules: []') })
      const changed = JSON.parse(readFileSync(file, 'utf8'))
      const damaged = (over: object) => () => readModels(Buffer.from(JSON.stringify({ ...changed, ...over })), file, into)
      expect(damaged({ weights: Buffer.from('rules: [1]').toString('base64') })).toThrow('as was said')
      expect(damaged({ lineage: {}, weights: Buffer.from('{"w":[1,1e999]}').toString('base64') })).toThrow('no number, at w.1')
      expect(damaged({ state: 'king' })).toThrow('there is no state king')
      expect(damaged({ weights: 'A'.repeat(9_000_000) })).toThrow('larger than')
      expect(() => readModels(gzipSync(Buffer.alloc(70_000_000)), file, into)).toThrow('holds more than')
      expect(() => readModels(Buffer.from('x'), file, into)).toThrow('is no model')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
