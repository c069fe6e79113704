import { describe, expect, test } from 'vitest'
import { literalsOf, markLine } from '../mark-lines.ts'
import { RULES } from './all.ts'

describe('every rule', () => {
  test.each(RULES.map(r => [r.tool, r.example, r] as const))('%s: %s', (_, example, rule) => {
    expect(rule.pattern.test(example)).toBe(true)
    const mark = markLine(example)
    expect(mark?.role).toBe(rule.role)
    if (rule.role !== 'noise') expect(mark?.kind).toBe(rule.kind)
  })
  test('what is looked for first stands in every example', () => {
    for (const { pattern, example } of RULES) {
      const pieces = literalsOf(pattern.source)
      const at = (text: string) => (pattern.flags.includes('i') ? text.toLowerCase() : text)
      if (pieces) expect(pieces.some(p => at(example).includes(at(p))) ? '' : `${pattern} ${example}`).toBe('')
    }
  })
  test('pieces of patterns', () => {
    expect(literalsOf('^(?:abc|def x) \\d+')).toEqual(['abc', 'def x'])
    expect(literalsOf('abc(?:x)?|ab')).toBeUndefined()
    expect(literalsOf('(?:long one|other)?abcd[ef]')).toEqual(['abcd'])
  })
})
