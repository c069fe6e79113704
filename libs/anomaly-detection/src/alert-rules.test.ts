import { describe, expect, it } from 'vitest'
import { AlertRules, parseAlertRules } from './alert-rules.ts'

const rules = (...list: object[]) => parseAlertRules(JSON.stringify({ rules: list }))
const point = (seconds: number, value: number, more = {}) => ({
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
    expect(r.tick(59e6)).toEqual([])
    expect(r.tick(60e6).map(a => a.entity)).toEqual(['web-1'])
    expect(r.point(point(61, 1, { metric: 'up' })).map(a => a.state)).toEqual(['close'])
  })
  it('take new rules while firing', () => {
    const hot = { name: 'hot', metric: 'cpu', when: { above: 0.9 } }
    const r = new AlertRules(rules(hot))
    r.point(point(1, 1))
    expect(r.replace(rules(hot, { ...hot, name: 'other' }), 2e6)).toEqual([])
    const two = new AlertRules(rules(hot))
    two.load(JSON.parse(JSON.stringify(r.save())))
    expect(two.point(point(3, 1))).toEqual([])
    expect(r.replace(rules({ ...hot, when: { above: 2 } }), 4e6).map(a => a.state)).toEqual(['close'])
  })
  it('say what is wrong with a file, all of it', () => {
    expect(() => parseAlertRules('{')).toThrow(/not valid JSON/)
    expect(() => parseAlertRules('[]')).toThrow(/expected \{ "rules"/)
    expect(() =>
      rules({ name: 'a', metric: 'm', when: { over: 1 } }, { name: 'a', metric: '', when: { above: 'x' }, colour: 1 }),
    ).toThrow(
      /rule 1 \("a"\): "when" must hold exactly one of above.*rule 2 \("a"\): unknown key "colour".*"metric" must be.*another rule has this name.*"above" must be a number/,
    )
  })
})
