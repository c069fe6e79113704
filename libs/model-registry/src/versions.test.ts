import type { ModelVersion } from '@aegis/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MODEL_STATES, mayBecome } from './states.ts'
import { earlierVersion, inForce, moved, presentVersion } from './versions.ts'

const version = (id: string, name: string, more: Partial<ModelVersion> = {}): ModelVersion => ({
  id,
  environment: '*',
  time: 1,
  version: name,
  state: 'active',
  weights: new Uint8Array([1]),
  ...more,
})
const all = [version('a', '1'), version('a', '2'), version('b', '7'), version('a', '3')]

describe('versions', () => {
  it('the last published is in force', () => {
    expect(inForce(all).map(m => `${m.id} ${m.version}`)).toEqual(['a 3', 'b 7'])
    expect(() => presentVersion(all, 'c')).toThrow('no model is called c')
  })
  it('going back twice goes back further', () => {
    expect(earlierVersion(all, 'a').version).toBe('2')
    const back = [...all, version('a', '2', { state: 'held' })]
    expect(earlierVersion(back, 'a').version).toBe('1')
    expect(earlierVersion(back, 'a', { to: '3' }).version).toBe('3')
    expect(() => earlierVersion(all, 'b')).toThrow('b has no version before 7')
    expect(() => earlierVersion(all, 'a', { to: '9' })).toThrow('a has no version 9 to go back to; there are 1, 2')
  })
  it('what needs no weights stands before the first', () => {
    const floor = version('b', 'rules', { weights: null, state: 'held' })
    expect(earlierVersion(all, 'b', { floor }).version).toBe('rules')
    expect(() => earlierVersion([...all, floor], 'b', { floor, to: '8' })).toThrow('there are 7, rules')
  })
  it('going back never gives what is in force, nor what has no weights', () => {
    const any = fc.array(
      fc.record({ version: fc.constantFrom('1', '2', '3'), weights: fc.constantFrom(null, new Uint8Array([1])) }),
      { minLength: 1 },
    )
    fc.assert(
      fc.property(any, list => {
        const versions = list.map(m => version('a', m.version, m))
        try {
          const found = earlierVersion(versions, 'a')
          expect(found.version).not.toBe(versions.at(-1)?.version)
          expect(found.weights).toBeTruthy()
        } catch (error) {
          expect((error as Error).message).toContain('no version before')
        }
      }),
    )
  })
})

describe('states', () => {
  it('every state leads somewhere, and a candidate is never held', () => {
    for (const from of MODEL_STATES) expect(MODEL_STATES.some(to => to !== from && mayBecome(from, to))).toBe(true)
    expect(mayBecome('candidate', 'held')).toBe(false)
    expect(() => moved(version('a', '1', { state: 'candidate' }), 'held', 2)).toThrow('is candidate and cannot become held')
    expect(moved(version('a', '1'), 'held', 2)).toMatchObject({ state: 'held', time: 2 })
  })
})
