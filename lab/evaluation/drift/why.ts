import { causesByRule } from '@aegis/drift-analysis/why/cause-rules'
import { CAUSES, type Cause, readingOf } from '@aegis/drift-analysis/why/causes'
import { ChangeLearner, type ReadChange, readForLearning } from '@aegis/drift-analysis/why/learn-causes'
import { type CommitRow, changeOf, readRows } from './read-rows.ts'

type Progress = (done: number, total: number) => void
const answerOf = (id: string, chances: ArrayLike<number>) => ({ id, ...readingOf(chances) })

/** Causes of changes to code: as shipped, and after having seen the labels of the earlier ones. */
export function evalWhy(data: string, progress: Progress): { why?: object[]; why_zero?: object[] } {
  const rows = readRows<CommitRow>(data, 'why', 'commits')
  if (!rows) return {}
  const read = new Map<string, ReadChange>()
  rows.forEach((row, i) => {
    read.set(row.id, readForLearning(changeOf(row)))
    progress(i + 1, rows.length)
  })
  const zero = rows.map(row => answerOf(row.id, causesByRule(read.get(row.id)!.reading.values)))
  const labels = readRows<{ id: string; label: Cause }>(data, 'why', 'train_labels')?.filter(
    l => read.has(l.id) && CAUSES.includes(l.label),
  )
  if (!labels?.length) return { why_zero: zero, why: zero }
  const learner = new ChangeLearner({ classes: CAUSES.length, prior: r => causesByRule(r.values) })
  learner.fit(
    labels.map(l => read.get(l.id)!),
    labels.map(l => CAUSES.indexOf(l.label)),
  )
  return { why_zero: zero, why: rows.map(row => answerOf(row.id, learner.predict(read.get(row.id)!))) }
}

/** Chance that a change is taken back later. */
export function evalOutcome(data: string, progress: Progress): object[] | undefined {
  const rows = readRows<CommitRow>(data, 'outcome', 'commits')
  if (!rows) return undefined
  const read = new Map<string, ReadChange>()
  rows.forEach((row, i) => {
    read.set(row.id, readForLearning(changeOf(row)))
    progress(i + 1, rows.length)
  })
  const labels = readRows<{ id: string; reverted: boolean }>(data, 'outcome', 'train_labels')?.filter(l => read.has(l.id)) ?? []
  const prior = (c: ReadChange) => causesByRule(c.reading.values)
  if (labels.length === 0) return rows.map(row => ({ id: row.id, revert_probability: 0.3 + 0.2 * prior(read.get(row.id)!)[2] }))
  const learner = new ChangeLearner({ classes: 2, prior: r => causesByRule(r.values), memory: false })
  learner.fit(
    labels.map(l => read.get(l.id)!),
    labels.map(l => (l.reverted ? 1 : 0)),
  )
  return rows.map(row => ({ id: row.id, revert_probability: learner.predict(read.get(row.id)!)[1] }))
}
