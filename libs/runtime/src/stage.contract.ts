import { type Emit, type Input, isStateful, type Result, type Stage, type Stateful } from '@aegis/domain'
import fc from 'fast-check'
import { expect, it } from 'vitest'

const values = (results: readonly Result[]): unknown[] =>
  results.map(r => (r.kind === 'emit' ? [(r as Emit).stream.name, r.value] : ['reject', r.input.offset, r.reason]))

/**
 * What every stage must keep to: any split of the input into batches gives the same state and outputs, and so does a restart from a snapshot
 * at any place between.
 */
export const stageContract = (name: string, create: () => Stage, inputs: readonly Input[]): void => {
  const signal = new AbortController().signal
  const whole = async () => {
    const stage = create()
    const out = values(await stage.process(inputs, signal))
    return { out, state: isStateful(stage) ? Buffer.from(stage.snapshot()).toString() : '' }
  }
  it(`${name}: any split into batches gives the same state and outputs`, async () => {
    const expected = await whole()
    expect(expected.out.length).toBeGreaterThan(0)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 }), async sizes => {
        const stage = create()
        const out: unknown[] = []
        for (let at = 0, i = 0; at < inputs.length; i++) {
          const size = sizes[i % sizes.length]
          out.push(...values(await stage.process(inputs.slice(at, at + size), signal)))
          at += size
        }
        expect(out).toEqual(expected.out)
        if (isStateful(stage)) expect(Buffer.from(stage.snapshot()).toString()).toBe(expected.state)
      }),
      { numRuns: 12, seed: 7 },
    )
  })
  it(`${name}: a restart from a snapshot changes nothing`, async () => {
    const expected = await whole()
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: inputs.length }), async cut => {
        const before = create()
        const out = values(await before.process(inputs.slice(0, cut), signal))
        const after = create()
        if (isStateful(before) && isStateful(after)) after.restore(before.snapshot(), before.snapshotVersion)
        out.push(...values(await after.process(inputs.slice(cut), signal)))
        expect(out).toEqual(expected.out)
      }),
      { numRuns: 12, seed: 7 },
    )
  })
}

/** What a stage keeps may still grow by this once it is full: longer numbers, another mix of sizes. */
const FULL = 1.1
/** Rounds between two looks: what is forgotten all at once goes up and down. */
const LOOK = 20

/**
 * What a stage keeps has an end, whatever comes. `news` gives the inputs of a round, in which time passes and everything is new: entities, templates,
 * traces, incidents. After `rounds` of them its snapshot must be full, which the same number of rounds once more shows.
 */
export const boundsContract = (
  name: string,
  create: () => Stage & Stateful,
  news: (round: number) => readonly Input[],
  rounds: number,
): void => {
  it(`${name}: what is kept has an end`, async () => {
    const stage = create()
    const most = async (from: number, to: number) => {
      let size = 0
      for (let round = from; round < to; round++) {
        const results = await stage.process(news(round), new AbortController().signal)
        stage.committed?.(results)
        if (round % LOOK === 0 || round === to - 1) size = Math.max(size, stage.snapshot().length)
      }
      return size
    }
    const small = await most(0, 1)
    const full = await most(1, rounds)
    expect(full).toBeGreaterThan(2 * small)
    expect(await most(rounds, 2 * rounds)).toBeLessThan(FULL * full)
  })
}
