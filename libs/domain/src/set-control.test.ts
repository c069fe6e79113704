import fc from 'fast-check'
import { expect, test } from 'vitest'
import { setControl } from './set-control.ts'
import type { Control, ControlWanted } from './words.generated.ts'

const wish = (id: number, change: object, seen: number, only = false): ControlWanted => ({
  id: String(id),
  environment: 'prod',
  time: id,
  change: JSON.stringify(change),
  seen,
  only_if_seen: only,
  who: 'ada',
})

test('whoever wrote them and whatever they had seen, no stop is lost, and none is taken back by who has not seen it', () => {
  const changes = fc.record({
    change: fc.constantFrom<object>(
      { kill_switch: true },
      { kill_switch: false },
      { ladder: { restart: 'act' } },
      { default_mode: 'act' },
    ),
    /** How far behind the writer is. */
    behind: fc.nat(5),
    only: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 60 }), list => {
      let control: Control | undefined
      for (const [i, { change, behind, only }] of list.entries()) {
        const before = control
        const seen = Math.max(0, (before?.version ?? 0) - behind)
        const next = setControl(before, wish(i, change, seen, only))
        control = next ?? before
        if ('kill_switch' in change && change.kill_switch === true) {
          expect(next?.kill_switch).toBe(true)
          expect(next?.stopped_at).toBe(next?.version)
        }
        if (next) expect(next.version).toBe((before?.version ?? 0) + 1)
        // From on to off: only by a wish that says so and has seen the newest stop.
        if (before?.kill_switch && control && !control.kill_switch) {
          expect(change).toEqual({ kill_switch: false })
          expect(seen).toBeGreaterThanOrEqual(before.stopped_at as number)
        }
      }
    }),
  )
})

test('what is not named stays, and nonsense never counts', () => {
  const first = setControl(undefined, wish(1, { kill_switch: true, protected: ['service:pay'] }, 0))
  const second = setControl(first, wish(2, { ladder: { restart: 'approve' } }, 0))
  expect(second).toMatchObject({
    kill_switch: true,
    protected: ['service:pay'],
    ladder: { restart: 'approve' },
    version: 2,
    stopped_at: 1,
  })
  for (const change of ['', 'null', '[', '{"default_mode":"yolo"}', '{"ladder":{"restart":"yolo"}}'])
    expect(setControl(second, { ...wish(3, {}, 2), change })).toBeUndefined()
})
