import { ruleClassifier, type SyncClassifier } from './categories.ts'
import { categoryWeights } from './category-weights.ts'
import { firstOf, LEAST_CHANCE, TextModel } from './text-model.ts'

/** What the services use: the rules, and where they are silent the trained model where it is sure enough. */
export const lineClassifier: SyncClassifier = firstOf(ruleClassifier, new TextModel(categoryWeights, LEAST_CHANCE))
