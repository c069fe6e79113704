/** TF-IDF of words and pairs of words (Salton and Buckley 1988): lines added, removed, of paths and of earlier subjects are kept apart by a mark. */
import type { CodeChange } from './code-change.ts'
import type { Patch } from './read-patch.ts'
import { wordsOf } from './read-patch.ts'

const STOP = new Set('the a an and or of to in for on is be as at by it from with this that are not'.split(' '))

export function termsOf(change: CodeChange, patch: Patch): Map<string, number> {
  const counts = new Map<string, number>()
  const add = (mark: string, words: string[]) => {
    const kept = words.filter(w => w.length < 30 && !STOP.has(w))
    for (let i = 0; i < kept.length; i++) {
      counts.set(mark + kept[i], (counts.get(mark + kept[i]) ?? 0) + 1)
      if (i > 0) {
        const pair = `${mark}${kept[i - 1]} ${kept[i]}`
        counts.set(pair, (counts.get(pair) ?? 0) + 1)
      }
    }
  }
  for (const line of patch.added.slice(0, 400)) add('+', wordsOf(line))
  for (const line of patch.removed.slice(0, 400)) add('-', wordsOf(line))
  for (const f of change.files.slice(0, 20)) add('/', wordsOf(f.path))
  for (const e of change.earlierSameFiles) if (e.sameAuthor && e.ageHours < 48) add('~', wordsOf(e.subject))
  for (const e of change.earlier24h) if (e.sameAuthor) add('^', wordsOf(e.subject))
  return counts
}

export interface TermWeights {
  readonly terms: readonly string[]
  readonly idf: readonly number[]
}
/** The terms that tell the classes apart best (chi-square of presence), those in fewer than `least` rows left out. */
export function chooseTerms(
  rows: readonly ReadonlyMap<string, number>[],
  targets: ArrayLike<number>,
  most = 100,
  least = 4,
): TermWeights {
  const classes = new Map<number, number>()
  for (let i = 0; i < targets.length; i++) classes.set(targets[i], (classes.get(targets[i]) ?? 0) + 1)
  const seen = new Map<string, Map<number, number>>()
  rows.forEach((row, i) => {
    for (const term of row.keys()) {
      const by = seen.get(term) ?? new Map<number, number>()
      by.set(targets[i], (by.get(targets[i]) ?? 0) + 1)
      seen.set(term, by)
    }
  })
  const scored = [...seen]
    .map(([term, by]) => {
      const count = [...by.values()].reduce((a, b) => a + b, 0)
      let chi = 0
      for (const [k, n] of classes) {
        const expected = (count * n) / rows.length
        chi += ((by.get(k) ?? 0) - expected) ** 2 / expected
      }
      return { term, count, chi }
    })
    .filter(t => t.count >= least && t.count < rows.length)
    .sort((a, b) => b.chi - a.chi || (a.term < b.term ? -1 : 1))
    .slice(0, most)
  return { terms: scored.map(t => t.term), idf: scored.map(t => Math.log((1 + rows.length) / (1 + t.count)) + 1) }
}
/** Unit length, all zero where no term occurs. */
export function weighTerms({ terms, idf }: TermWeights, row: ReadonlyMap<string, number>): Float64Array {
  const out = Float64Array.from(terms, (term, i) => {
    const n = row.get(term)
    return n ? (1 + Math.log(n)) * idf[i] : 0
  })
  const length = Math.hypot(...out)
  return length > 0 ? out.map(x => x / length) : out
}
