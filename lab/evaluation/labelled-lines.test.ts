import { categoryOf } from '@aegis/log-mining/categories'
import { findMentions } from '@aegis/log-mining/entities'
import { matchFault } from '@aegis/log-mining/fault-patterns'
import { severityOfText } from '@aegis/log-mining/text-severity'
import { describe, expect, it } from 'vitest'
import { labelledLines } from './labelled-lines.ts'

const share = (hits: number, of: number) => (of === 0 ? 1 : hits / of)

/** Precision and recall of sets found against sets expected, over all lines. */
function measure(pairs: readonly (readonly [found: readonly string[], expected: readonly string[]])[]) {
  let right = 0
  let found = 0
  let expected = 0
  for (const [f, e] of pairs) {
    right += f.filter(one => e.includes(one)).length
    found += f.length
    expected += e.length
  }
  return { precision: share(right, found), recall: share(right, expected) }
}

const set = (value: string | undefined) =>
  value === undefined || value === '' || value === 'other' || value === 'INFO' ? [] : [value]

describe('the labelled sample', () => {
  const results = {
    severity: measure(labelledLines.map(([text, severity]) => [set(severityOfText(text)), set(severity)])),
    category: measure(labelledLines.map(([text, , category]) => [set(categoryOf(text)), set(category)])),
    fault: measure(labelledLines.map(([text, , , fault]) => [set(matchFault(text)?.kind), set(fault)])),
    mentions: measure(
      labelledLines.map(([text, , , , mentions]) => [
        findMentions(text).map(m => (m.kind === 'user' ? 'user *' : `${m.kind} ${m.text}`)),
        mentions,
      ]),
    ),
  }

  it.each(Object.entries(results))(
    '%s is found with precision and recall of at least nine in ten',
    (_, { precision, recall }) => {
      expect(precision).toBeGreaterThanOrEqual(0.9)
      expect(recall).toBeGreaterThanOrEqual(0.9)
    },
  )
})
