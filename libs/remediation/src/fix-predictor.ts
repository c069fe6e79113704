/**
 * Chance that a command helps in a situation, learned from every time it was tried: logistic regression over the traits of the situation's signature
 * (`similar-fixes.ts`), with a ridge penalty towards "the traits tell nothing" (le Cessie and van Houwelingen 1992), by Newton's method.
 *
 * Says nothing until a command was tried often enough with either end: under `examples` tries, or under `ofEither` that helped or did not, a
 * regression would only repeat the record, which the suggestion shows anyway. The intercept is not penalised, so that without
 * telling traits the answer is the share that helped. A trait counts by presence; what was in fewer than two of the tries is left out.
 */
/** Weighted traits of a situation. */
export type Signature = Readonly<Record<string, number>>
export interface TriedFix {
  readonly signature: Signature
  readonly success: boolean
}
export interface PredictorOptions {
  /** Tries of the command under which nothing is said. */
  readonly examples: number
  /** Tries that helped, and that did not, under which nothing is said. */
  readonly ofEither: number
  /** Weight of the penalty; larger trusts traits less. */
  readonly ridge: number
}
export const PREDICTOR_DEFAULTS: PredictorOptions = { examples: 10, ofEither: 3, ridge: 1 }
const ROUNDS = 25

/** From 0 to 1; undefined where too little is known. */
export function predictSuccess(
  situation: Signature,
  tries: readonly TriedFix[],
  options: Partial<PredictorOptions> = {},
): number | undefined {
  const { examples, ofEither, ridge } = { ...PREDICTOR_DEFAULTS, ...options }
  const helped = tries.filter(t => t.success).length
  if (tries.length < examples || Math.min(helped, tries.length - helped) < ofEither) return undefined
  const counts = new Map<string, number>()
  for (const { signature } of tries) for (const trait of Object.keys(signature)) counts.set(trait, (counts.get(trait) ?? 0) + 1)
  // What is always there tells nothing either.
  const traits = [...counts].filter(([, n]) => n >= 2 && n < tries.length).map(([trait]) => trait)
  traits.sort()
  const row = (signature: Signature) => [1, ...traits.map(trait => (Object.hasOwn(signature, trait) ? 1 : 0))]
  const rows = tries.map(t => row(t.signature))
  const weights = new Float64Array(traits.length + 1)
  weights[0] = Math.log(helped / (tries.length - helped))
  const logit = (x: readonly number[]) => x.reduce((sum, v, i) => sum + v * weights[i], 0)
  for (let round = 0; round < ROUNDS; round++) {
    const gradient = weights.map((w, i) => (i === 0 ? 0 : -ridge * w))
    // A little on the intercept keeps the system solvable.
    const hessian = Array.from(weights, (_, i) => Float64Array.from(weights, (_w, j) => (i === j ? (i === 0 ? 1e-9 : ridge) : 0)))
    rows.forEach((x, n) => {
      const p = 1 / (1 + Math.exp(-logit(x)))
      const error = (tries[n].success ? 1 : 0) - p
      for (let i = 0; i < x.length; i++) {
        if (x[i] === 0) continue
        gradient[i] += error
        for (let j = 0; j < x.length; j++) hessian[i][j] += p * (1 - p) * x[j]
      }
    })
    const step = solve(hessian, gradient)
    for (let i = 0; i < weights.length; i++) weights[i] += step[i]
    if (step.every(s => Math.abs(s) < 1e-6)) break
  }
  return 1 / (1 + Math.exp(-logit(row(situation))))
}

/** Solves a symmetric positive definite system by Cholesky's method; overwrites the matrix. */
function solve(a: Float64Array[], b: Float64Array): Float64Array {
  const n = b.length
  const x = b.slice()
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i][j]
      for (let k = 0; k < j; k++) sum -= a[i][k] * a[j][k]
      a[i][j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / a[j][j]
    }
    for (let k = 0; k < i; k++) x[i] -= a[i][k] * x[k]
    x[i] /= a[i][i]
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= a[k][i] * x[k]
    x[i] /= a[i][i]
  }
  return x
}
