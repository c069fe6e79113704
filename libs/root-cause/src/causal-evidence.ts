/**
 * Whose change is explained by no other's: series are tested for independence of the fault (a variable that is 0 before and 1 after) given those
 * of other entities, by partial rank correlation with Fisher's z. Only a series that the fault acted on directly stays dependent on it whatever is
 * held fixed. This is the neighbourhood of the fault in the skeleton of the PC algorithm (Spirtes, Glymour & Scheines 2000), the idea of RCD (Ikram
 * et al., NeurIPS 2022), for one series of each entity, the likeliest separators and sets of two at most: faults leave few rows.
 */
import type { CauseCase, CutSeries, Finding } from './case-evidence.ts'

export interface CausalOptions {
  /** Entities that are held fixed, of all: those most dependent on the fault. Default 8. */
  readonly separators?: number
  /** Fewest rows before and after. Default 8 and 3. */
  readonly least?: { readonly before: number; readonly after: number }
}
interface Variable {
  readonly series: CutSeries
  /** Ranks, scaled to mean 0 and length 1. */
  readonly ranks: Float64Array
  readonly withFault: number
}

export const causalEvidence = (c: CauseCase, options: CausalOptions = {}): Finding[] => {
  const { separators = 8, least = { before: 8, after: 3 } } = options
  const shape = commonShape(c.series)
  if (!shape || shape.before < least.before || shape.after < least.after) return []
  const rows = shape.before + shape.after
  const fault = scaled(Float64Array.from({ length: rows }, (_, i) => (i < shape.before ? 0 : 1)))
  const best = new Map<string, Variable>()
  for (const series of c.series) {
    if (series.peer || series.before.length !== shape.before || series.after.length !== shape.after) continue
    const ranks = ranksOf([...series.before, ...series.after])
    if (!ranks) continue
    const withFault = product(ranks, fault)
    const known = best.get(series.entity)
    if (!known || Math.abs(withFault) > Math.abs(known.withFault)) best.set(series.entity, { series, ranks, withFault })
  }
  const strongest = [...best.values()].sort(
    (a, b) => Math.abs(b.withFault) - Math.abs(a.withFault) || (a.series.entity < b.series.entity ? -1 : 1),
  )
  const fixed = strongest.slice(0, separators)
  const z = (r: number, held: number) => Math.atanh(Math.min(0.999999, Math.abs(r))) * Math.sqrt(Math.max(0, rows - held - 3))
  const findings: Finding[] = []
  for (const v of strongest) {
    let strength = z(v.withFault, 0)
    const others = fixed.filter(o => o !== v)
    for (let i = 0; i < others.length && strength > 1; i++) {
      const a = others[i]
      const va = product(v.ranks, a.ranks)
      strength = Math.min(strength, z(partial(v.withFault, va, a.withFault), 1))
      for (let j = 0; j < i; j++) {
        const b = others[j]
        const ab = product(a.ranks, b.ranks)
        const vb = partial(product(v.ranks, b.ranks), va, ab)
        const fb = partial(b.withFault, a.withFault, ab)
        strength = Math.min(strength, z(partial(partial(v.withFault, va, a.withFault), vb, fb), 2))
      }
    }
    if (strength > 1)
      findings.push({
        entity: v.series.entity,
        kind: 'causal',
        strength: Math.min(50, strength),
        name: v.series.metric,
        before: middle(v.series.before),
        after: middle(v.series.after),
      })
  }
  return findings
}

/** Correlation of x and y with what both share with a third taken out. */
const partial = (xy: number, xz: number, yz: number): number =>
  (xy - xz * yz) / Math.sqrt(Math.max(1e-9, (1 - xz * xz) * (1 - yz * yz)))

const commonShape = (series: readonly CutSeries[]): { before: number; after: number } | undefined => {
  const counts = new Map<string, number>()
  for (const s of series) {
    const key = `${s.before.length} ${s.after.length}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const [most] = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  if (!most) return undefined
  const [before, after] = most[0].split(' ').map(Number)
  return { before, after }
}
/** Ranks of the values, ties shared, gaps in the middle; undefined where nothing varies or half is missing. */
const ranksOf = (values: readonly number[]): Float64Array | undefined => {
  const known = values.map((v, i) => [v, i] as const).filter(([v]) => Number.isFinite(v))
  if (known.length < values.length / 2) return undefined
  known.sort((a, b) => a[0] - b[0])
  if (known[0][0] === known[known.length - 1][0]) return undefined
  const ranks = new Float64Array(values.length).fill((known.length - 1) / 2)
  for (let i = 0; i < known.length; ) {
    let j = i
    while (j + 1 < known.length && known[j + 1][0] === known[i][0]) j++
    for (let k = i; k <= j; k++) ranks[known[k][1]] = (i + j) / 2
    i = j + 1
  }
  return scaled(ranks)
}
const scaled = (values: Float64Array): Float64Array => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  let length = 0
  for (let i = 0; i < values.length; i++) {
    values[i] -= mean
    length += values[i] * values[i]
  }
  const by = Math.sqrt(length) || 1
  return values.map(v => v / by)
}
const product = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
const middle = (values: readonly number[]): number => {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}
