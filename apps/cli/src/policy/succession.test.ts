import { type ModelVersion, seededRandom } from '@aegis/domain'
import { IncidentSim } from '@aegis/lab/remediation/incident-sim'
import { situationOf } from '@aegis/lab/remediation/play-incidents'
import { CANDIDATE_MODEL, POLICY_MODEL } from '@aegis/model-registry'
import { LoadedModel } from '@aegis/remediation'
import { shippedIncidentModel } from '@aegis/remediation/shipped-model'
import { policyOf } from '@aegis/remediator/policies'
import { describe, expect, it } from 'vitest'
import { inShadow, promote, rollback } from './succession.ts'

/** First decisions of a policy that picks any option; those the model agrees with are rewarded by `agreed`. */
const log = (count: number, agreed: number): string[] => {
  const model = new LoadedModel(shippedIncidentModel())
  const sim = new IncidentSim()
  const random = seededRandom(1)
  return Array.from({ length: count }, (_, seed) => {
    sim.reset(seed)
    const { features, options } = situationOf(sim)
    const open = options.filter(o => o.allowed)
    const { action, target } = open[Math.floor(random() * open.length)]
    const best =
      options[
        model.consider(
          features,
          options.map(o => o.allowed),
        )
      ]
    const same = best.action === action && best.target === target
    const candidates = open.map(o => ({ action: o.action, target: o.target, probability: 1 / open.length }))
    return JSON.stringify({ situation: [...features], action, target, candidates, reward: same ? agreed : random() * 0.1 })
  })
}
const NOW = 1_700_000_000_000_000

describe('succession', () => {
  const model = shippedIncidentModel()
  it('promotes what the log speaks for, with its weights and lineage, and goes back', () => {
    const { judgement, publish } = promote([], model, log(4000, 1), NOW)
    expect(judgement.verdict).toBe('promote')
    const [taken, candidate] = publish
    expect(taken).toMatchObject({ id: POLICY_MODEL, state: 'active', version: model.version })
    expect(taken.lineage).toMatchObject({ command: model.lineage.command, took_over_from: 'what AEGIS_POLICY says' })
    expect(policyOf(taken, 0)).toMatchObject({ name: model.name, version: model.version })
    expect(candidate).toMatchObject({ id: CANDIDATE_MODEL, state: 'retired' })
    const back = rollback([taken], 'unsafe act', NOW + 1)
    expect(back).toMatchObject({ id: POLICY_MODEL, version: 'rules', state: 'held', lineage: { reason: 'unsafe act' } })
    expect(policyOf(back, 0).name).toBe('rules')
    expect(() => rollback([taken, back], 'again', NOW + 2)).toThrow(/rule table is in charge/)
    expect(() => rollback([], 'never', NOW)).toThrow(/no policy was promoted/)
    // Going forward again: the version is still there.
    expect(rollback([taken, back], 'it was not it', NOW + 2, model.version).weights).toEqual(taken.weights)
    expect(() => rollback([taken], 'x', NOW, '9')).toThrow(/no version 9 to go back to; there are rules/)
    expect(() => promote([taken], model, log(1, 1), NOW)).toThrow(/is in charge already/)
  }, 20_000)
  it('goes back two versions when asked twice', () => {
    const taken = { ...inShadow(model, NOW), id: POLICY_MODEL, state: 'active' }
    const newer: ModelVersion = { ...taken, version: 'newer' }
    const once = rollback([taken, newer], 'worse', NOW)
    expect(once.version).toBe(model.version)
    expect(rollback([taken, newer, once], 'worse still', NOW).version).toBe('rules')
  })
  it('leaves the candidate in shadow when the log is too small or speaks against it', () => {
    for (const [lines, verdict] of [
      [log(300, 1), 'refuse'],
      [log(4000, -1), 'keep'],
    ] as const) {
      const { judgement, publish } = promote([], model, lines, NOW)
      expect(judgement.verdict).toBe(verdict)
      expect(publish.map(m => [m.id, m.state])).toEqual([[CANDIDATE_MODEL, 'candidate']])
    }
  }, 20_000)
  it('says what is wrong with a log or a model', () => {
    expect(() => promote([], model, ['{}'], NOW)).toThrow(/line 1 of the log needs situation \(128 numbers\)/)
    expect(() => promote([], model, [], NOW)).toThrow(/holds no decisions/)
    expect(() => inShadow({ ...model, encoding: 'remsim' }, NOW)).toThrow(/aegis policy train --simulator incidents/)
  })
})
