import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '@aegis/domain'
import { LoadedModel } from '@aegis/remediation'
import { shippedIncidentModel } from '@aegis/remediation/shipped-model'
import { INCIDENT_ACTIONS, IncidentSim } from '@aegis/remediation/sim/incident-sim'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { promote, readSuccession, rollback } from './succession.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aegis-succession-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** First decisions of a policy that picks any action; those the model agrees with are rewarded by `agreed`. */
const log = async (count: number, agreed: number): Promise<string> => {
  const model = new LoadedModel(shippedIncidentModel())
  const sim = new IncidentSim()
  const random = seededRandom(1)
  const lines = Array.from({ length: count }, (_, seed) => {
    sim.reset(seed)
    const situation = new Float32Array(128)
    sim.observe(situation, 0)
    const action = INCIDENT_ACTIONS[Math.floor(random() * INCIDENT_ACTIONS.length)]
    const same =
      INCIDENT_ACTIONS[
        model.consider(
          situation,
          INCIDENT_ACTIONS.map(() => true),
        )
      ] === action
    const candidates = INCIDENT_ACTIONS.map(a => ({ action: a, probability: 1 / INCIDENT_ACTIONS.length }))
    return JSON.stringify({ situation: [...situation], action, candidates, reward: same ? agreed : random() * 0.1 })
  })
  const file = join(folder, 'log.jsonl')
  await writeFile(file, lines.join('\n'))
  return file
}

describe('succession', () => {
  it('promotes what the log speaks for, and goes back', async () => {
    const { judgement, succession } = await promote(folder, shippedIncidentModel(), await log(3000, 1))
    expect(judgement.verdict).toBe('promote')
    expect(succession.present).toMatch(/^incident-ppo@/)
    expect(await readSuccession(folder)).toEqual(succession)
    expect((await rollback(folder, 'unsafe act')).present).toBe('rules')
    await expect(rollback(folder, 'again')).rejects.toThrow(/no predecessor/)
  })
  it('leaves the candidate in shadow when the log is too small or speaks against it', async () => {
    const small = await promote(folder, shippedIncidentModel(), await log(300, 1))
    expect(small).toMatchObject({ judgement: { verdict: 'refuse' }, succession: { present: 'rules' } })
    const worse = await promote(folder, shippedIncidentModel(), await log(3000, -1))
    expect(worse).toMatchObject({ judgement: { verdict: 'keep' }, succession: { present: 'rules' } })
  })
  it('says what is wrong with a log', async () => {
    const file = join(folder, 'bad.jsonl')
    await writeFile(file, '{}')
    await expect(promote(folder, shippedIncidentModel(), file)).rejects.toThrow(
      /line 1 of the log needs situation \(128 numbers\)/,
    )
    await writeFile(file, '')
    await expect(promote(folder, shippedIncidentModel(), file)).rejects.toThrow(/holds no decisions/)
  })
})
