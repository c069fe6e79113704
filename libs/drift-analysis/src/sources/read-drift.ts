/** A file of any of the tools: what it is is told by what it holds. */
import { AegisError } from '@aegis/domain'
import { isObject, type Json, type JsonObject } from '../noise/same-value.ts'
import { isCloudFormation, readCloudFormation } from './cloudformation.ts'
import { isDeclared, readDeclared } from './declared.ts'
import type { DriftReading } from './finding.ts'
import { isKubernetes, objectsIn, readKubernetes } from './kubernetes.ts'
import { isPulumi, readPulumi } from './pulumi.ts'
import { isPlan, isState, readPlan, readPlanLines, readState } from './terraform.ts'

/** Takes a text apart into documents; JSON, JSON lines; what else there is comes from `parseYaml`. Throws INPUT_INVALID where it is none of them. */
export function documentsOf(text: string, parseYaml: (text: string) => readonly unknown[]): Json[] {
  const plain = text.replace(/^\uFEFF/, '').trim()
  if (plain === '') return []
  try {
    return [JSON.parse(plain) as Json]
  } catch {
    const lines = plain.split(/\r?\n/).filter(l => l.trim() !== '')
    if (lines.length > 1 && lines.every(l => l.trim().startsWith('{') && l.trim().endsWith('}')))
      try {
        return lines.map(l => JSON.parse(l) as Json)
      } catch {
        // No lines of JSON: YAML may begin with a brace as well.
      }
  }
  try {
    return parseYaml(plain).filter(d => d !== null && d !== undefined) as Json[]
  } catch (error) {
    throw new AegisError('INPUT_INVALID', `the file is neither JSON nor YAML: ${(error as Error).message.split('\n')[0]}`)
  }
}

/** `wanted`: documents of the code, for live objects of Kubernetes. */
export function readDrift(documents: readonly Json[], wanted: readonly Json[] = []): DriftReading {
  const [first] = documents
  if (
    documents.length > 1 &&
    documents.every(d => isObject(d) && ('@level' in d || typeof d.type === 'string') && !isKubernetes(d))
  )
    return readPlanLines(documents.filter(isObject))
  if (first !== undefined && isCloudFormation(first)) return readCloudFormation(documents.length === 1 ? first : documents)
  if (isObject(first)) {
    if (isDeclared(first)) return readDeclared(first)
    if (isPlan(first)) return readPlan(first)
    if (isState(first)) return readState(first)
    if (isPulumi(first)) return readPulumi(first)
  }
  if (objectsIn(documents).length > 0 || wanted.length > 0) return readKubernetes(documents, wanted)
  throw new AegisError(
    'INPUT_INVALID',
    'this is no plan (terraform show -json), state, CloudFormation drift, Pulumi preview or state, nor a live object (kubectl get -o yaml)',
  )
}
export type { Json, JsonObject }
