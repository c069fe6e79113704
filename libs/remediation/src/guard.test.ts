import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { type Guard, MODES, seededRandom } from '@aegis/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { guardCase, judge, RULES } from './guard.cases.ts'
import { guard } from './guard.ts'

const source = readFileSync(new URL('./guard.ts', import.meta.url), 'utf8')
/** The guard as it would be with a piece of its text changed. */
function built(text: string): Guard {
  const body = stripTypeScriptTypes(text)
    .replace(/^import[^\n]*\n/m, '')
    .replace('export const guard', 'const guard')
  return new Function('MODES', `${body}\nreturn guard`)(MODES) as Guard
}
const disagreements = (candidate: Guard, cases: number): number => {
  const random = seededRandom(11)
  for (let i = 0; i < cases; i++) {
    const c = guardCase(random)
    try {
      if (candidate(c.choice, c.facts, c.now).mode !== judge(c)) return i + 1
    } catch {
      return i + 1
    }
  }
  return 0
}
/** Text to change, and what to. Each takes a limit away, moves it by one step, or turns it round. */
const MUTANTS: readonly (readonly [string, string])[] = [
  ['if (facts.killSwitch)', 'if (false)'],
  ["limit('observe'", "limit('suggest'"],
  ["facts.deny.includes('page')", 'false'],
  ["mode === 'refuse' ? 'refuse' : 'act'", "'act'"],
  ["if (choice.action === 'page')", 'if (false)'],
  ['if (facts.deny.includes(choice.action))', 'if (false)'],
  ['facts.allow.length > 0 &&', ''],
  ['facts.allow.length > 0 &&', 'facts.allow.length > 1 &&'],
  ['!facts.allow.includes(choice.action)', 'facts.allow.includes(choice.action)'],
  ['facts.protectedEntities.includes(choice.target)', 'facts.protectedEntities.includes(choice.action)'],
  ['facts.confidence >= facts', 'facts.confidence > facts'],
  ['!(facts.confidence >= facts.limits.minimumConfidence)', 'facts.confidence < facts.limits.minimumConfidence'],
  ['facts.evidenceCount >= facts', 'facts.evidenceCount > facts'],
  ['facts.evidenceCount >= facts', 'facts.evidenceCount + 1 >= facts'],
  ['filter(r => !r.finished)', 'filter(r => r.finished)'],
  ['running.some(r => r.target === choice.target)', 'false'],
  ['running.length < facts', 'running.length <= facts'],
  ['r.target === choice.target && r.action === choice.action', 'r.target === choice.target'],
  ['r.target === choice.target && r.action === choice.action', 'r.action === choice.action'],
  ['!(cool <= 0)', 'cool < 0'],
  ['!(cool <= 0)', '!(cool < 0)'],
  ['cooldownMs * 1000', 'cooldownMs'],
  ['Math.max(...repeated', 'Math.min(...repeated'],
  ['if (facts.disruptive) {', 'if (true) {'],
  ['if (facts.disruptive) {', 'if (!facts.disruptive) {'],
  ['r.disruptive && !(r.time', '!(r.time'],
  ['r.time <= now - HOUR_US', 'r.time < now - HOUR_US'],
  ['= 3_600_000_000', '= 3_600_000'],
  ['done < facts', 'done <= facts'],
  ['now >= w.from', 'now > w.from'],
  ['now < w.to', 'now <= w.to'],
  ['w.entities.length === 0 || ', ''],
  ['w.entities.includes(choice.target)', 'true'],
  ['facts.errorBudgetLeft >= facts', 'facts.errorBudgetLeft > facts'],
  ['facts.errorBudgetLeft !== undefined && ', ''],
  ['facts.policyService?.asked && ', ''],
  ['!facts.policyService.answered', 'facts.policyService.answered'],
  ['facts.policyService?.answered && !', 'facts.policyService && !'],
  ['!facts.policyService.allowed', 'facts.policyService.allowed'],
  ['Object.hasOwn(facts.ladder, choice.action)', 'facts.ladder[choice.action]'],
  ['? facts.ladder[choice.action] : facts.defaultMode', '? facts.defaultMode : facts.defaultMode'],
  ['MODES.indexOf(a) <= MODES.indexOf(b)', 'MODES.indexOf(a) >= MODES.indexOf(b)'],
]

describe('guard', () => {
  it('agrees with an independent judge on both sides of every limit', () => {
    const met = Object.fromEntries(Object.keys(RULES).map(name => [name, { holds: 0, lets: 0 }]))
    const cases = 100_000
    const random = seededRandom(7)
    for (let i = 0; i < cases; i++) {
      const c = guardCase(random)
      const { mode } = guard(c.choice, c.facts, c.now)
      if (mode !== judge(c)) expect({ mode, ...c }).toEqual({ mode: judge(c), ...c })
      for (const [name, rule] of Object.entries(RULES)) met[name][rule(c) === 'act' ? 'lets' : 'holds']++
    }
    for (const [name, { holds, lets }] of Object.entries(met))
      expect(Math.min(holds, lets) / cases, `share of cases on the rarer side of ${name}`).toBeGreaterThanOrEqual(0.01)
  })

  it('the judge catches every change of the guard', () => {
    expect(disagreements(built(source), 20_000)).toBe(0)
    for (const [from, to] of MUTANTS) {
      expect(source, from).toContain(from)
      expect(disagreements(built(source.replace(from, to)), 20_000), `${from} -> ${to}`).toBeGreaterThan(0)
    }
  })

  const cases = fc.integer().map(seed => guardCase(seededRandom(seed)))
  it('never goes further than the ladder, and always says why', () => {
    fc.assert(
      fc.property(cases, c => {
        const { mode, reasons } = guard(c.choice, c.facts, c.now)
        const said = Object.hasOwn(c.facts.ladder, c.choice.action) ? c.facts.ladder[c.choice.action] : c.facts.defaultMode
        expect(c.choice.action === 'page' || MODES.indexOf(mode) <= MODES.indexOf(said)).toBe(true)
        expect(reasons.length).toBeGreaterThan(c.choice.action !== 'page' && mode !== said ? 1 : 0)
      }),
      { seed: 1, numRuns: 3000 },
    )
  })

  it('only becomes stricter when a fact becomes worse', () => {
    const worse: readonly ((c: ReturnType<typeof guardCase>) => Partial<typeof c.facts>)[] = [
      () => ({ killSwitch: true }),
      c => ({ deny: [...c.facts.deny, c.choice.action] }),
      c => ({ protectedEntities: [...c.facts.protectedEntities, c.choice.target] }),
      c => ({ confidence: c.facts.confidence - 0.3 }),
      c => ({ evidenceCount: c.facts.evidenceCount - 1 }),
      c => ({ limits: { ...c.facts.limits, concurrent: c.facts.limits.concurrent - 1 } }),
      c => ({ limits: { ...c.facts.limits, cooldownMs: c.facts.limits.cooldownMs + 60_000 } }),
      c => ({ policyService: { ...(c.facts.policyService ?? { asked: true, answered: false, reason: '' }), allowed: false } }),
      () => ({ disruptive: true }),
    ]
    fc.assert(
      fc.property(cases, fc.nat(worse.length - 1), (c, which) => {
        const before = MODES.indexOf(guard(c.choice, c.facts, c.now).mode)
        const facts = { ...c.facts, ...worse[which](c) }
        expect(MODES.indexOf(guard(c.choice, facts, c.now).mode)).toBeLessThanOrEqual(before)
      }),
      { seed: 2, numRuns: 5000 },
    )
  })

  it('gives no rights for a mode it does not know', () => {
    const c = guardCase(seededRandom(1))
    const facts = { ...c.facts, ladder: { [c.choice.action]: 'everything' as never } }
    expect(guard({ ...c.choice }, facts, c.now).mode).toBe('refuse')
  })
})
