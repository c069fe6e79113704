import { type BuildFailed, ciDiagnoses, ciFailures } from '@aegis/domain'
import { stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage } from '@aegis/runtime/testing'
import { expect, test } from 'vitest'
import { DiagnoseBuilds } from './diagnose-builds.ts'

const failed = (log: string, over: Partial<BuildFailed> = {}): BuildFailed => ({
  id: 'f1',
  environment: 'ci',
  time: 1_700_000_000_000_000,
  provider: 'upload',
  repository: 'shop/cart',
  run: '9',
  job: 'unit',
  log,
  ...over,
})

test('one diagnosis for a failed job: lines, whose, what to do, no secret', async () => {
  const log = ['$ make', "price.c:3:5: error: 'add' undeclared token=abcdef0123456789", 'make: *** [all] Error 1'].join('\n')
  const { of } = await runStage(new DiagnoseBuilds(), [[received(ciFailures, failed(log))]])
  const [d] = of(ciDiagnoses)
  expect(d).toMatchObject({ failure: 'f1', job: 'unit', files: ['price.c'] })
  expect(d?.causes[0]).toMatchObject({ kind: 'compile', type: 'code_defect', whose: 'change', abstain: false })
  expect(d?.causes[0]?.lines[0]).toBe(2)
  expect(JSON.stringify(d)).not.toContain('abcdef0123456789')
})
test('a green log has no cause', async () => {
  const { of } = await runStage(new DiagnoseBuilds(), [[received(ciFailures, failed('[INFO] BUILD SUCCESS'))]])
  expect(of(ciDiagnoses)[0]?.causes).toEqual([])
})

stageContract(
  'diagnose-builds',
  () => new DiagnoseBuilds(),
  ['error: no price', 'E   assert 1 == 2', 'Job succeeded'].map((log, i) =>
    received(ciFailures, failed(log, { id: `f${i}` }), i),
  ),
)
