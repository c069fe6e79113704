import { normal, seededRandom } from '@aegis/learning/random'
import { beforeAll, describe, expect, it } from 'vitest'
import { Adam } from './adam.ts'
import { EntityModel } from './entity-model.ts'
import { fromLayersFormat, toLayersFormat } from './layers-format.ts'
import { lstmNetwork } from './lstm-autoencoder.ts'
import { makeNetwork, NETWORK_NAMES } from './make-detector.ts'
import { loadTensorFlow, type Tensors } from './tensorflow.ts'
import { packTrained, unpackTrained } from './train-entity.ts'
import { trainInWorker } from './train-in-worker.ts'

let tensors: Tensors
beforeAll(async () => {
  tensors = await loadTensorFlow()
})

const rowsOf = (count: number, seed: number) => {
  const random = seededRandom(seed)
  const values = new Float64Array(3 * count)
  for (let i = 0; i < count; i++) {
    const wave = Math.sin(i / 9)
    values.set(
      [wave, 0.8 * wave, Math.cos(i / 9)].map(v => v + 0.05 * normal(random)),
      3 * i,
    )
  }
  return { count, metrics: 3, values }
}

describe('TensorFlow.js', () => {
  it('computes as plain arithmetic does', () => {
    expect(tensors.parity).toBeLessThan(1e-4)
  })

  it('gives the same output and gradients with fused LSTM layers', () => {
    const { tf } = tensors
    const plain = lstmNetwork(tf, 12, 3)
    const fused = lstmNetwork(tf, 12, 3)
    const expected = tensors.tier === 'node' || tensors.tier === 'gpu' ? 4 : 0
    expect(tensors.fuse(fused)).toBe(expected)
    fused.setWeights(plain.getWeights())
    const x = tf.randomNormal([4, 12, 50], 0, 1, 'float32', 5)
    const far = (a: unknown, b: unknown) => tf.tidy(() => tf.max(tf.abs(tf.sub(a as never, b as never))).dataSync()[0])
    expect(far(plain.apply(x), fused.apply(x))).toBeLessThan(1e-5)
    const grads = (model: typeof plain) => {
      const variables = model.trainableWeights.map(w => (w as unknown as { val: never }).val)
      const { grads } = tf.variableGrads(
        () => tf.losses.meanSquaredError(x, model.apply(x, { training: true }) as never),
        variables,
      )
      return variables.map(v => grads[(v as { name: string }).name])
    }
    const a = grads(plain)
    grads(fused).forEach((g, i) => {
      expect(far(a[i], g)).toBeLessThan(1e-5)
    })
  })

  it('takes the same steps with all weights as one vector', () => {
    const { tf } = tensors
    const start = () => [tf.variable(tf.tensor2d([1, -2, 3, 0.5], [2, 2])), tf.variable(tf.tensor1d([4, -1]))] as const
    const cost = ([a, b]: ReturnType<typeof start>) => tf.sum(tf.pow(tf.sub(tf.matMul(a, tf.reshape(b, [2, 1])), 3), 2)) as never
    const [ours, theirs] = [start(), start()]
    const before = tf.memory().numTensors
    const adam = new Adam(tf, ours, 0.05)
    const stock = tf.train.adam(0.05)
    for (let step = 0; step < 30; step++) {
      adam.minimize(() => cost(ours)).dispose()
      stock.minimize(() => cost(theirs), false, [...theirs])
    }
    stock.dispose()
    adam.dispose()
    expect(tf.memory().numTensors).toBe(before)
    ours.forEach((v, i) => {
      const expected = theirs[i].dataSync()
      v.dataSync().forEach((x, k) => {
        expect(x).toBeCloseTo(expected[k], 4)
      })
    })
    expect((ours[0].dataSync()[0] - 1) ** 2).toBeGreaterThan(0.01)
  })

  it('keeps a network in the format of tf.layers', async () => {
    const { tf } = tensors
    const model = lstmNetwork(tf, 8, 1)
    tensors.fuse(model)
    const again = await fromLayersFormat(tf, await toLayersFormat(tf, model))
    const x = tf.randomNormal([2, 8, 50], 0, 1, 'float32', 9)
    expect(tf.max(tf.abs(tf.sub(model.apply(x) as never, again.apply(x) as never))).dataSync()[0]).toBeLessThan(1e-5)
  })
})

describe.each(NETWORK_NAMES)('%s', name => {
  const make = () => makeNetwork(name, tensors, { rows: 20, steps: 60, batch: 16 })
  it('finds a row that fits no other, alone or among rows foreseen, and survives a restart', () => {
    const model = make()
    model.fit(rowsOf(600, 1))
    const next = rowsOf(660, 1)
    const rest = { count: 60, metrics: 3, values: next.values.slice(3 * 600) }
    rest.values.set([3, -3, 3], 3 * 40)
    const other = make()
    other.load(JSON.parse(JSON.stringify(model.save())))
    const one: number[] = []
    const many: number[] = []
    const guilt = new Float64Array(3)
    other.foresee?.(rest)
    for (let i = 0; i < 60; i++) {
      const row = rest.values.slice(3 * i, 3 * i + 3)
      one.push(model.score(row, guilt))
      many.push(other.score(row, guilt))
      model.push(row)
      other.push(row)
    }
    one.forEach((score, i) => {
      expect(many[i]).toBeCloseTo(score, 2)
    })
    expect(one.indexOf(Math.max(...one))).toBe(40)
  })

  it('keeps the number of tensors constant', () => {
    const model = make()
    model.fit(rowsOf(200, 2))
    const guilt = new Float64Array(3)
    const rows = rowsOf(300, 3)
    const before = tensors.tf.memory().numTensors
    for (let i = 0; i < 300; i++) {
      model.score(rows.values.subarray(3 * i, 3 * i + 3), guilt)
      model.push(rows.values.subarray(3 * i, 3 * i + 3))
    }
    expect(tensors.tf.memory().numTensors).toBe(before)
    model.fit(rowsOf(200, 2))
    expect(tensors.tf.memory().numTensors).toBe(before)
  })
})

it('trains in a process of its own, with progress, and hands over what scores elsewhere', async () => {
  const rows = rowsOf(300, 1)
  const seen: number[] = []
  const trained = await trainInWorker(
    {
      detector: 'lstm-autoencoder',
      metrics: ['a', 'b', 'c'],
      rows,
      stepSeconds: 60,
      alarmsPerDay: 0.5,
      youngThreshold: 6,
      steps: 60,
    },
    { onProgress: ({ step }) => seen.push(step) },
  )
  expect(seen.length).toBeGreaterThan(0)
  expect(trained.validation).toBeLessThan(1)
  const model = new EntityModel(unpackTrained(packTrained(trained)), tensors)
  const usual = model.row([0, 1, 2].map(j => ({ metric: 'abc'[j], value: rows.values[3 * 299 + j] })))
  const strange = model.row(['a', 'b', 'c'].map(metric => ({ metric, value: -40 })))
  expect(strange?.score).toBeGreaterThan((usual?.score ?? 0) + 2)
})

it('stops training when told to', async () => {
  const stop = new AbortController()
  const training = trainInWorker(
    {
      detector: 'vae',
      metrics: ['a', 'b', 'c'],
      rows: rowsOf(3000, 1),
      stepSeconds: 60,
      alarmsPerDay: 0.5,
      youngThreshold: 6,
      steps: 1_000_000,
    },
    { signal: stop.signal, onProgress: () => stop.abort() },
  )
  await expect(training).rejects.toThrow('training was stopped')
})
