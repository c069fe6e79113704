import { type Parameter, seededRandom } from '@aegis/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LogFinding, LogWatch } from './log-watch.ts'
import { ParameterRanges, quantityOf } from './parameter-ranges.ts'
import { covers } from './template-rates.ts'

const SECOND = 1_000_000
interface Line {
  template: string
  parameters?: readonly Parameter[]
  session?: string
  bad?: boolean
}
/** Windows of 5 s; findings with the number of the window they came in. */
function run(windows: number, make: (window: number, random: () => number) => Line[], watch = new LogWatch<string>(), from = 0) {
  const found: (LogFinding<string> & { window: number })[] = []
  for (let w = from; w < from + windows; w++) {
    const random = seededRandom(w + 1)
    for (const [i, line] of make(w, random).entries())
      watch.line({
        templateId: `id of ${line.template}`,
        template: line.template,
        parameters: line.parameters ?? [],
        bad: line.bad ?? false,
        session: line.session,
        timeUs: 5 * w * SECOND + i,
        quote: `${w}/${i} ${line.template}`,
      })
    found.push(...watch.close(5 * (w + 1) * SECOND).map(f => ({ ...f, window: w })))
  }
  return { found, watch }
}
const many = (n: number, line: Line): Line[] => Array.from({ length: n }, () => line)
const about = (random: () => number, n: number) => Math.round(n * (0.7 + 0.6 * random()))
/** A shop: three templates at their own rates, one now and then. */
const shop = (w: number, random: () => number, load = 1): Line[] => [
  ...many(about(random, 20 * load), { template: 'served <*> in <*>' }),
  ...many(about(random, 8 * load), { template: 'order <*> placed' }),
  ...many(about(random, 4 * load), { template: 'cart of <*> emptied' }),
  ...(w % 7 === 0 ? [{ template: 'checkpoint at <*>' }] : []),
]
const kinds = (list: readonly LogFinding<string>[]) => [...new Set(list.map(({ kind }) => kind))].sort()

describe('LogWatch', () => {
  it('stays silent on ordinary life, at half and at thrice the load', () => {
    const { found } = run(400, (w, random) => shop(w, random, w < 200 ? 1 : w < 300 ? 3 : 0.5))
    expect(found).toEqual([])
  })
  it('says nothing before it has learned', () => {
    expect(run(30, (w, random) => [...shop(w, random), { template: `news ${w}` }]).found).toEqual([])
  })
  it('tells of a new template and quotes it', () => {
    const { found } = run(120, (w, random) => [
      ...shop(w, random),
      ...(w === 100 ? [{ template: 'quota of <*> is used up' }] : []),
    ])
    expect(kinds(found)).toEqual(['new template'])
    expect(found[0]).toMatchObject({ window: 100, quotes: [expect.stringMatching(/^100\/\d+ quota of <\*> is used up$/)] })
  })
  it('is used to new templates where they are daily bread', () => {
    const { found } = run(200, (w, random) => [
      ...shop(w, random),
      ...(random() < 0.7 ? [{ template: `build ${w} of <*>` }] : []),
    ])
    expect(found.filter(({ kind }) => kind === 'new template')).toEqual([])
  })
  it('does not take a template that widened for a new one', () => {
    const { found } = run(140, (w, random) =>
      shop(w, random).map(line => (w >= 100 && line.template === 'order <*> placed' ? { template: 'order <*> <*>' } : line)),
    )
    expect(found).toEqual([])
  })
  it('does not take sessions for broken when a template of theirs widened', () => {
    const { found } = run(160, w =>
      Array.from({ length: 6 }, (_, i) =>
        ['accepted <*>', w < 120 ? 'charged <*> cents' : 'charged <*> <*>', 'shipped <*>'].map(template => ({
          template,
          session: `request ${w}-${i}`,
        })),
      ).flat(),
    )
    expect(found).toEqual([])
  })
  it('knows a narrow template under the wide one it learned', () => {
    const { watch } = run(100, shop)
    const { found } = run(
      60,
      (w, random) =>
        shop(w, random).map((line, i) => (line.template === 'order <*> placed' ? { template: `order ${i % 3} placed` } : line)),
      new LogWatch<string>().load(JSON.parse(JSON.stringify(watch))),
      100,
    )
    expect(found).toEqual([])
  })
  it('tells of a template that comes much more often, less often, or no more', () => {
    const change = (factor: number) =>
      run(140, (w, random) =>
        shop(w, random, 4).flatMap((line, i) =>
          w < 120 || line.template !== 'order <*> placed'
            ? [line]
            : many(factor < 1 ? (i % 8 < factor * 8 ? 1 : 0) : factor, line),
        ),
      ).found
    expect(kinds(change(8))).toContain('more often')
    expect(kinds(change(0.125))).toContain('less often')
    const stopped = change(0).filter(({ kind }) => kind === 'stopped')
    expect(stopped[0]).toMatchObject({ templateId: 'id of order <*> placed', quotes: [expect.any(String), expect.any(String)] })
    expect(stopped[0].window).toBeLessThan(125)
  })
  it('tells of a bad template that is back after long', () => {
    const { found } = run(330, (w, random) => [
      ...shop(w, random),
      ...(w === 10 || w === 320 ? [{ template: 'lease lost', bad: true }] : []),
    ])
    expect(found.map(({ kind, window }) => `${kind} ${window}`)).toEqual(['rare template 320'])
  })
  it('gets used to bursts that keep coming', () => {
    const { found } = run(3000, (w, random) => [
      ...shop(w, random),
      ...(w % 97 < 3 ? many(40 + Math.round(30 * random()), { template: 'order <*> placed' }) : []),
    ])
    const bursts = (from: number, to: number) => found.filter(({ window }) => window >= from && window < to).length
    expect(bursts(0, 1000)).toBeGreaterThan(0)
    expect(bursts(2000, 3000)).toBeLessThan(bursts(0, 1000) / 2)
  })
  it('takes what stays for the new normal', () => {
    const { found } = run(600, (w, random) => [
      ...shop(w, random),
      ...(w >= 120 ? many(about(random, 60), { template: 'order <*> placed' }) : []),
    ])
    expect(found.length).toBeGreaterThan(0)
    expect(found.filter(({ window }) => window >= 400)).toEqual([])
  })
  it('tells of sessions that break off, and not of those that always did', () => {
    const sessions = (w: number, broken: (i: number) => boolean): Line[] =>
      Array.from({ length: 6 }, (_, i) =>
        ['accepted', 'charged', 'shipped']
          .slice(0, broken(i) ? 2 : 3)
          .map(template => ({ template, session: `request ${w}-${i}` })),
      ).flat()
    const { found } = run(160, w => sessions(w, i => w >= 120 && i < 3))
    const breaks = found.filter(({ kind }) => kind === 'sequence break')
    expect(breaks[0].window).toBeGreaterThanOrEqual(120)
    expect(breaks[0].quotes).toEqual([expect.stringContaining('accepted'), expect.stringContaining('charged')])
    expect(breaks[0].text).toContain('lacks id of shipped')
    expect(kinds(run(160, w => sessions(w, i => i === 0 && w % 3 === 0)).found)).not.toContain('sequence break')
  })
  it('tells of numbers out of range', () => {
    const { found } = run(120, (w, random) => [
      ...shop(w, random),
      ...many(4, {
        template: 'wrote <*>',
        parameters: [{ kind: 'duration', text: `${w >= 100 ? 9000 : (2 + 5 * random()).toFixed(1)} ms` }],
      }),
    ])
    const outside = found.filter(({ kind }) => kind === 'parameter out of range')
    expect(outside[0]).toMatchObject({ window: 100, quotes: [expect.any(String), expect.any(String), expect.any(String)] })
    expect(outside[0].text).toContain('9000 ms in "wrote <*>"')
  })
  it('goes on from its state, at any place', () => {
    const life = (w: number, random: () => number): Line[] => [
      ...shop(w, random).map((line, i) => ({ ...line, session: `s${w}-${i % 9}` })),
      ...(w % 50 === 49 ? [{ template: `news ${w}`, parameters: [{ kind: 'number' as const, text: String(w) }] }] : []),
    ]
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), cut => {
        const whole = run(230, life).found
        const before = run(cut, life)
        const after = run(230 - cut, life, new LogWatch<string>().load(JSON.parse(JSON.stringify(before.watch))), cut)
        expect([...before.found, ...after.found]).toEqual(whole)
      }),
      { seed: 4, numRuns: 6 },
    )
  })
  it('is bounded whatever comes', () => {
    const { watch } = run(300, (w, random) =>
      Array.from({ length: 40 }, (_, i) => ({
        template: `word ${w} ${i} <*>`,
        session: `s ${w} ${i}`,
        parameters: [{ kind: 'number' as const, text: String(random()) }],
      })),
    )
    const size = JSON.stringify(watch).length
    const more = run(
      300,
      (w, random) =>
        Array.from({ length: 40 }, (_, i) => ({
          template: `word ${w} ${i} <*>`,
          session: `s ${w} ${i}`,
          parameters: [{ kind: 'number' as const, text: String(random()) }],
        })),
      watch,
      300,
    ).watch
    expect(JSON.stringify(more).length).toBeLessThan(1.5 * size)
  })
})

describe('parameters', () => {
  it('reads quantities with their units', () => {
    for (const [text, value] of [
      ['12', 12],
      ['1,234.5', 1234.5],
      ['-3 ms', -0.003],
      ['2h', 7200],
      ['1.5e3', 1500],
      ['4 KiB', 4096],
    ] as const)
      expect(quantityOf(text)).toBeCloseTo(value, 9)
    for (const text of ['', 'abc', '1.2.3', '0x10', '-']) expect(quantityOf(text)).toBeUndefined()
  })
  it('knows no range for what keeps rising', () => {
    const ranges = new ParameterRanges()
    const outside = Array.from({ length: 300 }, (_, i) =>
      ranges.observe('t', [{ kind: 'number', text: String(i < 290 ? 1000 + i : 1e9 + i) }]),
    ).flat()
    expect(outside).toEqual([])
  })
  it('takes another range for usual once nothing else comes', () => {
    const ranges = new ParameterRanges()
    const outside = Array.from(
      { length: 600 },
      (_, i) => ranges.observe('t', [{ kind: 'number', text: String((i < 200 ? 10 : 10_000) + ((i * 7) % 5)) }]).length,
    )
    expect(outside.slice(0, 200)).not.toContain(1)
    expect(outside.slice(200, 300)).not.toContain(0)
    expect(outside.slice(310)).not.toContain(1)
  })
})

describe('covers', () => {
  it.each([
    ['order <*> <*>', 'order <*> placed', true],
    ['<*> failed at <*>', 'backup failed at <*>', true],
    ['order <*> placed', 'order <*> lost', false],
    ['a <*> b', 'a b', false],
    ['<*>', 'anything', false],
    ['order placed', 'order placed', false],
  ])('%s over %s: %s', (wide, narrow, expected) => expect(covers(wide, narrow)).toBe(expected))
})
