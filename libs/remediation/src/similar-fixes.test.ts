import type { Cause } from '@aegis/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { likeness, type RecordedFix, type Signature, signatureOf, suggestFixes, withStage } from './similar-fixes.ts'

const incident = (fault: string, entity: string, metrics: readonly string[]) => ({
  severity: 'high',
  entities: [entity],
  causes: [
    {
      entity,
      fault_kind: fault,
      metrics,
      evidence: [],
      path: [],
      confidence: 0.9,
      score: 1,
      against: [],
      explanation: '',
    } as Cause,
  ],
})
const fix = (id: string, command: string, success: boolean, signature: Signature, target = 'frontend'): RecordedFix => ({
  fix: { id, command, success, who: 'ada', time: 1, target },
  stages: [signature],
})
const signatures = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.double({ min: 0.1, max: 5, noNaN: true }))

describe('likeness', () => {
  it('is symmetric, between 0 and 1, and 1 for the same', () => {
    fc.assert(
      fc.property(signatures, signatures, (a, b) => {
        const value = likeness(a, b)
        expect(value).toBeGreaterThanOrEqual(0)
        expect(value).toBeLessThanOrEqual(1)
        expect(likeness(b, a)).toBeCloseTo(value, 12)
        if (Object.keys(a).length > 0) expect(likeness(a, a)).toBe(1)
      }),
      { seed: 4, numRuns: 300 },
    )
  })
})

describe('suggestFixes', () => {
  const memory = signatureOf(incident('memory', 'frontend', ['heap_used']))
  const disk = signatureOf(incident('disk', 'ledger', ['disk_free']))
  const known = [
    fix('1', 'kubectl rollout restart deployment/frontend', true, memory),
    fix('2', 'kubectl  rollout restart deployment/cart', true, signatureOf(incident('memory', 'cart', ['heap_used'])), 'cart'),
    fix('3', 'kubectl scale deployment/frontend --replicas 3', false, memory),
    fix('4', 'journalctl --vacuum-size 1G', true, disk, 'ledger'),
  ]

  it('brings back what helped in situations like this, on any entity, with the evidence', () => {
    const [first, second] = suggestFixes(signatureOf(incident('memory', 'payment', ['heap_used'])), known)
    expect(first).toMatchObject({ command: 'kubectl rollout restart deployment/<entity>', tried: 2, worked: 2 })
    expect(first.examples.map(e => e.fix).sort()).toEqual(['1', '2'])
    expect(second).toMatchObject({ worked: 0, chance: 0 })
  })

  it('takes commands on different entities for one, whether they name the entity or only its name', () => {
    const on = (id: string, command: string, service: string) =>
      fix(id, command, true, signatureOf(incident('memory', `service:${service}`, ['heap_used'])), `service:${service}`)
    const tried = [
      on('1', 'kubectl -n shop rollout restart deployment/cart', 'cart'),
      on('2', 'kubectl -n shop rollout restart deployment/frontend', 'frontend'),
      on('3', 'restart service:cart', 'cart'),
      on('4', 'kubectl delete pod cart-worker-1', 'cart'),
      on('5', 'restart service:frontend', 'frontend'),
    ]
    expect(suggestFixes(memory, tried).map(s => [s.command, s.tried])).toEqual([
      ['kubectl -n shop rollout restart deployment/<entity>', 2],
      ['restart <entity>', 2],
      ['kubectl delete pod cart-worker-1', 1],
    ])
  })

  it('says nothing under the floor', () => {
    expect(suggestFixes(signatureOf(incident('network', 'x', ['packets_lost'])), known)).toEqual([])
    expect(suggestFixes(memory, [])).toEqual([])
    expect(suggestFixes(signatureOf({ ...incident('x', 'x', []), causes: [] }), known)).toEqual([])
  })

  it('trusts ten good tries more than one', () => {
    const many = [
      ...Array.from({ length: 10 }, (_, i) => fix(`m${i}`, 'restart', i > 0, memory)),
      fix('one', 'pray', true, memory),
    ]
    expect(suggestFixes(memory, many).map(s => s.command)).toEqual(['restart', 'pray'])
  })
})

describe('stages of an incident', () => {
  const looks = (n: number, fault = 'pool') => {
    const { causes, ...rest } = incident(
      fault,
      'ledger',
      Array.from({ length: n }, (_, i) => `metric_${i}`),
    )
    const evidence = Array.from({ length: n }, (_, i) => ({ kind: 'metric', name: `metric_${i}` }))
    return signatureOf({ ...rest, causes: [{ ...causes[0], evidence } as unknown as Cause] })
  }
  const lived = [1, 2, 3, 5, 8, 13, 21].reduce((stages, n) => withStage(stages, looks(n)), [] as readonly Signature[])
  it('are few: how it looked first, on the way, and last', () => {
    expect(lived.length).toBeLessThanOrEqual(4)
    expect([lived[0], lived.at(-1)]).toEqual([looks(1), looks(21)])
    expect(withStage(withStage([], looks(3)), looks(3, 'disk'))).toEqual([looks(3), looks(3, 'disk')])
  })
  it('a known fix is found when an incident like it opens, and while it grows', () => {
    const rich = { fix: fix('1', 'resize', true, {}).fix, stages: lived }
    for (const n of [1, 3, 8, 21]) expect(suggestFixes(looks(n), [rich])[0]).toMatchObject({ command: 'resize', tried: 1 })
    // Held against its end alone it would not be.
    expect(likeness(looks(1), looks(21))).toBeLessThan(0.4)
    expect(suggestFixes(looks(1, 'network'), [rich])).toEqual([])
  })
})
