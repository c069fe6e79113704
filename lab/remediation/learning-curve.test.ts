import { describe, expect, it } from 'vitest'
import { curveSvg, curveText } from './learning-curve.ts'

const curve = { name: 'seed 1', points: [0, 1, 2, 3].map(i => ({ steps: i * 1000, value: i })) }

describe('learning curve', () => {
  it('rises from the lower left to the upper right', () => {
    const rows = curveText(curve, 10, 4).split('\n')
    expect(rows[0]).toBe('seed 1')
    expect(rows[1]).toBe('     3.00 ┤   █')
    expect(rows[4]).toMatch(/0\.00 ┤▁███$/)
    expect(rows[5]).toMatch(/3,000 steps/)
  })
  it('is a picture with a line a curve, names quoted', () => {
    const svg = curveSvg('a < b', [curve, { ...curve, name: 'seed 2' }], 'return')
    expect(svg.match(/<polyline/g)).toHaveLength(2)
    expect(svg).toContain('a &#60; b')
    expect(svg).not.toContain('NaN')
  })
  it('says so when there is nothing', () => {
    expect(curveText({ name: 'x', points: [] })).toBe('x: nothing yet')
  })
})
