import type { FailureModel } from '@aegis/inference'

/** The model of failures that ships with the product; undefined: rules decide alone. */
export const shippedFailureModel = (): FailureModel | undefined => undefined
