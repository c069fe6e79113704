/**
 * Proximal policy optimisation with masked actions, top to bottom: network, collection, advantages, clipped update, checkpoint.
 *
 * Schulman et al., "Proximal Policy Optimization Algorithms" (2017); generalised advantages from Schulman et al. (2016); masks as in Huang and
 * Ontañón, "A Closer Look at Invalid Action Masking" (2022): a forbidden action has no probability and gets no gradient. Details that matter,
 * after Huang et al., "The 37 Implementation Details" (2022): orthogonal initialisation (gain √2, 0.01 for the policy, 1 for the value), Adam with
 * ε 1e-5, rate annealed to zero, advantages normalised per minibatch, observations normalised by running mean and variance and clipped, the
 * gradient clipped by its norm, a truncated episode bootstrapped from its last observation.
 *
 * Ours differs in three ways. Policy and value share the two hidden layers. Arithmetic runs on `matrix-kernels.ts`, which gives the same bits
 * on every machine, so that a seed makes the same weights everywhere. Episodes in progress are not part of a checkpoint: a resumed run starts new ones.
 */
import { hash32, seededRandom } from '@aegis/domain'
import { Matrices, pack, packTransposed, transpose } from './matrix-kernels.ts'

/** What is played in training. `observe` writes `features` numbers, `mask` one byte per action. */
export interface Environment {
  readonly features: number
  readonly actions: number
  /** Set by `step`: the episode is over, and whether only time ran out. */
  readonly done: boolean
  readonly truncated: boolean
  reset(seed: number): void
  observe(into: Float32Array, offset: number): void
  mask(into: Uint8Array, offset: number): void
  step(action: number): number
}

export interface PpoOptions {
  /** Units in each of the two hidden layers; a multiple of 8. */
  readonly hidden: number
  /** Environments played side by side; a multiple of 4. */
  readonly environments: number
  /** Steps of each environment between two updates. */
  readonly rollout: number
  /** Passes over what was collected, and samples per gradient step (a multiple of 4 that divides environments × rollout). */
  readonly epochs: number
  readonly minibatch: number
  /** Adam's rate at the start; falls to zero along a straight line. */
  readonly rate: number
  /** Weight of a reward one step later, and of an estimate one step longer (λ of the advantages). */
  readonly discount: number
  readonly lambda: number
  /** How far the probability ratio may move before its gradient is cut. */
  readonly clip: number
  /** Weight of the entropy bonus at the start and at the end, and of the value's error. */
  readonly entropy: number
  readonly entropyEnd: number
  readonly valueWeight: number
  /** Longest gradient taken. */
  readonly gradientNorm: number
  /** An update ends early when the policy has moved this far (mean KL divergence); 0: never. */
  readonly targetKl: number
  /** Rewards are multiplied by this before learning. */
  readonly rewardScale: number
  /** Observations are clipped at this many standard deviations. */
  readonly observationClip: number
  readonly seed: number
  /** Training seeds of episodes lie below this. */
  readonly episodeSeeds: number
  /** Stop when the mean return of the last `goalEpisodes` episodes reaches `goal`. */
  readonly goal: number
  readonly goalEpisodes: number
}
export const PPO_DEFAULTS: PpoOptions = {
  hidden: 256,
  environments: 64,
  rollout: 32,
  epochs: 4,
  minibatch: 256,
  rate: 6e-4,
  discount: 0.99,
  lambda: 0.95,
  clip: 0.2,
  entropy: 0.01,
  entropyEnd: 0.001,
  valueWeight: 0.1,
  gradientNorm: 0.5,
  targetKl: 0,
  rewardScale: 0.05,
  observationClip: 8,
  seed: 0,
  episodeSeeds: 900_000,
  goal: Infinity,
  goalEpisodes: 100,
}

const up = (n: number, to: number): number => Math.ceil(n / to) * to

/** Two rectified layers, and one that holds logits and value side by side. All weights lie in one array: layer by layer, rows by input. */
export class ActorCritic {
  readonly features: number
  readonly actions: number
  readonly hidden: number
  /** Padded widths of input and output. */
  readonly width: number
  readonly outputs: number
  readonly weights: Float32Array
  readonly gradients: Float32Array
  readonly #matrices: Matrices
  readonly #layers: readonly {
    readonly w: Float32Array
    readonly b: Float32Array
    readonly dw: Float32Array
    readonly db: Float32Array
  }[]
  readonly #packed: readonly Float32Array[]
  readonly #back: readonly Float32Array[]
  readonly #moments: readonly [Float32Array, Float32Array]
  readonly #zeros: Float32Array
  /** Working space for up to `rows` samples: input, hidden, output and their gradients. */
  readonly input: Float32Array
  readonly #hidden1: Float32Array
  readonly #hidden2: Float32Array
  readonly output: Float32Array
  readonly outputGradient: Float32Array
  readonly #gradient1: Float32Array
  readonly #gradient2: Float32Array
  readonly #turned: Float32Array
  readonly #panel: Float32Array

  constructor(features: number, actions: number, hidden: number, rows: number) {
    this.features = features
    this.actions = actions
    this.hidden = hidden
    this.width = up(features, 4)
    this.outputs = up(actions + 1, 8)
    const { width: k, outputs: o } = this
    const count = k * hidden + hidden + hidden * hidden + hidden + hidden * o + o
    const wide = Math.max(k, hidden)
    const m = new Matrices(count * 6 + rows * (k + 4 * hidden + 2 * o + 2 * wide) + hidden * 2 + 20_000)
    this.#matrices = m
    this.weights = m.array(count)
    this.gradients = m.array(count)
    this.#moments = [m.array(count), m.array(count)]
    let at = 0
    this.#layers = [
      [k, hidden],
      [hidden, hidden],
      [hidden, o],
    ].map(([i, j]) => {
      const cut = (length: number) => {
        const part = [this.weights, this.gradients].map(x => x.subarray(at, at + length))
        at += length
        return part
      }
      const [w, dw] = cut(i * j)
      const [b, db] = cut(j)
      return { w, dw, b, db }
    })
    this.#packed = this.#layers.map(l => m.array(l.w.length))
    this.#back = this.#layers.map(l => m.array(l.w.length))
    this.#zeros = m.array(Math.max(hidden, o))
    this.input = m.array(rows * k)
    this.#hidden1 = m.array(rows * hidden)
    this.#hidden2 = m.array(rows * hidden)
    this.output = m.array(rows * o)
    this.outputGradient = m.array(rows * o)
    this.#gradient1 = m.array(rows * hidden)
    this.#gradient2 = m.array(rows * hidden)
    this.#turned = m.array(rows * wide)
    this.#panel = m.array(rows * hidden)
  }

  /** Orthogonal rows or columns, whichever are fewer, by Gram and Schmidt. */
  initialise(random: () => number): void {
    this.weights.fill(0)
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    const orthogonal = (w: Float32Array, stride: number, rows: number, from: number, to: number, gain: number) => {
      const columns = to - from
      const [count, length] = rows < columns ? [rows, columns] : [columns, rows]
      const basis = Array.from({ length: count }, () => Float64Array.from({ length }, normal))
      basis.forEach((v, i) => {
        for (const u of basis.slice(0, i)) {
          const dot = v.reduce((s, x, j) => s + x * u[j], 0)
          u.forEach((x, j) => {
            v[j] -= dot * x
          })
        }
        const norm = Math.hypot(...v)
        v.forEach((x, j) => {
          v[j] = x / norm
        })
      })
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) w[r * stride + from + c] = gain * (rows < columns ? basis[r][c] : basis[c][r])
    }
    const [first, second, third] = this.#layers
    orthogonal(first.w, this.hidden, this.features, 0, this.hidden, Math.SQRT2)
    orthogonal(second.w, this.hidden, this.hidden, 0, this.hidden, Math.SQRT2)
    orthogonal(third.w, this.outputs, this.hidden, 0, this.actions, 0.01)
    orthogonal(third.w, this.outputs, this.hidden, this.actions, this.actions + 1, 1)
    this.changed()
  }

  /** To be called when weights were written. */
  changed(): void {
    const { width: k, hidden: h, outputs: o } = this
    const shapes = [
      [k, h],
      [h, h],
      [h, o],
    ]
    this.#layers.forEach((l, i) => {
      pack(l.w, shapes[i][0], shapes[i][1], this.#packed[i])
    })
  }

  /** input → output for the first `rows` rows. */
  forward(rows: number): void {
    const { width: k, hidden: h, outputs: o } = this
    const m = this.#matrices
    m.gemm(rows, h, k, this.input, this.#packed[0], this.#layers[0].b, this.#hidden1, 0)
    m.gemm(rows, h, h, this.#hidden1, this.#packed[1], this.#layers[1].b, this.#hidden2, 0)
    m.gemm(rows, o, h, this.#hidden2, this.#packed[2], this.#layers[2].b, this.output)
  }

  /** The same for the first row alone. */
  forwardOne(): void {
    const { width: k, hidden: h, outputs: o } = this
    const m = this.#matrices
    m.gemv(h, k, this.input, this.#layers[0].w, this.#layers[0].b, this.#hidden1, 0)
    m.gemv(h, h, this.#hidden1, this.#layers[1].w, this.#layers[1].b, this.#hidden2, 0)
    m.gemv(o, h, this.#hidden2, this.#layers[2].w, this.#layers[2].b, this.output)
  }

  /** outputGradient → gradients, after `forward` of the same rows. */
  backward(rows: number): void {
    const { width: k, hidden: h, outputs: o } = this
    const [first, second, third] = this.#layers
    packTransposed(second.w, h, h, this.#back[1])
    packTransposed(third.w, o, h, this.#back[2])
    const m = this.#matrices
    const weigh = (layer: typeof first, input: Float32Array, inputs: number, gradient: Float32Array, outputs: number) => {
      transpose(input, rows, inputs, this.#turned)
      pack(gradient, rows, outputs, this.#panel)
      m.gemm(inputs, outputs, rows, this.#turned, this.#panel, this.#zeros, layer.dw)
      layer.db.fill(0)
      for (let r = 0, at = 0; r < rows; r++) for (let j = 0; j < outputs; j++) layer.db[j] += gradient[at++]
    }
    const through = (gradient: Float32Array, hidden: Float32Array) => {
      for (let i = 0, end = rows * h; i < end; i++) if (hidden[i] === 0) gradient[i] = 0
    }
    weigh(third, this.#hidden2, h, this.outputGradient, o)
    m.gemm(rows, h, o, this.outputGradient, this.#back[2], this.#zeros, this.#gradient2)
    through(this.#gradient2, this.#hidden2)
    weigh(second, this.#hidden1, h, this.#gradient2, h)
    m.gemm(rows, h, h, this.#gradient2, this.#back[1], this.#zeros, this.#gradient1)
    through(this.#gradient1, this.#hidden1)
    weigh(first, this.input, k, this.#gradient1, h)
  }

  /** One step of Adam along the gradients, cut to `longest`. */
  descend(step: number, rate: number, longest: number): void {
    let square = 0
    for (let i = 0; i < this.gradients.length; i++) square += this.gradients[i] * this.gradients[i]
    const norm = Math.sqrt(square)
    this.#matrices.adam(this.weights, this.gradients, ...this.#moments, step, rate, norm > longest ? longest / norm : 1)
    this.changed()
  }
  moments(): readonly [Float32Array, Float32Array] {
    return this.#moments
  }
}

/** Running mean and variance of observations (Chan, Golub and LeVeque's pairwise update). */
export class Normaliser {
  count = 1e-4
  readonly mean: Float64Array
  readonly variance: Float64Array
  readonly #scale: Float64Array
  readonly #clip: number
  constructor(features: number, clip: number) {
    this.mean = new Float64Array(features)
    this.variance = new Float64Array(features).fill(1)
    this.#scale = new Float64Array(features).fill(1)
    this.#clip = clip
  }
  learn(rows: Float32Array, count: number, stride: number): void {
    const total = this.count + count
    for (let j = 0; j < this.mean.length; j++) {
      let sum = 0
      for (let r = 0; r < count; r++) sum += rows[r * stride + j]
      const mean = sum / count
      let squares = 0
      for (let r = 0; r < count; r++) squares += (rows[r * stride + j] - mean) ** 2
      const delta = mean - this.mean[j]
      this.variance[j] = (this.variance[j] * this.count + squares + (delta * delta * this.count * count) / total) / total
      this.mean[j] += (delta * count) / total
    }
    this.count = total
    this.changed()
  }
  changed(): void {
    for (let j = 0; j < this.mean.length; j++) this.#scale[j] = 1 / Math.sqrt(this.variance[j] + 1e-6)
  }
  apply(row: Float32Array, offset: number): void {
    const clip = this.#clip
    for (let j = 0; j < this.mean.length; j++) {
      const z = (row[offset + j] - this.mean[j]) * this.#scale[j]
      row[offset + j] = Math.max(-clip, Math.min(clip, z))
    }
  }
}

export interface PpoProgress {
  readonly steps: number
  readonly episodes: number
  /** Mean return and length of the last episodes. */
  readonly meanReturn: number
  readonly meanLength: number
  readonly entropy: number
  readonly valueError: number
  readonly kl: number
  readonly clipped: number
  /** The goal was reached. */
  readonly solved: boolean
}
export interface PpoCheckpoint {
  readonly options: PpoOptions
  readonly features: number
  readonly actions: number
  readonly steps: number
  readonly episodes: number
  readonly gradientSteps: number
  readonly recent: readonly number[]
  readonly weights: Float32Array
  readonly moments: readonly [Float32Array, Float32Array]
  readonly normaliser: { readonly count: number; readonly mean: Float64Array; readonly variance: Float64Array }
}

export class Ppo {
  readonly options: PpoOptions
  readonly network: ActorCritic
  readonly normaliser: Normaliser
  readonly #environments: readonly Environment[]
  readonly #random: () => number
  steps = 0
  episodes = 0
  #gradientSteps = 0
  #recent: number[] = []
  #lengths: number[] = []

  constructor(create: (index: number) => Environment, options: Partial<PpoOptions> = {}, from?: PpoCheckpoint) {
    this.options = { ...PPO_DEFAULTS, ...from?.options, ...options }
    const { environments, rollout, minibatch, hidden, seed } = this.options
    if (environments % 4 || hidden % 8 || minibatch % 4 || (environments * rollout) % minibatch)
      throw new RangeError('environments and minibatch must be multiples of 4, hidden of 8, and minibatches must fill a rollout')
    this.#environments = Array.from({ length: environments }, (_, i) => create(i))
    const { features, actions } = this.#environments[0]
    this.network = new ActorCritic(features, actions, hidden, Math.max(environments, minibatch))
    this.normaliser = new Normaliser(features, this.options.observationClip)
    this.#random = seededRandom(hash32(`ppo/${seed}/${from?.steps ?? 0}`))
    if (!from) this.network.initialise(this.#random)
    else {
      this.network.weights.set(from.weights)
      this.network.changed()
      this.network.moments().forEach((m, i) => {
        m.set(from.moments[i])
      })
      this.normaliser.mean.set(from.normaliser.mean)
      this.normaliser.variance.set(from.normaliser.variance)
      this.normaliser.count = from.normaliser.count
      this.normaliser.changed()
      this.steps = from.steps
      this.episodes = from.episodes
      this.#gradientSteps = from.gradientSteps
      this.#recent = [...from.recent]
    }
  }

  checkpoint(): PpoCheckpoint {
    const { network, normaliser, options, steps, episodes } = this
    const [m, v] = network.moments()
    return {
      options,
      features: network.features,
      actions: network.actions,
      steps,
      episodes,
      gradientSteps: this.#gradientSteps,
      recent: [...this.#recent],
      weights: network.weights.slice(),
      moments: [m.slice(), v.slice()],
      normaliser: { count: normaliser.count, mean: normaliser.mean.slice(), variance: normaliser.variance.slice() },
    }
  }

  /** Collects and updates until `total` steps were made, reporting after each update; the caller may stop at any of them. */
  *train(total: number): Generator<PpoProgress, void, void> {
    const { options: o, network: net, normaliser } = this
    const n = o.environments
    const size = n * o.rollout
    const { actions, width, outputs } = net
    const seen = new Float32Array((size + n) * width)
    const masks = new Uint8Array((size + n) * actions)
    const taken = new Uint8Array(size)
    const [logs, rewards, values, advantages, returns] = Array.from({ length: 5 }, () => new Float32Array(size))
    const lastValues = new Float32Array(n)
    const ended = new Uint8Array(size)
    const raw = new Float32Array(n * width)
    const last = new Float32Array(width)
    const p = new Float64Array(actions)
    const running = new Float64Array(n)
    const length = new Int32Array(n)
    const order = Int32Array.from({ length: size }, (_, i) => i)
    const nextSeed = () => Math.floor(this.#random() * o.episodeSeeds)
    for (const e of this.#environments) e.reset(nextSeed())

    /** Observations of all environments as rows from `row` on, normalised. */
    const look = (row: number) => {
      this.#environments.forEach((e, i) => {
        e.observe(raw, i * width)
        e.mask(masks, (row + i) * actions)
      })
      normaliser.learn(raw, n, width)
      for (let i = 0; i < n; i++) normaliser.apply(raw, i * width)
      seen.set(raw, row * width)
    }
    const evaluate = (row: number) => {
      net.input.set(seen.subarray(row * width, (row + n) * width))
      net.forward(n)
    }
    /** Masked softmax of one row of outputs into `p`; returns its entropy. */
    const softmax = (row: number, maskRow: number): number => {
      const at = row * outputs
      let top = -Infinity
      for (let a = 0; a < actions; a++) if (masks[maskRow * actions + a] && net.output[at + a] > top) top = net.output[at + a]
      let sum = 0
      for (let a = 0; a < actions; a++) sum += p[a] = masks[maskRow * actions + a] ? Math.exp(net.output[at + a] - top) : 0
      let entropy = 0
      for (let a = 0; a < actions; a++) {
        p[a] /= sum
        if (p[a] > 0) entropy -= p[a] * Math.log(p[a])
      }
      return entropy
    }

    look(0)
    while (this.steps < total) {
      const share = this.steps / total
      const rate = o.rate * (1 - share)
      const bonus = o.entropy + (o.entropyEnd - o.entropy) * share

      // Collect.
      for (let t = 0; t < o.rollout; t++) {
        evaluate(t * n)
        for (let i = 0; i < n; i++) {
          const row = t * n + i
          softmax(i, row)
          let a = -1
          let left = this.#random()
          for (let c = 0; c < actions && left >= 0; c++) {
            if (p[c] === 0) continue
            a = c
            left -= p[c]
          }
          const e = this.#environments[i]
          const reward = e.step(a)
          taken[row] = a
          logs[row] = Math.log(p[a])
          values[row] = net.output[i * outputs + actions]
          rewards[row] = reward * o.rewardScale
          ended[row] = e.done ? 1 : 0
          running[i] += reward
          length[i]++
          if (!e.done) continue
          if (e.truncated) {
            e.observe(last, 0)
            normaliser.apply(last, 0)
            lastValues[i] = this.#value(last)
            rewards[row] += o.discount * lastValues[i]
            // The single evaluation used the shared working space.
            evaluate(t * n)
          }
          this.episodes++
          this.#recent.push(running[i])
          this.#lengths.push(length[i])
          if (this.#recent.length > o.goalEpisodes) this.#recent.shift()
          if (this.#lengths.length > o.goalEpisodes) this.#lengths.shift()
          running[i] = length[i] = 0
          e.reset(nextSeed())
        }
        look((t + 1) * n)
      }
      this.steps += size

      // Advantages, from the last step back.
      evaluate(size)
      for (let i = 0; i < n; i++) {
        let next = net.output[i * outputs + actions]
        let advantage = 0
        for (let t = o.rollout - 1; t >= 0; t--) {
          const row = t * n + i
          const goesOn = 1 - ended[row]
          const surprise = rewards[row] + o.discount * next * goesOn - values[row]
          advantage = surprise + o.discount * o.lambda * goesOn * advantage
          advantages[row] = advantage
          returns[row] = advantage + values[row]
          next = values[row]
        }
      }

      // Update.
      let [kl, clipped, entropySum, errorSum, samples] = [0, 0, 0, 0, 0]
      update: for (let epoch = 0; epoch < o.epochs; epoch++) {
        for (let i = size - 1; i > 0; i--) {
          const j = Math.floor(this.#random() * (i + 1))
          const swap = order[i]
          order[i] = order[j]
          order[j] = swap
        }
        for (let start = 0; start < size; start += o.minibatch) {
          let [mean, square, batchKl] = [0, 0, 0]
          for (let r = 0; r < o.minibatch; r++) {
            const row = order[start + r]
            net.input.set(seen.subarray(row * width, row * width + width), r * width)
            mean += advantages[row]
            square += advantages[row] ** 2
          }
          mean /= o.minibatch
          const spread = Math.sqrt(Math.max(0, square / o.minibatch - mean * mean)) + 1e-8
          net.forward(o.minibatch)
          net.outputGradient.fill(0)
          for (let r = 0; r < o.minibatch; r++) {
            const row = order[start + r]
            const at = r * outputs
            const entropy = softmax(r, row)
            const logRatio = Math.log(Math.max(p[taken[row]], 1e-12)) - logs[row]
            const ratio = Math.exp(logRatio)
            const advantage = (advantages[row] - mean) / spread
            const cut = advantage >= 0 ? ratio > 1 + o.clip : ratio < 1 - o.clip
            const pull = cut ? 0 : -advantage * ratio
            for (let a = 0; a < actions; a++) {
              if (p[a] === 0) continue
              const policy = pull * ((a === taken[row] ? 1 : 0) - p[a])
              net.outputGradient[at + a] = (policy + bonus * p[a] * (Math.log(p[a]) + entropy)) / o.minibatch
            }
            const error = net.output[at + actions] - returns[row]
            net.outputGradient[at + actions] = (o.valueWeight * error) / o.minibatch
            batchKl += ratio - 1 - logRatio
            clipped += cut ? 1 : 0
            entropySum += entropy
            errorSum += error * error
          }
          samples += o.minibatch
          kl = batchKl / o.minibatch
          if (o.targetKl > 0 && kl > 1.5 * o.targetKl) break update
          net.backward(o.minibatch)
          net.descend(++this.#gradientSteps, rate, o.gradientNorm)
        }
      }
      const meanReturn = this.#recent.reduce((s, x) => s + x, 0) / Math.max(1, this.#recent.length)
      const solved = this.#recent.length >= o.goalEpisodes && meanReturn >= o.goal
      yield {
        steps: this.steps,
        episodes: this.episodes,
        meanReturn,
        meanLength: this.#lengths.reduce((s, x) => s + x, 0) / Math.max(1, this.#lengths.length),
        entropy: entropySum / samples,
        valueError: errorSum / samples,
        kl,
        clipped: clipped / samples,
        solved,
      }
      if (solved) return
      // What the last look saw is where the next collection begins.
      seen.copyWithin(0, size * width, (size + n) * width)
      masks.copyWithin(0, size * actions, (size + n) * actions)
    }
  }

  #value(observation: Float32Array): number {
    const { network: net } = this
    net.input.set(observation)
    net.forwardOne()
    return net.output[net.actions]
  }
}
