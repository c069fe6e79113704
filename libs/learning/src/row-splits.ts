/** Rows to learn from and rows to judge by, as numbers of rows. */
import { seededRandom } from '@aegis/domain'

export interface Fold {
  readonly train: readonly number[]
  readonly test: readonly number[]
}

const shuffled = <T>(items: readonly T[], random: () => number): T[] => {
  const out = [...items]
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[out[i], out[j]] = [out[j], out[i]]
  }
  return out
}
const foldsOf = (part: ArrayLike<number>, count: number): Fold[] =>
  Array.from({ length: count }, (_, k) => {
    const [train, test]: [number[], number[]] = [[], []]
    for (let i = 0; i < part.length; i++) (part[i] === k ? test : train).push(i)
    return { train, test }
  })

/** Each class is dealt out evenly. */
export function stratifiedFolds(targets: ArrayLike<number>, count: number, seed = 1): Fold[] {
  const random = seededRandom(seed)
  const part = new Int32Array(targets.length)
  let next = 0
  for (const members of classesOf(targets)) for (const i of shuffled(members, random)) part[i] = next++ % count
  return foldsOf(part, count)
}
/** Rows of one group are never on both sides: greatest group first, each to the fold that has fewest rows. */
export function groupFolds(groups: readonly (string | number)[], count: number): Fold[] {
  const members = new Map<string | number, number[]>()
  groups.forEach((g, i) => {
    members.set(g, [...(members.get(g) ?? []), i])
  })
  const size = new Array<number>(count).fill(0)
  const part = new Int32Array(groups.length)
  for (const rows of [...members.values()].sort((a, b) => b.length - a.length)) {
    const k = size.indexOf(Math.min(...size))
    size[k] += rows.length
    for (const i of rows) part[i] = k
  }
  return foldsOf(part, count)
}
/** The past teaches, what follows judges: `count` stretches after a first one, as scikit-learn's TimeSeriesSplit. */
export function timeFolds(times: ArrayLike<number>, count: number): Fold[] {
  const order = Array.from({ length: times.length }, (_, i) => i).sort((a, b) => times[a] - times[b] || a - b)
  const size = Math.floor(order.length / (count + 1))
  const first = order.length - count * size
  return Array.from({ length: count }, (_, k) => ({
    train: order.slice(0, first + k * size),
    test: order.slice(first + k * size, first + (k + 1) * size),
  }))
}
/** Shares of each class, as 70/15/15; the last gets what is left. */
export function holdOut(targets: ArrayLike<number>, shares: readonly number[], seed = 1): number[][] {
  const random = seededRandom(seed)
  const parts: number[][] = shares.map(() => [])
  for (const members of classesOf(targets)) {
    let [from, share] = [0, 0]
    const mixed = shuffled(members, random)
    shares.forEach((s, k) => {
      share += s
      const to = k === shares.length - 1 ? mixed.length : Math.round(share * mixed.length)
      parts[k].push(...mixed.slice(from, to))
      from = to
    })
  }
  return parts.map(part => part.sort((a, b) => a - b))
}
const classesOf = (targets: ArrayLike<number>): number[][] => {
  const members = new Map<number, number[]>()
  for (let i = 0; i < targets.length; i++) {
    const list = members.get(targets[i])
    if (list) list.push(i)
    else members.set(targets[i], [i])
  }
  return [...members].sort(([a], [b]) => a - b).map(([, rows]) => rows)
}
