/** Pulumi: `pulumi preview --refresh --json` and `pulumi refresh --json` tell of drift in steps; a state is `pulumi stack export`. */
import { compare, isObject, type Json, type JsonObject } from '../noise/same-value.ts'
import { changeOf, type DriftFinding, type DriftReading } from './finding.ts'

export const isPulumi = (d: JsonObject): boolean =>
  Array.isArray(d.steps) || (isObject(d.deployment) && Array.isArray(d.deployment.resources))

export function readPulumi(d: JsonObject): DriftReading {
  if (isObject(d.deployment)) {
    const list = Array.isArray(d.deployment.resources) ? d.deployment.resources.filter(isObject) : []
    return {
      format: 'pulumi',
      findings: [],
      noise: [],
      resources: list.filter(r => r.custom === true && !String(r.type).startsWith('pulumi:') && r.delete !== true).length,
    }
  }
  const noise: { address: string; path: string; why: string }[] = []
  const findings = (Array.isArray(d.steps) ? d.steps.filter(isObject) : []).flatMap((s): DriftFinding[] => {
    if (s.op !== 'refresh') return []
    const address = String(s.urn ?? '')
    const [before, after] = [stateOf(s.oldState), stateOf(s.newState)]
    const said = { address, type: address.split('::').at(-2) ?? '', ...(typeof before?.id === 'string' ? { id: before.id } : {}) }
    if (before && !after) return [{ ...said, attributes: ['(resource)'], changes: [{ path: '(resource)' }] }]
    const changes = compare(before?.outputs ?? {}, after?.outputs ?? {}, { skip: () => false, filledIn: () => false }).map(c => {
      const secret = [c.declared, c.live].some(v => isObject(v) && '4dabf18193072939515e22adb298388d' in v)
      return changeOf(c.path.filter(p => p !== '*').join('.'), c.declared, c.live, secret)
    })
    return changes.length > 0 ? [{ ...said, attributes: [...new Set(changes.map(c => c.path.split('.')[0]))], changes }] : []
  })
  return { format: 'pulumi', findings, noise }
}
const stateOf = (v: Json | undefined): JsonObject | undefined => (isObject(v) ? v : undefined)
