/** Why a trained policy decided as it did, computed again from the situation that was written down with the decision. */
import type { Decision, Policy } from '@aegis/domain'
import { LearnedPolicy, OPTIONS } from '@aegis/remediation'

const FEATURES = 8

/** Values of all that was weighed, the features that moved the choice, and the runner-up, as lines. */
export function explainDecision(decision: Decision, policy: Policy): string[] {
  const { candidates, situation, action, target } = decision
  const head = `${decision.mode} ${action} ${target} by ${decision.policy} ${decision.policy_version}, decision ${decision.decision}`
  const weighed = [...candidates]
    .sort((a, b) => b.value - a.value)
    .map(
      c =>
        `  ${`${c.action} ${c.target}`.padEnd(44)} value ${c.value.toFixed(2).padStart(7)}  chosen with ${percent(c.probability)}`,
    )
  const lines = [head, '', 'Weighed', ...weighed, '', decision.explanation]
  if (!(policy instanceof LearnedPolicy)) return [...lines, 'a table decided: no features were weighed']
  const first = candidates.find(c => c.action === 'page')?.target
  const options = OPTIONS.map(o => {
    const found = candidates.find(c => c.action === o.action && (c.target === first) === (o.suspect === 0))
    return { action: o.action, target: found?.target ?? '', allowed: found !== undefined }
  })
  const { influences, runnerUp, lead } = policy.explain({ features: Float32Array.from(situation), options }, FEATURES)
  return [
    ...lines,
    '',
    `Features that moved it${runnerUp ? `, by how much of its lead of ${lead.toFixed(2)} over ${runnerUp} would be lost at their usual value` : ''}`,
    ...influences.map(
      i =>
        `  ${i.feature.padEnd(60)} ${i.value.toFixed(2)} (usually ${i.usual.toFixed(2)})  ${i.influence > 0 ? '+' : ''}${i.influence.toFixed(2)}`,
    ),
  ]
}
const percent = (share: number): string => `${Math.round(100 * share)} %`
