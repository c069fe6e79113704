import { describe, expect, it } from 'vitest'
import { type AlertRule, AlertRules } from './alert-rules.ts'

const rules = (...list: (Partial<AlertRule> & Pick<AlertRule, 'name' | 'metric' | 'when'>)[]): AlertRule[] =>
  list.map(r => ({ for_seconds: 0, severity: 'medium', ...r }))
const at = (time: number) => () => time
const point = (seconds: number, value: number, more = {}) => ({
  environment: 'test',
  entity: 'web-1',
  metric: 'cpu',
  time: seconds * 1e6,
  value,
  ...more,
})

describe('alert rules', () => {
  it('fire once a threshold has held for as long as asked, and close when it ends', () => {
    const r = new AlertRules(rules({ name: 'hot', metric: 'cpu', when: { above: 0.9 }, for_seconds: 60, severity: 'high' }))
    const told = [0.5, 0.95, 0.95, 0.95, 0.95, 0.2].flatMap((v, i) => r.point(point(30 * i, v)))
    expect(told.map(a => [a.state, a.time / 1e6])).toEqual([
      ['open', 90],
      ['close', 150],
    ])
    expect(told[0].text).toBe('hot: cpu of web-1 above 0.9 for 60 s, last 0.95')
  })
  it('see rates, absence, entities and labels', () => {
    const r = new AlertRules(
      rules(
        { name: 'fast', metric: 'queue', when: { rises_per_second: 5 }, labels: { name: 'a' } },
        { name: 'gone', metric: 'up', entity: 'web-*', when: { absent_seconds: 60 } },
      ),
    )
    const queue = (s: number, v: number, name: string) => r.point(point(s, v, { metric: 'queue', labels: { name } }))
    expect(queue(0, 0, 'a')).toEqual([])
    expect(queue(10, 100, 'b')).toEqual([])
    expect(queue(10, 100, 'a').map(a => a.state)).toEqual(['open'])
    expect(queue(20, 110, 'a').map(a => a.state)).toEqual(['close'])
    r.point(point(0, 1, { metric: 'up' }))
    r.point(point(0, 1, { metric: 'up', entity: 'db-1' }))
    expect(r.tick(at(59e6))).toEqual([])
    expect(r.tick(at(60e6)).map(a => a.entity)).toEqual(['web-1'])
    expect(r.point(point(61, 1, { metric: 'up' })).map(a => a.state)).toEqual(['close'])
  })
  it('take new rules while firing', () => {
    const hot = { name: 'hot', metric: 'cpu', when: { above: 0.9 } }
    const r = new AlertRules(rules(hot))
    r.point(point(1, 1))
    const two = new AlertRules()
    two.load(JSON.parse(JSON.stringify(r.save())))
    expect(r.replace(rules(hot, { ...hot, name: 'other' }), at(2e6))).toEqual([])
    expect(two.point(point(3, 1))).toEqual([])
    expect(r.replace(rules({ ...hot, when: { above: 2 } }), at(4e6)).map(a => a.state)).toEqual(['close'])
  })
  it('open and close with one start, also after a restart, and keep environments apart', () => {
    const hot = { name: 'hot', metric: 'cpu', when: { above: 0.9 }, for_seconds: 30 } as const
    const one = new AlertRules(rules(hot))
    one.point(point(0, 0.1))
    const two = new AlertRules()
    two.load(JSON.parse(JSON.stringify(one.save())))
    const told = [
      [10, 0.95],
      [30, 0.95],
      [40, 0.95],
      [50, 0.1],
    ].flatMap(([t, v]) => [...two.point(point(t, v)), ...two.point(point(t, 0.1, { environment: 'other' }))])
    expect(told.map(a => [a.state, a.environment, a.started / 1e6, a.time / 1e6])).toEqual([
      ['open', 'test', 10, 40],
      ['close', 'test', 10, 50],
    ])
  })
  it('tell of a threshold before it is crossed, with how long there is, and close when it is', () => {
    const full = { name: 'full', metric: 'cpu', when: { above: 0.9 }, predict_seconds: 1800 } as const
    const r = new AlertRules(rules(full))
    const wobble = (i: number) => 0.004 * Math.sin(i * 1.7)
    // Half an hour of nothing, then up by .006 a minute: from .3 to .9 in 100 minutes.
    const series = Array.from({ length: 2 * 150 }, (_, i) => 0.3 + Math.max(0, i - 60) * 0.003 + wobble(i))
    const told = series.flatMap((v, i) => r.point(point(30 * i, v)))
    expect(told.map(a => [a.state, a.expected !== undefined])).toEqual([
      ['open', true],
      ['open', false],
      ['close', true],
    ])
    const [early, crossed, late] = told
    const lead = (crossed.time - early.time) / 60e6
    expect(lead).toBeGreaterThan(20)
    expect(Math.abs((early.expected ?? 0) - crossed.time) / 60e6).toBeLessThan(8)
    expect(early.text).toMatch(/^full: cpu of web-1 will be above 0.9 in about \d+ min/)
    expect(late.started).toBe(early.started)
  })
  it('see no crossing in noise, or when it is further away than asked', () => {
    const full = { name: 'full', metric: 'cpu', when: { above: 0.9 }, predict_seconds: 1800 } as const
    const quiet = new AlertRules(rules(full))
    for (let i = 0; i < 1000; i++) expect(quiet.point(point(30 * i, 0.6 + 0.2 * Math.sin(i * 2.39)))).toEqual([])
    const far = new AlertRules(rules(full))
    for (let i = 0; i < 200; i++) expect(far.point(point(30 * i, 0.1 + 0.0005 * i))).toEqual([])
  })
})
