import { type Control, type ControlWanted, controls, controlsWanted } from '@aegis/domain'
import { boundsContract, stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage } from '@aegis/runtime/testing'
import { expect, test } from 'vitest'
import { SetControls } from './set-controls.ts'

const wish = (id: number, environment: string, change: object, seen = 0): ControlWanted => ({
  id: String(id),
  environment,
  time: id,
  change: JSON.stringify(change),
  seen,
  only_if_seen: false,
  who: 'ada',
})

stageContract(
  'SetControls',
  () => new SetControls(),
  Array.from({ length: 40 }, (_, i) =>
    received(
      controlsWanted,
      wish(i, `e${i % 3}`, [{ kill_switch: true }, { kill_switch: false }, { default_mode: 'act' }][i % 3], i % 5),
      i,
    ),
  ),
)
boundsContract(
  'SetControls',
  () => new SetControls(),
  round =>
    Array.from({ length: 60 }, (_, i) =>
      received(controlsWanted, wish(i, `e${round}-${i}`, { kill_switch: true }), round * 60 + i),
    ),
  40,
)

test('goes on from what was in force before there was this stage', async () => {
  const before = { environment: 'prod', version: 7, kill_switch: true, default_mode: 'act', ladder: {} } as unknown as Control
  const { of } = await runStage(new SetControls(() => before), [
    [received(controlsWanted, wish(1, 'prod', { ladder: { restart: 'act' } }))],
  ])
  expect(of(controls)).toMatchObject([{ version: 8, kill_switch: true, default_mode: 'act', wanted: '1' }])
})
