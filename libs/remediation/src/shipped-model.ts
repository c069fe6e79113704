/** The policies that ship with the product, made from simulated episodes only by the commands in their lineage. */
import incidents from '../models/incident-ppo.json' with { type: 'json' }
import shipped from '../models/remsim-ppo.json' with { type: 'json' }
import type { PpoModel } from './ppo-model.ts'

/** For the reference simulator. */
export const shippedModel = (): PpoModel => shipped as PpoModel
/** For incidents of the pipeline; `LearnedPolicy` wraps it. */
export const shippedIncidentModel = (): PpoModel => incidents as PpoModel
