import { describe, expect, it } from 'vitest'
import type { CaseLine, CaseSpan } from './case-evidence.ts'
import { stopEvidence } from './stop-evidence.ts'

/** Requests front → middle → back; the one numbered so stops in `at` after its first statement, and whoever waits for it stops too. */
const requests = (count: number, at: string | undefined, stops: (i: number) => boolean) => {
  const spans: CaseSpan[] = []
  const lines: CaseLine[] = []
  const chain = ['front', 'middle', 'back']
  for (let i = 0; i < count; i++) {
    const trace = `${at}-${i}`
    const cut = at !== undefined && stops(i) ? chain.indexOf(at) : chain.length
    chain.forEach((entity, depth) => {
      if (depth > cut) return
      spans.push({
        start: i * 1000,
        duration: 10,
        trace,
        id: entity,
        parent: chain[depth - 1] ?? '',
        entity,
        operation: `get ${entity}`,
      })
      for (const part of depth >= cut || cut < chain.length ? ['begins'] : ['begins', 'ends'])
        lines.push({ time: i * 1000, entity, template: `${entity} ${part}`, text: `${entity} ${part} ${i}`, trace, span: entity })
    })
  }
  return { spans, lines }
}
describe('stopEvidence', () => {
  const quiet = requests(40, undefined, () => false)
  it('blames the deepest visit that stopped, not those who waited for it, and quotes its last line', () => {
    const found = stopEvidence(
      requests(40, 'back', i => i % 3 === 0),
      quiet,
    )
    expect(new Set(found.map(f => f.entity))).toEqual(new Set(['back']))
    const stop = found.find(f => f.kind === 'trace_stop')!
    expect(stop).toMatchObject({ after: 14, before: 0, name: 'back begins\0back ends', text: 'back begins 0' })
    expect(stop.strength).toBeGreaterThan(2)
    expect(
      stopEvidence(
        requests(40, 'middle', i => i % 3 === 0),
        quiet,
      ).map(f => f.entity),
    ).toEqual(['middle', 'middle'])
  })
  it('finds nothing where nothing stopped', () => {
    expect(
      stopEvidence(
        requests(40, undefined, () => false),
        quiet,
      ),
    ).toEqual([])
  })
})
