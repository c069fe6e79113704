import type { Incident } from '@aegis/domain'
import { IncidentSim } from '@aegis/lab/remediation/incident-sim'
import { LearnedPolicy, LoadedModel, RulesPolicy } from '@aegis/remediation'
import { shippedIncidentModel } from '@aegis/remediation/shipped-model'
import { makeDecision } from '@aegis/remediator/make-decision'
import { expect, test } from 'vitest'
import { explainDecision } from './explain-decision.ts'

const facts = {
  environment: 'e',
  killSwitch: false,
  ladder: {},
  defaultMode: 'act' as const,
  allow: [],
  deny: [],
  protectedEntities: [],
  maintenance: [],
  recent: [],
  limits: {
    disruptivePerHour: 9,
    concurrent: 9,
    cooldownMs: 0,
    minimumConfidence: 0.2,
    minimumEvidence: 0,
    errorBudgetFloor: 0,
  },
}
const grounds = { attempt: 0, tried: [], now: 0, facts }
const incident = (): Incident => {
  const sim = new IncidentSim()
  for (let seed = 0; ; seed++) {
    sim.reset(seed)
    if ((sim.incident.causes[1]?.confidence ?? 0) > 0.25) return sim.incident
  }
}

test('a decision is explained by its values, its features and its runner-up', () => {
  const policy = new LearnedPolicy(new LoadedModel(shippedIncidentModel()))
  const decision = makeDecision(policy, incident(), grounds)
  const lines = explainDecision(decision, policy)
  expect(lines[0]).toContain(`${decision.action} ${decision.target} by incident-ppo`)
  const weighed = lines.slice(lines.indexOf('Weighed') + 1, lines.indexOf('', 2))
  // Both suspects were open, so all fifteen options stand there, the chosen one first.
  expect(weighed).toHaveLength(15)
  expect(weighed[0]).toMatch(new RegExp(`^  ${decision.action} ${decision.target} .*chosen with 100 %$`))
  expect(lines.filter(l => /\(usually \d\.\d\d\) {2}[+-]?\d/.test(l))).toHaveLength(8)
  expect(lines.join(' ')).toContain('the trained policy prefers')
})
test('a table has nothing to say of features', () => {
  const decision = makeDecision(new RulesPolicy(), incident(), grounds)
  expect(explainDecision(decision, new RulesPolicy()).at(-1)).toMatch(/a table decided/)
})
