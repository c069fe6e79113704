import shipped from '../models/failure-forest.json' with { type: 'json' }
import { type FailureModel, forestModel, type SavedFailureModel } from './failure-model.ts'

/** The model of failures that ships with the product, made by `node lab/inference/train-failures.ts --write`. */
export const shippedFailureModel = (): FailureModel => forestModel(shipped as SavedFailureModel)
