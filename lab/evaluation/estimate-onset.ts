/**
 * When it began, if nobody says: the time that splits a table of series so that most of them differ most, early and late, in ranks that no
 * outlier moves. Each series votes with the excess of its best split over what it varies by anyway (in the line of BARO's multivariate
 * change point, Pham et al. FSE 2024, but without a model to fit: medians on both sides).
 */
export const estimateOnset = (times: readonly number[], columns: ReadonlyMap<string, readonly number[]>): number => {
  const n = times.length
  if (n < 4) return times[0] ?? 0
  // A table of a few hundred rows is cut at 60 places; the best one is then found to the row.
  const step = Math.max(1, Math.floor(n / 60))
  const votes = new Float64Array(n)
  for (const values of columns.values()) {
    const finite = values.filter(Number.isFinite)
    if (finite.length < n / 2) continue
    const s = [...finite].sort((a, b) => a - b)
    const low = s[Math.floor(s.length * 0.05)]
    const high = s[Math.floor(s.length * 0.95)]
    if (!(high > low)) continue
    let left = 0
    let leftSq = 0
    let leftN = 0
    let total = 0
    let totalSq = 0
    let totalN = 0
    const clipped = values.map(v => (Number.isFinite(v) ? (Math.min(high, Math.max(low, v)) - low) / (high - low) : Number.NaN))
    for (const v of clipped)
      if (Number.isFinite(v)) {
        total += v
        totalSq += v * v
        totalN++
      }
    for (let i = 0; i < n; i++) {
      if (i >= 2 && n - i >= 2 && i % step === 0 && leftN > 1 && totalN - leftN > 1) {
        const mean = left / leftN
        const rest = (total - left) / (totalN - leftN)
        const within = leftSq - leftN * mean * mean + (totalSq - leftSq) - (totalN - leftN) * rest * rest
        const gain = totalSq - (total * total) / totalN - within
        const f = gain / Math.max(1e-6, within / totalN)
        if (f > 8) votes[i] += Math.log1p(f)
      }
      const v = clipped[i]
      if (Number.isFinite(v)) {
        left += v
        leftSq += v * v
        leftN++
      }
    }
  }
  let best = Math.floor(n / 2)
  // Somebody asks because of what began lately: of breaks alike, the later one.
  const weighed = (i: number) => votes[i] * (0.5 + i / n)
  for (let i = 0; i < n; i++) if (weighed(i) > weighed(best)) best = i
  return times[best]
}
