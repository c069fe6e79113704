import { gunzipSync, gzipSync } from 'node:zlib'
import type { ModelVersion, Policy } from '@aegis/domain'
import { RULES_VERSION } from '@aegis/model-registry'
import { LearnedPolicy, LoadedModel, type PpoModel, RulesPolicy } from '@aegis/remediation'

/** The policies that can be asked for; the learned one's weights are loaded only then. */
export const policyNamed = async (name: 'rules' | 'learned', exploration: number): Promise<Policy> => {
  if (name === 'rules') return new RulesPolicy()
  const { shippedIncidentModel } = await import('@aegis/remediation/shipped-model')
  return new LearnedPolicy(new LoadedModel(shippedIncidentModel()), { exploration })
}

/** A model as the bytes of a `ModelVersion`, and back. */
export const packPolicy = (model: PpoModel): Buffer => gzipSync(JSON.stringify(model))
export const unpackPolicy = (weights: Uint8Array): PpoModel => JSON.parse(gunzipSync(weights).toString()) as PpoModel
/** The policy of a version on the models stream. Throws where its weights are missing or cannot be read. */
export function policyOf({ version, weights }: Pick<ModelVersion, 'version' | 'weights'>, exploration: number): Policy {
  if (version === RULES_VERSION) return new RulesPolicy()
  if (!weights) throw new Error(`policy ${version} on the models stream has no weights`)
  return new LearnedPolicy(new LoadedModel(unpackPolicy(weights)), { exploration })
}
