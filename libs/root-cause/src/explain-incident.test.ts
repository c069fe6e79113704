import { seededRandom } from '@aegis/domain'
import { simulateCase } from '@aegis/lab/root-cause/simulate-cases'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explainIncident } from './explain-incident.ts'
import { fuseEvidence } from './fuse-evidence.ts'

describe('explainIncident', () => {
  it('says only what the case holds: every reference leads somewhere', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), seed => {
        const { evidence: c, alert } = simulateCase(seededRandom(seed), { entities: 15 })
        const e = explainIncident(c, fuseEvidence(c, { alert }))
        const edges = new Set(c.edges.map(([from, to]) => `${from} ${to}`))
        for (let i = 1; i < e.path.length; i++) expect(edges.has(`${e.path[i]} ${e.path[i - 1]}`)).toBe(true)
        const lines = new Set([...(c.lines ?? []), ...(c.linesBefore ?? [])].map(l => l.text))
        const operations = new Set([...(c.spans ?? []), ...(c.spansBefore ?? [])].map(s => s.operation))
        const metrics = new Set(c.series.map(s => `${s.entity} ${s.metric}`))
        for (const x of e.evidence) {
          expect(c.entities).toContain(x.entity)
          if (x.source === 'series') expect(metrics.has(`${x.entity} ${x.name}`)).toBe(true)
          if (x.line !== undefined) expect(lines.has(x.line)).toBe(true)
          if (x.source === 'span' && x.name.includes(' → ') && x.name.startsWith('op-'))
            for (const op of x.name.split(' → ')) expect(operations.has(op)).toBe(true)
        }
        for (const r of e.rejected) expect(c.entities).toContain(r.entity)
        expect(e.rejected.length).toBeLessThanOrEqual(2)
        for (const t of e.timeline) expect(c.entities).toContain(t.entity)
        expect(e.text.length).toBeLessThan(700)
      }),
      { numRuns: 25, seed: 7 },
    )
  })
})
