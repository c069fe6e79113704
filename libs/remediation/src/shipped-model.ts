/** The policy that ships with the product. Made by the command in its lineage, from simulated episodes only. */
import shipped from '../models/remsim-ppo.json' with { type: 'json' }
import type { PpoModel } from './ppo-model.ts'

export const shippedModel = (): PpoModel => shipped as PpoModel
