import { seededRandom } from '@aegis/domain'
import { CartPole } from '@aegis/lab/remediation/cart-pole'
import { describe, expect, it } from 'vitest'
import { ActorCritic, type Environment, Normaliser, Ppo } from './ppo.ts'
import { LoadedModel, modelOf, resumeTraining, saveTraining } from './ppo-model.ts'

/** Four actions; the observation names the right one, and one of the others is forbidden. */
class PointedAt implements Environment {
  readonly features = 5
  readonly actions = 4
  readonly truncated = false
  done = true
  #right = 0
  #forbidden = 0
  #left = 0
  taken: number[] = []
  reset(seed: number): void {
    this.#right = seed % 4
    this.#forbidden = (seed + 1 + (seed % 3)) % 4
    this.#left = 5
    this.done = false
  }
  observe(into: Float32Array, offset: number): void {
    for (let i = 0; i < 4; i++) into[offset + i] = i === this.#right ? 1 : 0
    into[offset + 4] = this.#left
  }
  mask(into: Uint8Array, offset: number): void {
    for (let i = 0; i < 4; i++) into[offset + i] = i === this.#forbidden ? 0 : 1
  }
  step(action: number): number {
    if (action === this.#forbidden) throw new Error('a masked action was taken')
    this.done = --this.#left === 0
    return action === this.#right ? 1 : 0
  }
}
const SMALL = { hidden: 16, environments: 8, rollout: 16, minibatch: 32, rate: 3e-3, seed: 1 }
const last = <T>(all: Iterable<T>): T | undefined => [...all].at(-1)

describe('ActorCritic', () => {
  it('has the gradients that small changes of its weights show', () => {
    const net = new ActorCritic(6, 3, 8, 8)
    const random = seededRandom(5)
    net.initialise(random)
    net.weights.forEach((_, i) => {
      net.weights[i] += (random() - 0.5) * 0.2
    })
    const rows = 8
    for (let r = 0; r < rows; r++) for (let j = 0; j < 6; j++) net.input[r * net.width + j] = random() - 0.5
    // Loss: half the squared outputs, so the gradient of an output is the output.
    const loss = () => {
      net.changed()
      net.forward(rows)
      return net.output.subarray(0, rows * net.outputs).reduce((s, x) => s + 0.5 * x * x, 0)
    }
    loss()
    net.outputGradient.set(net.output)
    net.backward(rows)
    const gradients = net.gradients.slice()
    let checked = 0
    for (let i = 0; i < net.weights.length; i += 7) {
      const w = net.weights[i]
      const h = 1e-2
      net.weights[i] = w + h
      const up = loss()
      net.weights[i] = w - h
      const down = loss()
      net.weights[i] = w
      expect(Math.abs(gradients[i] - (up - down) / (2 * h))).toBeLessThan(0.01 + 0.05 * Math.abs(gradients[i]))
      checked++
    }
    expect(checked).toBeGreaterThan(30)
  })
})

describe('Normaliser', () => {
  it('agrees with the mean and variance of all it saw, however it came', () => {
    const random = seededRandom(2)
    const rows = Float32Array.from({ length: 300 }, () => random() * 10 - 3)
    const [one, many] = [new Normaliser(3, 10), new Normaliser(3, 10)]
    one.learn(rows, 100, 3)
    for (let i = 0; i < 100; i += 20) many.learn(rows.subarray(i * 3), 20, 3)
    const column = rows.filter((_, i) => i % 3 === 1)
    const mean = column.reduce((a, b) => a + b, 0) / 100
    expect(one.mean[1]).toBeCloseTo(mean, 3)
    many.mean.forEach((x, j) => {
      expect(x).toBeCloseTo(one.mean[j], 3)
    })
    many.variance.forEach((x, j) => {
      expect(x).toBeCloseTo(one.variance[j], 2)
    })
  })
})

describe('Ppo', () => {
  it('learns which action is meant and never takes a masked one', () => {
    const at = last(new Ppo(() => new PointedAt(), SMALL).train(12_800))
    expect(at?.meanReturn).toBeGreaterThan(3.5)
  })

  it('makes the same weights from the same seed, and others from another', () => {
    const weights = (seed: number) => {
      const ppo = new Ppo(() => new PointedAt(), { ...SMALL, seed })
      last(ppo.train(1280))
      return ppo.network.weights.slice()
    }
    expect(weights(1)).toEqual(weights(1))
    expect(weights(1)).not.toEqual(weights(2))
  })

  it('goes on from a checkpoint that went through a file', () => {
    const first = new Ppo(() => new PointedAt(), SMALL)
    last(first.train(1280))
    const about = {
      name: 'pointed-at',
      version: '1',
      encoding: 'test',
      actions: ['a', 'b', 'c', 'd'],
      lineage: { trainedOn: 'a test', command: '', seed: 1, steps: first.steps, figures: {} },
    }
    const model = modelOf(first.checkpoint(), about)
    const saved = JSON.parse(JSON.stringify(saveTraining(first.checkpoint(), model)))
    const second = new Ppo(() => new PointedAt(), {}, resumeTraining(saved))
    expect(second.network.weights).toEqual(first.network.weights)
    expect(second.steps).toBe(1280)
    const at = last(second.train(12_800))
    expect(at?.steps).toBe(12_800)
    expect(at?.meanReturn).toBeGreaterThan(3.5)
    const loaded = new LoadedModel(modelOf(second.checkpoint(), about))
    for (let right = 0; right < 4; right++) {
      const features = Float32Array.from([0, 1, 2, 3, 4], i => (i === 4 ? 3 : i === right ? 1 : 0))
      expect(loaded.consider(features, [1, 1, 1, 1])).toBe(right)
      const without = [0, 1, 2, 3].map(a => (a === right ? 0 : 1))
      expect(loaded.consider(features, without)).not.toBe(right)
      expect(loaded.probabilities[right]).toBe(0)
      expect(loaded.probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9)
    }
  })

  it('stops at its goal', () => {
    const ppo = new Ppo(() => new PointedAt(), { ...SMALL, goal: 3, goalEpisodes: 50 })
    const at = last(ppo.train(100_000))
    expect(at?.solved).toBe(true)
    expect(ppo.steps).toBeLessThan(100_000)
  })

  it('holds a pole upright', () => {
    const options = {
      hidden: 64,
      environments: 8,
      rollout: 64,
      minibatch: 128,
      epochs: 8,
      rate: 1e-3,
      discount: 0.98,
      lambda: 0.9,
    }
    const ppo = new Ppo(() => new CartPole(), { ...options, entropy: 0, entropyEnd: 0, seed: 4, goal: 300 })
    expect(last(ppo.train(100_000))?.solved).toBe(true)
  })
})
