import type { Action, ModelVersion } from '@aegis/domain'
import { POLICY_MODEL } from '@aegis/model-registry'
import { describe, expect, it } from 'vitest'
import { ModelsExecutor } from './models.ts'

const version = (name: string, id = POLICY_MODEL): ModelVersion => ({
  id,
  environment: '*',
  time: 1,
  version: name,
  state: 'active',
  weights: new Uint8Array([1]),
})
const on = (...all: ModelVersion[]) => ({
  all,
  models: new ModelsExecutor({ versions: () => all, publish: async v => void all.push(v), now: () => 9 }),
})
const rollback = (over: Partial<Action> = {}): Action => ({
  action: 'rollback_deploy',
  target: `model:${POLICY_MODEL}`,
  environment: 'shop',
  parameters: {},
  ...over,
})

describe('models', () => {
  it('go back one version, once for each decision, and forth again', async () => {
    const { all, models } = on(version('1'), version('2'))
    expect(await models.find(rollback(), 'd1')).toBe('not-done')
    const receipt = await models.execute(rollback(), 'd1')
    expect(receipt.text).toBe('remediation-policy: version 1 is held in place of 2')
    expect(all.at(-1)).toMatchObject({ version: '1', state: 'held', time: 9, lineage: { decision: 'd1', took_over_from: '2' } })
    expect(await models.execute(rollback(), 'd1')).toMatchObject({ text: receipt.text })
    expect(await models.find(rollback(), 'd1')).toMatchObject({ text: receipt.text })
    expect(all).toHaveLength(3)
    await models.execute(receipt.undo as Action, 'd1-undo')
    expect(all.at(-1)).toMatchObject({ version: '2', state: 'held' })
  })
  it('fall back to the rule table where nothing learned is before them', async () => {
    const { all, models } = on(version('1'))
    await models.execute(rollback(), 'd1')
    expect(all.at(-1)).toMatchObject({ version: 'rules', state: 'held' })
  })
  it('are left alone where they cannot go back, or where it is asked for something else', async () => {
    const { models } = on(version('1', 'ensemble/shop/service:a'))
    await expect(models.execute(rollback({ target: 'model:ensemble/shop/service:a' }), 'd')).rejects.toThrow(
      'has no version before 1',
    )
    await expect(models.execute(rollback({ target: 'model:root-cause' }), 'd')).rejects.toThrow('no model is called root-cause')
    await expect(models.execute(rollback({ action: 'restart' }), 'd')).rejects.toThrow('a model is rolled back')
  })
})
