/**
 * Whether two treatments of the same cases differ: McNemar's exact test for yes or no (McNemar 1947; exact: binomial on the pairs that differ)
 * and Wilcoxon's signed-rank test for numbers (Wilcoxon 1945; exact null distribution with midranks for ties, zeros left out). Two-sided.
 */

export interface McNemar {
  /** Pairs in which only the first, or only the second, was a success. */
  readonly onlyFirst: number
  readonly onlySecond: number
  readonly p: number
}
export function mcNemar(pairs: readonly (readonly [first: boolean, second: boolean])[]): McNemar {
  const onlyFirst = pairs.filter(([a, b]) => a && !b).length
  const onlySecond = pairs.filter(([a, b]) => !a && b).length
  const n = onlyFirst + onlySecond
  // Chance of so few or fewer on the rarer side, when either is as likely.
  let term = 0.5 ** n
  let tail = 0
  for (let k = 0; k <= Math.min(onlyFirst, onlySecond); k++) {
    tail += term
    term = (term * (n - k)) / (k + 1)
  }
  return { onlyFirst, onlySecond, p: Math.min(1, 2 * tail) }
}

export interface Wilcoxon {
  /** Sums of the ranks of pairs in which the first, or the second, is larger. */
  readonly firstLarger: number
  readonly secondLarger: number
  /** Pairs that differ. */
  readonly pairs: number
  readonly p: number
}
export function wilcoxon(pairs: readonly (readonly [first: number, second: number])[]): Wilcoxon {
  const differences = pairs
    .map(([a, b]) => a - b)
    .filter(d => d !== 0)
    .sort((a, b) => Math.abs(a) - Math.abs(b))
  const n = differences.length
  // Twice the midrank is a whole number.
  const doubled = new Array<number>(n)
  for (let from = 0; from < n; ) {
    let to = from
    while (to + 1 < n && Math.abs(differences[to + 1]) === Math.abs(differences[from])) to++
    for (let i = from; i <= to; i++) doubled[i] = from + to + 2
    from = to + 1
  }
  const total = doubled.reduce((a, b) => a + b, 0)
  const positive = doubled.reduce((sum, rank, i) => sum + (differences[i] > 0 ? rank : 0), 0)
  // chance[s]: probability that the ranks of positive differences add up to s / 2 when every sign is as likely as the other.
  let chance = new Float64Array(total + 1)
  chance[0] = 1
  for (const rank of doubled) {
    const next = new Float64Array(total + 1)
    for (let s = 0; s <= total; s++) {
      next[s] += chance[s] / 2
      if (s + rank <= total) next[s + rank] += chance[s] / 2
    }
    chance = next
  }
  const smaller = Math.min(positive, total - positive)
  let tail = 0
  for (let s = 0; s <= smaller; s++) tail += chance[s]
  return { firstLarger: positive / 2, secondLarger: (total - positive) / 2, pairs: n, p: Math.min(1, 2 * tail) }
}
