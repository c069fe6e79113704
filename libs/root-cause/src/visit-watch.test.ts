import { describe, expect, it } from 'vitest'
import type { CaseLine, CaseSpan } from './case-evidence.ts'
import { VisitWatch } from './visit-watch.ts'

type Rest<F extends (...args: never) => unknown> = Parameters<F> extends [unknown, ...infer R] ? R : never
const T0 = 1_700_000_000_000_000
const SECOND = 1_000_000
/** One request front → back; `back` writes the given statements, "!" before one makes it an error. */
const request = (
  n: number,
  statements: readonly string[],
  over: { front?: Partial<CaseSpan>; back?: Partial<CaseSpan> } = {},
) => {
  const span = (entity: string, parent: string, more: Partial<CaseSpan> = {}): CaseSpan => ({
    start: n,
    duration: 1,
    trace: `t${n}`,
    id: entity,
    parent,
    entity,
    operation: 'get',
    ...more,
  })
  const line = (entity: string, statement: string): CaseLine => ({
    time: n,
    entity,
    template: statement.replace('!', ''),
    text: `${statement.replace('!', '')} ${n}`,
    severity: statement.startsWith('!') ? 'ERROR' : 'INFO',
    trace: `t${n}`,
    span: entity,
  })
  return {
    spans: [span('front', '', over.front), span('back', 'front', over.back)],
    lines: [
      line('front', 'asked'),
      ...statements.map(s => line('back', s)),
      ...(statements.includes('ends') ? [line('front', 'answered')] : []),
    ],
  }
}
const taught = (visits = 40) => {
  const watch = new VisitWatch()
  for (let n = 0; n < visits; n++) {
    const { spans, lines } = request(n, ['begins', 'ends'])
    expect(watch.see('test', spans, lines, T0).filter(v => v.stopped)).toEqual([])
  }
  return watch
}
const stops = (watch: VisitWatch, n: number, ...args: Rest<typeof request>) => stopsAt(T0, watch, n, ...args)
const stopsAt = (time: number, watch: VisitWatch, ...args: Parameters<typeof request>) => {
  const { spans, lines } = request(...args)
  return watch
    .see('test', spans, lines, time)
    .filter(v => v.stopped)
    .map(v => [v.visit.entity, v.stopped])
}

describe('VisitWatch', () => {
  it.each([
    ['a statement is missing', ['begins'], {}, [['back', 'ends']]],
    ['a new error', ['begins', '!broken', 'ends'], {}, [['back', '! broken']]],
    ['nothing is missing', ['begins', 'ends'], {}, []],
    ['nothing was recorded of it', [], {}, [['front', 'answered']]],
    ['a call of it failed', ['begins'], { back: { lost: true, failed: true } }, []],
    ['it failed without a word, so who waited for it is not to blame', [], { back: { failed: true } }, []],
  ] as const)('%s', (_what, statements, over, expected) => expect(stops(taught(), 100, statements, over)).toEqual(expected))

  it('says nothing before it knows what is usual, and nothing of another environment', () => {
    expect(stops(taught(3), 100, ['begins'])).toEqual([])
    const { spans, lines } = request(100, ['begins'])
    expect(
      taught()
        .see('other', spans, lines, T0)
        .filter(v => v.stopped),
    ).toEqual([])
  })
  it('takes a fault for one for minutes, and a new release for usual after', () => {
    const watch = taught()
    for (let n = 0; n < 500; n++) expect(stopsAt(T0 + n * SECOND, watch, n + 100, ['begins'])).toEqual([['back', 'ends']])
    expect(stopsAt(T0 + 700 * SECOND, watch, 900, ['begins'])).toEqual([])
  })
  it('corrects what it took for a step always made', () => {
    const watch = taught(6)
    let stopped = 0
    for (let n = 0; n < 2000; n++)
      stopped = stopsAt(T0 + n * SECOND, watch, n + 100, n % 5 === 0 ? ['begins'] : ['begins', 'ends']).length
    expect(stopped).toBe(0)
    expect(stopsAt(T0 + 2000 * SECOND, watch, 3000, ['begins'])).toEqual([])
  })
  it('forgets the kind seen least lately, and goes on from what it wrote down', () => {
    const watch = taught()
    const again = new VisitWatch()
    again.load(JSON.parse(JSON.stringify(watch)))
    expect(stops(again, 100, ['begins'])).toEqual(stops(watch, 100, ['begins']))
    const small = new VisitWatch({ kinds: 2 })
    small.load(watch.toJSON())
    const other = request(1, ['begins', 'ends'], { front: { operation: 'put' }, back: { operation: 'put' } })
    small.see('test', other.spans, other.lines, T0)
    expect(small.toJSON().usual.map(([key]) => key.split('\0').at(-1))).toEqual(['put', 'put'])
  })
  it('forgets by halves, and keeps what is always done', () => {
    const watch = new VisitWatch({ memory: 50 })
    for (let n = 0; n < 400; n++) {
      const { spans, lines } = request(n, ['begins', 'ends'])
      watch.see('test', spans, lines, T0)
    }
    for (const [, visits] of watch.toJSON().usual) expect(visits).toBeLessThan(50)
    expect(stops(watch, 500, ['begins'])).toEqual([['back', 'ends']])
  })
})
