/** Which settings and which columns: by what is right on rows that were not learned from. */
import type { Fold } from './row-splits.ts'
import type { TreeModel } from './tree-ensemble.ts'

type Score = (truth: ArrayLike<number>, answers: readonly Float64Array[]) => number

/** Mean score over the folds; higher is better. */
export function crossValidate(
  make: () => TreeModel,
  rows: readonly ArrayLike<number>[],
  targets: ArrayLike<number>,
  folds: readonly Fold[],
  score: Score,
): number {
  let sum = 0
  for (const { train, test } of folds) {
    const model = make()
    model.fit(
      train.map(i => rows[i]),
      train.map(i => targets[i]),
    )
    sum += score(
      test.map(i => targets[i]),
      test.map(i => model.predict(rows[i])),
    )
  }
  return sum / folds.length
}

/** Every way to take one value of each setting, in order. */
export const gridOf = <T extends Record<string, readonly unknown[]>>(grid: T): { [K in keyof T]: T[K][number] }[] =>
  Object.entries(grid).reduce<Record<string, unknown>[]>(
    (all, [name, values]) => all.flatMap(one => values.map(value => ({ ...one, [name]: value }))),
    [{}],
  ) as never

/** The best of all settings; of equals the first. */
export function gridSearch<Settings>(
  settings: readonly Settings[],
  scoreOf: (one: Settings) => number,
): { readonly best: Settings; readonly scores: readonly number[] } {
  const scores = settings.map(scoreOf)
  return { best: settings[scores.indexOf(Math.max(...scores))], scores }
}

/**
 * Recursive feature elimination (Guyon et al. 2002): learns, drops the columns that moved the answers least (mean absolute SHAP value over the rows) and
 * learns again, until `keep` are left. Gives the numbers of the columns kept, in order.
 */
export function eliminateColumns(
  make: () => TreeModel,
  rows: readonly ArrayLike<number>[],
  targets: ArrayLike<number>,
  keep: number,
  dropShare = 0.1,
): number[] {
  let columns = Array.from({ length: rows[0]?.length ?? 0 }, (_, c) => c)
  while (columns.length > keep) {
    const narrow = rows.map(row => Float64Array.from(columns, c => row[c]))
    const model = make()
    model.fit(narrow, targets)
    const weight = new Float64Array(columns.length)
    for (const row of narrow) {
      const phi = model.explain(row)
      for (let at = 0; at < phi.length; at += columns.length + 1)
        for (let c = 0; c < columns.length; c++) weight[c] += Math.abs(phi[at + c])
    }
    const drop = Math.min(columns.length - keep, Math.max(1, Math.floor(dropShare * columns.length)))
    const order = columns.map((_, c) => c).sort((a, b) => weight[a] - weight[b] || b - a)
    const gone = new Set(order.slice(0, drop))
    columns = columns.filter((_, c) => !gone.has(c))
  }
  return columns
}
