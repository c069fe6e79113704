/** Means that a few liars do not move far. */

/** No longer than `most`; the direction stays. */
export function clipped(vector: Float64Array, most: number): Float64Array {
  const length = Math.hypot(...vector)
  return length > most ? vector.map(x => (x * most) / length) : vector
}
/** Coordinate by coordinate, without the highest and lowest share `trim` of the values. Yin et al. 2018. */
export function trimmedMean(vectors: readonly Float64Array[], trim: number): Float64Array {
  const cut = Math.ceil(trim * vectors.length)
  if (2 * cut >= vectors.length) throw new Error(`of ${vectors.length} vectors none is left when ${cut} are cut at each end`)
  const width = vectors[0]?.length ?? 0
  return Float64Array.from({ length: width }, (_, j) => {
    const values = Float64Array.from(vectors, v => v[j] as number)
      .sort()
      .subarray(cut, vectors.length - cut)
    return values.reduce((a, b) => a + b, 0) / values.length
  })
}
export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
