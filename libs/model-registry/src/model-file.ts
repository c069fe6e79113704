/** A version of a model as one file: JSON, with its bytes in base64 and a digest that is held against them. */
import { AegisError, type ModelVersion } from '@aegis/domain'
import { inflate, MOST_BYTES, notFinite, objectionToModel, sealed } from './check-model.ts'
import { isModelState } from './states.ts'

interface ModelFile extends Omit<ModelVersion, 'weights'> {
  readonly kind: 'aegis-model'
  readonly weights: string | null
}

export const writeModelFile = (model: ModelVersion): string => {
  const { weights, ...rest } = sealed(model)
  const file: ModelFile = { kind: 'aegis-model', ...rest, weights: weights ? Buffer.from(weights).toString('base64') : null }
  return `${JSON.stringify(file, null, 2)}\n`
}

/** Whether this parsed JSON is such a file. */
export const isModelFile = (value: unknown): value is ModelFile => (value as Partial<ModelFile> | null)?.kind === 'aegis-model'

/** @throws INPUT_INVALID saying what is wrong with it */
export function readModelFile(file: ModelFile, what: string): ModelVersion {
  const invalid = (why: string) => new AegisError('INPUT_INVALID', `${what}: ${why}`)
  const { kind: _, weights, ...rest } = file
  for (const name of ['id', 'environment', 'version', 'state'] as const)
    if (typeof rest[name] !== 'string' || rest[name] === '') throw invalid(`${name} is missing`)
  if (!isModelState(rest.state)) throw invalid(`there is no state ${rest.state}`)
  if (typeof weights === 'string' && weights.length > 2 * MOST_BYTES) throw invalid(`it is larger than ${MOST_BYTES} bytes`)
  const at = notFinite(rest.metrics ?? {})
  if (at !== undefined) throw invalid(`its figure ${at} is no number`)
  const model: ModelVersion = { ...rest, weights: typeof weights === 'string' ? Buffer.from(weights, 'base64') : null }
  const objection = objectionToModel(model) ?? objectionToNumbers(model, what)
  if (objection !== undefined) throw invalid(objection)
  return sealed(model)
}

/** Weights are JSON, or gzip of it: every number in them must be one. Other bytes are their reader's to judge. */
export function objectionToNumbers({ weights }: ModelVersion, what: string): string | undefined {
  if (!weights) return undefined
  const text = weights[0] === 0x1f && weights[1] === 0x8b ? inflate(weights, what) : Buffer.from(weights)
  let value: unknown
  try {
    value = JSON.parse(text.toString())
  } catch {
    return undefined
  }
  const at = notFinite(value)
  return at === undefined ? undefined : `its weights hold something that is no number, at ${at}`
}
