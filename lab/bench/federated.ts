/**
 * `npm run bench -- federated`: which failure a window of lines and metrics shows, learned by sites that keep their windows, beside one model that sees them all. Each site has
 * a mix of failures of its own. Sums are secure and sites drop out of them; noise is added within a budget of privacy; one site in five lies.
 */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeWindow, FAILURE_NAMES } from '@aegis/inference'
import { normal, seededRandom } from '@aegis/learning/random'
import { noiseFor, PrivacyAccount } from '../federated/privacy.ts'
import { clipped, median, trimmedMean } from '../federated/robust-mean.ts'
import { MaskedSite, meetAll, unmask } from '../federated/secure-sum.ts'
import { accuracyOf, type Case, localUpdate, privateGradient, widthOf } from '../federated/softmax-site.ts'
import { simulateWindow } from '../inference/simulate-windows.ts'

const NAMES = ['none', ...FAILURE_NAMES] as const
const CLASSES = NAMES.length
const ROUNDS = 40
const EPOCHS = 8
const JUDGED = 4000

type Vector = Float64Array<ArrayBufferLike>
interface World {
  readonly sites: readonly (readonly Case[])[]
  readonly judged: readonly Case[]
  readonly width: number
}
function world(count: number, each: number, seed: number): World {
  const random = seededRandom(seed)
  const raw = (kind: number) => {
    const w = simulateWindow(random, 'learn', NAMES[kind])
    return { x: describeWindow(w.metrics, w.logs).features, label: kind }
  }
  const sites = Array.from({ length: count }, () => {
    // A few kinds of failure are most of what a site sees: exponential weights, as a Dirichlet of 0.5 would be uneven.
    const weights = NAMES.map(() => normal(random) ** 2)
    const all = weights.reduce((a, b) => a + b, 0)
    return Array.from({ length: each }, () => {
      let at = random() * all
      return raw(
        Math.max(
          0,
          weights.findIndex(w => (at -= w) < 0),
        ),
      )
    })
  })
  const judged = Array.from({ length: JUDGED }, () => raw(Math.floor(CLASSES * random())))
  const features = judged[0]?.x.length ?? 0
  // Mean and spread of the columns are sums over all sites: they come by the same secure sums.
  const sums = secureSum(
    sites.map(own => {
      const sum = new Float64Array(2 * features + 1)
      for (const { x } of own)
        for (let j = 0; j < features; j++) {
          const v = squashed(x[j] as number)
          sum[j] = (sum[j] as number) + v
          sum[features + j] = (sum[features + j] as number) + v * v
        }
      sum[2 * features] = own.length
      return sum
    }),
    [],
  )
  const n = sums[2 * features] as number
  const mean = Float64Array.from({ length: features }, (_, j) => (sums[j] as number) / n)
  const spread = mean.map((m, j) => Math.sqrt(Math.max((sums[features + j] as number) / n - m * m, 1e-4)))
  const standard = ({ x, label }: { x: ArrayLike<number>; label: number }): Case => ({
    label,
    x: Float64Array.from(
      { length: features },
      (_, j) =>
        Math.max(-4, Math.min(4, (squashed(x[j] as number) - (mean[j] as number)) / (spread[j] as number))) / Math.sqrt(features),
    ),
  })
  return { sites: sites.map(own => own.map(standard)), judged: judged.map(standard), width: widthOf(features, CLASSES) }
}
/** Counts and sizes span orders of magnitude. */
const squashed = (v: number): number => (Number.isFinite(v) ? Math.asinh(v) : 0)

/** Sites that drop out have sent nothing, and cannot help either. */
function secureSum(vectors: readonly Vector[], gone: readonly number[]): Float64Array {
  const threshold = Math.floor(vectors.length / 2) + 1
  const sites = vectors.map((_, i) => new MaskedSite(i, randomBytes))
  const keys = meetAll(sites, threshold)
  const there = sites.filter(site => !gone.includes(site.id))
  return unmask(new Map(there.map(site => [site.id, site.masked(vectors[site.id] as Vector)])), there, keys, threshold)
}

interface Setting {
  readonly proximal?: number
  /** Share of sites that drop out of each round. */
  readonly drop?: number
  /** Sites that lie: what they send. */
  readonly liars?: (update: Vector, random: () => number) => Vector
  /** One in so many sites lies. */
  readonly oneIn?: number
  readonly robust?: boolean
}
const OPTIONS = { classes: CLASSES, epochs: EPOCHS, rate: 4 }

function average({ sites, judged, width }: World, { proximal = 0, drop = 0, liars, oneIn = 5, robust = false }: Setting): number {
  const random = seededRandom(77)
  let weights: Vector = new Float64Array(width)
  const all = sites.reduce((sum, own) => sum + own.length, 0)
  for (let round = 0; round < ROUNDS; round++) {
    const gone = sites.map((_, i) => i).filter(() => random() < drop)
    const updates = sites.map((own, i) => {
      const update = localUpdate(own, weights, { ...OPTIONS, proximal })
      return liars && i % oneIn === 0 ? liars(update, random) : update
    })
    let step: Vector
    if (robust) {
      // Whose updates are looked at one by one cannot be masked: this or secure sums.
      const usual = median(updates.map(u => Math.hypot(...u)))
      step = trimmedMean(
        updates.map(u => clipped(u as Float64Array, usual)),
        0.2,
      )
    } else if (liars) step = weights.map((_, j) => updates.reduce((sum, u) => sum + (u[j] as number), 0) / updates.length)
    else {
      const kept = gone.length <= (sites.length - 1) / 2 ? gone : []
      const there = sites.reduce((sum, own, i) => sum + (kept.includes(i) ? 0 : own.length), 0)
      const sum = secureSum(
        updates.map((u, i) => u.map(x => (x * (sites[i] as readonly Case[]).length) / all)),
        kept,
      )
      step = sum.map(x => (x * all) / there)
    }
    weights = weights.map((w, j) => w + (step[j] as number))
  }
  return accuracyOf(weights as Float64Array, judged, CLASSES)
}
/** One step a round over all cases, each clipped, with noise that only the sum of all sites shows in full. */
function withPrivacy({ sites, judged, width }: World, epsilon: number, rounds: number, clip: number) {
  const noise = noiseFor(epsilon, rounds)
  const account = new PrivacyAccount()
  const random = seededRandom(78)
  let weights: Vector = new Float64Array(width)
  const speed = new Float64Array(width)
  const all = sites.reduce((sum, own) => sum + own.length, 0)
  for (let round = 0; round < rounds; round++) {
    const sum = secureSum(
      sites.map(own =>
        privateGradient(own, weights as Float64Array, { classes: CLASSES, clip, noise, sites: sites.length, random }),
      ),
      [],
    )
    account.round(noise)
    weights = weights.map((w, j) => {
      speed[j] = 0.9 * (speed[j] as number) - (6 * (sum[j] as number)) / all
      return w + (speed[j] as number)
    })
  }
  return { accuracy: accuracyOf(weights as Float64Array, judged, CLASSES), epsilon: account.epsilon, noise }
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { sites: { type: 'string', default: '10' }, each: { type: 'string', default: '600' } },
  })
  const [count, each] = [Number(values.sites), Number(values.each)]
  const w = world(count, each, 41)
  const figures: Record<string, unknown> = { sites: count, windowsEach: each }
  const whole: World = { ...w, sites: [w.sites.flat()] }
  const centralWeights = (() => {
    let weights: Vector = new Float64Array(w.width)
    weights = localUpdate(whole.sites[0] as readonly Case[], weights as Float64Array, { ...OPTIONS, epochs: ROUNDS * EPOCHS })
    return weights as Float64Array
  })()
  const central = accuracyOf(centralWeights, w.judged, CLASSES)
  const alone = w.sites.map(own =>
    accuracyOf(localUpdate(own, new Float64Array(w.width), { ...OPTIONS, epochs: ROUNDS * EPOCHS }), w.judged, CLASSES),
  )
  const line = (name: string, accuracy: number, more = '') => {
    figures[name] = accuracy
    console.log(`${name.padEnd(56)} ${accuracy.toFixed(3)}  ${(accuracy - central).toFixed(3).padStart(6)}  ${more}`)
  }
  console.log(
    `${count} sites with ${each} windows each, ${CLASSES} kinds, ${w.width} weights; judged on ${JUDGED} windows of all kinds`,
  )
  console.log(`${'trained by'.padEnd(56)} right  beside central`)
  line('central: one model that sees all', central)
  line('alone: the mean site', alone.reduce((a, b) => a + b, 0) / alone.length)
  line('federated average, secure sums', average(w, {}))
  line('the same, a fifth of the sites drop out of each round', average(w, { drop: 0.2 }))
  line('with a proximal term', average(w, { proximal: 0.05 }))
  const rotated = w.sites.map((own, i) => (i % 5 === 0 ? own.map(c => ({ ...c, label: (c.label + 1) % CLASSES })) : own))
  const sign = (u: Vector) => u.map(x => -10 * x)
  line('one site in five lies (its update tenfold, backwards), mean', average(w, { liars: sign }))
  line('the same, clipped and trimmed', average(w, { liars: sign, robust: true }))
  line('one site in five labels all wrong, clipped and trimmed', average({ ...w, sites: rotated }, { robust: true }))
  line('nobody lies, clipped and trimmed', average(w, { robust: true }))
  for (const epsilon of [8, 2, 1]) {
    const p = withPrivacy(w, epsilon, 120, 1)
    line(
      `private, epsilon ${epsilon} (delta 1e-5, a window)`,
      p.accuracy,
      `epsilon spent ${p.epsilon.toFixed(2)}, noise ${p.noise.toFixed(1)}`,
    )
  }
  writeFileSync(join(import.meta.dirname, 'federated.json'), `${JSON.stringify(figures, null, 2)}\n`)
}
