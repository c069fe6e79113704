import type { Cause, Incident } from '@aegis/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeSituation, FEATURES, SITUATION_FEATURES } from './encode-situation.ts'

const cause = (entity: string, fault_kind: string, confidence: number, kinds: readonly string[] = []): Cause => ({
  entity,
  fault_kind,
  confidence,
  score: 1,
  path: [entity, 'frontend'],
  metrics: ['cpu'],
  evidence: kinds.map(kind => ({ kind, entity, text: '', time: 0, stream: '' })),
  against: [],
  explanation: '',
})
const incident = (causes: readonly Cause[], change: Partial<Incident> = {}): Incident => ({
  id: 'i',
  environment: 'e',
  time: 300e6,
  state: 'open',
  revision: 2,
  severity: 'high',
  started: 0,
  entities: ['cart', 'frontend'],
  anomalies: ['a'],
  health: [{ entity: 'cart', score: 0.2 } as Incident['health'][number]],
  verdict: 'cause_named',
  causes,
  timeline: [],
  graph: [],
  explanation: '',
  ...change,
})
const read = (features: Float32Array, name: string): number => {
  const at = SITUATION_FEATURES.indexOf(name)
  if (at < 0) throw new Error(`no feature ${name}`)
  return features[at]
}

describe('encodeSituation', () => {
  it('has 128 features, each with a name of its own', () => {
    expect(SITUATION_FEATURES).toHaveLength(FEATURES)
    expect(new Set(SITUATION_FEATURES).size).toBe(FEATURES)
  })

  it('says what is known of suspects, incident and attempts', () => {
    const f = encodeSituation(incident([cause('cart', 'memory', 0.8, ['metric', 'deploy']), cause('db', 'disk', 0.1)]), [
      { action: 'restart', target: 'cart' },
      { action: 'start', target: 'db' },
      { action: 'restart', target: 'another' },
    ])
    expect(read(f, 'confidence in the first suspect')).toBeCloseTo(0.8)
    expect(read(f, 'the first suspect is said to have: memory')).toBe(1)
    expect(read(f, 'the second suspect is said to have: disk')).toBe(1)
    expect(read(f, 'evidence from changes against the first suspect')).toBeCloseTo(0.2)
    expect(read(f, 'health of the first suspect')).toBeCloseTo(0.2)
    expect(read(f, 'lead of the first suspect over the second')).toBeCloseTo(0.7)
    expect(read(f, 'minutes since it began, of ten')).toBeCloseTo(0.5)
    expect(read(f, 'tried on the first suspect: restart')).toBe(1)
    expect(read(f, 'tried on the second suspect: restart')).toBe(0)
    expect(read(f, 'tried on the second suspect: start')).toBe(1)
    expect(read(f, 'disruptive actions tried')).toBe(0.5)
    expect(read(f, 'confidence that the first suspect has: memory')).toBeCloseTo(0.8)
    // An attempt left a fifth of both: .02 of the .28 that remains.
    expect(read(f, 'confidence that the second suspect has: disk')).toBeCloseTo(0.02 / 0.28)
    expect(read(f, 'confidence in the third suspect')).toBe(0)
  })

  it('takes a kind of fault it does not know as unknown', () => {
    expect(
      read(encodeSituation(incident([cause('cart', 'gremlins', 1)]), []), 'the first suspect is said to have: unknown'),
    ).toBe(1)
  })

  it('stays between 0 and 1, whatever it is handed', () => {
    const text = fc.string({ maxLength: 6 })
    const causes = fc.array(
      fc.record({
        entity: text,
        kind: fc.constantFrom('crash', 'x', 'network'),
        confidence: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(
        causes,
        fc.array(fc.record({ action: fc.constantFrom('restart', 'page', 'other'), target: text }), { maxLength: 9 }),
        fc.nat(1e10),
        (c, tried, time) => {
          const f = encodeSituation(
            incident(
              c.map(x => cause(x.entity, x.kind, x.confidence, ['log', 'trace_gap'])),
              { time },
            ),
            tried,
          )
          expect(f.every(x => x >= 0 && x <= 1)).toBe(true)
        },
      ),
      { seed: 9, numRuns: 200 },
    )
  })
})
