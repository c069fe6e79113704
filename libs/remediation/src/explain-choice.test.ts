import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SITUATION_FEATURES } from './encode-situation.ts'
import { type ChoiceModel, explainChoice } from './explain-choice.ts'
import { inPlainWords } from './situation-words.ts'

/** Linear, so that every influence is known: weight times distance from the usual. */
const linear = (weights: readonly (readonly number[])[], usual: readonly number[]): ChoiceModel => ({
  preferences: x => weights.map(row => row.reduce((s, w, i) => s + w * x[i], 0)),
  actions: ['restart', 'rollback', 'page'].slice(0, weights.length),
  featureNames: ['memory is full', 'just deployed', 'it is late'],
  usual,
})

describe('explainChoice', () => {
  it('names the choice, the runner-up and what spoke for and against', () => {
    const model = linear(
      [
        [2, -1, 0],
        [0, 3, 0],
        [0, 0, 0.1],
      ],
      [0, 0, 0],
    )
    const e = explainChoice(model, Float32Array.of(2, 0.5, 0), [1, 1, 1])
    expect(e).toMatchObject({ chosen: 'restart', runnerUp: 'rollback' })
    expect(e.lead).toBeCloseTo(2, 6)
    expect(e.influences[0]).toMatchObject({ feature: 'memory is full' })
    expect(e.influences[0].influence).toBeCloseTo(4, 6)
    expect(e.influences[1].influence).toBeCloseTo(-2, 6)
    expect(e.sentence).toBe('restart, because memory is full; although just deployed; next best was rollback, 12 % to 86 %')
  })

  it('says every feature of a situation in plain words', () => {
    for (const feature of SITUATION_FEATURES.filter(name => !name.startsWith('reserved')))
      for (const value of [0, 1]) {
        const said = inPlainWords(feature, value, 0.5)
        expect(said).not.toMatch(/said to have|undefined|: /)
      }
    expect(inPlainWords('the first suspect is said to have: deploy', 1, 0.1)).toBe('the first suspect was just deployed anew')
    expect(inPlainWords('confidence that the first suspect has: crash', 0.87, 0.1)).toBe(
      'it is 87 % sure that the first suspect has crashed',
    )
  })

  it('adds up for linear models: lead = lead as usual + influences', () => {
    const number = fc.double({ min: -3, max: 3, noNaN: true })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(number, number, number), { minLength: 2, maxLength: 3 }),
        fc.tuple(number, number, number),
        (w, x) => {
          const model = linear(w, [0.5, 0.5, 0.5])
          const e = explainChoice(model, Float32Array.from(x), [1, 1, 1])
          const [best, second] = [e.chosen, e.runnerUp].map(a => model.actions.indexOf(a as string))
          const usual = model.preferences(Float32Array.of(0.5, 0.5, 0.5))
          const sum = e.influences.reduce((s, i) => s + i.influence, usual[best] - usual[second])
          expect(sum).toBeCloseTo(e.lead, 3)
          expect(e.values.reduce((s, v) => s + v.probability, 0)).toBeCloseTo(1, 9)
        },
      ),
      { seed: 6, numRuns: 200 },
    )
  })

  it('stands alone when one action is allowed, and wants at least one', () => {
    const model = linear(
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
      [0, 0, 0],
    )
    expect(explainChoice(model, Float32Array.of(1, 1, 1), [0, 1])).toMatchObject({ chosen: 'rollback', runnerUp: undefined })
    expect(() => explainChoice(model, Float32Array.of(1, 1, 1), [0, 0])).toThrow(/no action is allowed/)
  })
})
