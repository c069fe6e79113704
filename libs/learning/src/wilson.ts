/** Interval of a share, good for few cases too. Wilson 1927. */
export function wilson(successes: number, outcomes: number, z = 1.959964): { low: number; high: number } {
  if (outcomes === 0) return { low: 0, high: 1 }
  const p = successes / outcomes
  const bottom = 1 + (z * z) / outcomes
  const centre = (p + (z * z) / (2 * outcomes)) / bottom
  const half = (z / bottom) * Math.sqrt((p * (1 - p)) / outcomes + (z * z) / (4 * outcomes * outcomes))
  return { low: successes === 0 ? 0 : centre - half, high: successes === outcomes ? 1 : centre + half }
}
