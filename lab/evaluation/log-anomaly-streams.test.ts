import { describe, expect, it } from 'vitest'
import { evaluateLines, evaluateSessionLog } from './log-anomaly-streams.ts'

describe('evaluation', () => {
  it('finds the lines of a unit by its id and gives each unit one score', async () => {
    const at = (second: number) => `2026-01-01 ${new Date(second * 1000).toISOString().slice(11, 19)}`
    const lines = Array.from({ length: 700 }, (_, i) => [
      `${at(2 * i)} INFO a.B: opened job_${i}_x for 10.0.0.1`,
      `${at(2 * i + 1)} INFO a.B: closed job_${i}_x`,
    ]).flat()
    lines.push(`${at(1400)} ERROR a.B: could not write job_607_x to disk`)
    const units = Array.from({ length: 700 }, (_, i) => `job_${i}_x`)
    const scored = await evaluateSessionLog(lines, new Set(units))
    expect(scored.map(({ unit }) => unit).sort()).toEqual([...units].sort())
    expect(scored.filter(({ alert }) => alert).map(({ unit }) => unit)).toEqual(['job_607_x'])
  })

  it.each(['vm/4.a', 'order:17', 'blk_-3'])('finds %s in a line, whatever it is made of', async id => {
    const found = async (line: string) => (await evaluateSessionLog([line], new Set([id]))).length
    expect(await found(`opened ${id}.`)).toBe(1)
    expect(await found(`(${id}) closed`)).toBe(1)
    expect(await found(`opened ${id}5`)).toBe(0)
  })

  it('ranks a new, severe line above the everyday ones', () => {
    const lines = [
      ...Array.from({ length: 200 }, (_, i) => `INFO request ${i} served`),
      'FATAL storage controller lost power',
      'INFO request 201 served',
    ]
    const scored = evaluateLines(lines, unit => Number(unit) <= 100)
    const worst = [...scored].sort((a, b) => b.score - a.score)[0]
    expect(worst).toMatchObject({ unit: '201', alert: true })
  })
})
