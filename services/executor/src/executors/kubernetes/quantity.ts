const UNITS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}
/** Unit below each, so that what is no whole number in one is in the next. */
const BELOW: Readonly<Record<string, string>> = { Ti: 'Gi', Gi: 'Mi', Mi: 'Ki', T: 'G', G: 'M', M: 'k', '': 'm' }

/** A Kubernetes quantity such as `512Mi`, `1.5` or `250m`, times a factor, rounded up, in the largest of its own or lower units that keeps it whole. */
export const timesQuantity = (quantity: string, factor: number): string => {
  const m = /^(\d+(?:\.\d+)?)(n|u|m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(quantity)
  if (!m) throw new Error(`${quantity} is not a quantity such as 512Mi or 250m`)
  let unit = m[2] ?? ''
  const value = Number(m[1]) * factor * UNITS[unit]
  const below = BELOW[unit]
  if (below !== undefined && !Number.isInteger(value / UNITS[unit])) unit = below
  return `${Math.ceil(Number((value / UNITS[unit]).toPrecision(12)))}${unit}`
}
