/** Duration histogram with two buckets per doubling: bucket i covers 2^(i/2) to 2^((i+1)/2) microseconds. Merging is adding. */
export const BUCKETS = 64

export const bucketOf = (us: number): number => (us < 1 ? 0 : Math.min(BUCKETS - 1, Math.floor(2 * Math.log2(us))))

/** The q-quantile in microseconds, interpolated inside its bucket; NaN when empty. */
export const quantile = (buckets: readonly number[], q: number): number => {
  let total = 0
  for (const n of buckets) total += n
  if (total === 0) return Number.NaN
  let left = q * total
  for (let i = 0; i < buckets.length; i++) {
    if (left <= buckets[i] && buckets[i] > 0) return 2 ** ((i + left / buckets[i]) / 2)
    left -= buckets[i]
  }
  return 2 ** (buckets.length / 2)
}
