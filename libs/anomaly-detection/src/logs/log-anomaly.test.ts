import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineAnomalyDetector, type Session, SessionAnomalyDetector } from './log-anomaly.ts'

const second = 1_000_000
const session = (events: string, gaps: readonly number[] = []): Session => {
  const list = events.split(' ')
  let now = 0
  return { events: list, timesUs: list.map((_, i) => (now += (gaps[i] ?? 1) * second)), watchedUntilUs: 100_000 * second }
}

const ordinary = (count: number) => Array.from({ length: count }, () => session('open write close delete', [1, 1, 1, 500]))

describe('sessions', () => {
  it('flags what is rare and what is missing, and says why', () => {
    const detector = new SessionAnomalyDetector()
    detector.fit(ordinary(200))
    expect(detector.score(session('open write close delete'))).toMatchObject({ alert: false, reasons: [] })
    expect(detector.score(session('open write explode close delete'))).toMatchObject({
      alert: true,
      reasons: ['has explode', 'write then explode'],
    })
    expect(detector.score(session('open write delete')).reasons).toContain('lacks close')
  })

  it('does not miss what is not yet due', () => {
    const detector = new SessionAnomalyDetector()
    detector.fit(ordinary(200))
    const young = { ...session('open write close'), watchedUntilUs: 120 * second }
    expect(detector.score(young).alert).toBe(false)
    expect(detector.score({ ...young, watchedUntilUs: 5000 * second }).alert).toBe(true)
  })

  it('learns robustly from a part that holds a few anomalies', () => {
    const detector = new SessionAnomalyDetector()
    detector.fit([...ordinary(200), session('open'), session('open write explode close delete')])
    expect(detector.score(session('open')).alert).toBe(true)
    expect(detector.score(session('open write explode close delete')).alert).toBe(true)
  })

  it('takes what keeps coming for the new normal', () => {
    const detector = new SessionAnomalyDetector()
    detector.fit(ordinary(200))
    let alerts = 0
    for (let i = 0; i < 400; i++) if (detector.observe(session('open write sync close delete')).alert) alerts++
    expect(alerts).toBeGreaterThan(0)
    expect(detector.score(session('open write sync close delete')).alert).toBe(false)
  })

  it('goes on from a snapshot', () => {
    const step = fc.constantFrom('a b c', 'a c', 'a b b c', 'z')
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.array(step, { maxLength: 30 }), (before, after) => {
        const one = new SessionAnomalyDetector()
        one.fit(before.map(events => session(events)))
        const two = new SessionAnomalyDetector()
        two.restore(one.snapshot())
        for (const events of after) expect(two.observe(session(events))).toEqual(one.observe(session(events)))
      }),
      { seed: 3, numRuns: 60 },
    )
  })
})

describe('lines', () => {
  const line = (templateId: string) => ({ templateId, severity: 'ERROR', severityGuessed: true }) as const
  const trained = () => {
    const detector = new LineAnomalyDetector()
    for (let i = 0; i < 8000; i++) {
      // as many lines of each: one now and then, one in two bursts
      const templateId = i % 100 === 0 ? 'steady' : i % 4000 < 40 ? 'bursts' : 'everyday'
      detector.learn({ templateId }, true)
    }
    return detector
  }

  it('count less where they are everywhere, however bad they sound', () => {
    const detector = trained()
    expect(detector.score(line('bursts')).score).toBeGreaterThan(detector.score(line('steady')).score + 0.3)
  })

  it('keep their past when their template is widened', () => {
    const detector = trained()
    const { score } = detector.score(line('steady'))
    expect(detector.score(line('wider')).reasons).toContain('template not seen in training')
    detector.rename('steady', 'wider')
    expect(detector.score(line('wider')).score).toBeCloseTo(score)
    expect(detector.score(line('steady')).reasons).toContain('template not seen in training')
    // what both were seen in is not in more stretches than there are
    detector.rename('wider', 'everyday')
    expect(detector.score(line('everyday')).score).toBeLessThan(score)
  })
})
