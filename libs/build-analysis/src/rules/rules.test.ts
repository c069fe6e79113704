import { describe, expect, test } from 'vitest'
import { literalOf, markLine } from '../mark-lines.ts'
import { RULES } from './all.ts'

describe('every rule', () => {
  test.each(RULES.map(r => [r.tool, r.example, r] as const))('%s: %s', (_, example, rule) => {
    expect(rule.pattern.test(example)).toBe(true)
    const mark = markLine(example)
    expect(mark?.role).toBe(rule.role)
    if (rule.role !== 'noise') expect(mark?.kind).toBe(rule.kind)
  })
  test('what is looked for first stands in every example', () => {
    for (const rule of RULES)
      if (!rule.pattern.flags.includes('i')) expect(rule.example).toContain(literalOf(rule.pattern.source))
  })
})
