/** SMOTE (Chawla et al. 2002): rare classes get rows that lie between a row and one of its nearest of the same class, until all classes are as frequent. */
import { seededRandom } from '@aegis/domain'

/** All rows given, and the made ones after them. A class of one row is repeated. Missing values (NaN) are not compared and are taken from the first row. */
export function smote(
  rows: readonly Float64Array[],
  targets: ArrayLike<number>,
  { neighbours = 5, seed = 1 } = {},
): { rows: Float64Array[]; targets: number[] } {
  const random = seededRandom(seed)
  const members = new Map<number, number[]>()
  for (let i = 0; i < rows.length; i++) members.set(targets[i], [...(members.get(targets[i]) ?? []), i])
  const most = Math.max(0, ...[...members.values()].map(m => m.length))
  const out = { rows: [...rows], targets: Array.from(targets) }
  for (const [label, own] of members) {
    const near = own.map(i =>
      own
        .filter(j => j !== i)
        .map(j => ({ j, d: distance(rows[i], rows[j]) }))
        .sort((a, b) => a.d - b.d || a.j - b.j)
        .slice(0, neighbours)
        .map(({ j }) => j),
    )
    for (let made = own.length; made < most; made++) {
      const at = Math.floor(random() * own.length)
      const row = rows[own[at]]
      const other = rows[near[at][Math.floor(random() * near[at].length)] ?? own[at]]
      const share = random()
      out.rows.push(row.map((x, c) => (!Number.isNaN(other[c]) ? x + share * (other[c] - x) : x)))
      out.targets.push(label)
    }
  }
  return out
}
const distance = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let c = 0; c < a.length; c++) if (!Number.isNaN(a[c]) && !Number.isNaN(b[c])) sum += (a[c] - b[c]) ** 2
  return sum
}
