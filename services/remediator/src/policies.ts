import type { Policy } from '@aegis/domain'
import { LearnedPolicy, LoadedModel, RulesPolicy } from '@aegis/remediation'

/** The policies that can be asked for; the learned one's weights are loaded only then. */
export const policyNamed = async (name: 'rules' | 'learned', exploration: number): Promise<Policy> => {
  if (name === 'rules') return new RulesPolicy()
  const { shippedIncidentModel } = await import('@aegis/remediation/shipped-model')
  return new LearnedPolicy(new LoadedModel(shippedIncidentModel()), { exploration })
}
