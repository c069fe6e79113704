/** Answers of CloudFormation's drift detection: describe-stack-resource-drifts, detect-stack-resource-drift. */
import { compare, isObject, type Json, type JsonObject } from '../noise/same-value.ts'
import { changeOf, type DriftFinding, type DriftReading } from './finding.ts'

export const isCloudFormation = (d: Json): boolean =>
  rowsOf(d).length > 0 || (isObject(d) && ('StackResourceDrifts' in d || 'StackResourceDrift' in d || 'StackDriftStatus' in d))

const rowsOf = (d: Json): readonly JsonObject[] => {
  if (Array.isArray(d)) return d.flatMap(rowsOf)
  if (!isObject(d)) return []
  if (Array.isArray(d.StackResourceDrifts)) return d.StackResourceDrifts.filter(isObject)
  if (isObject(d.StackResourceDrift)) return [d.StackResourceDrift]
  return 'LogicalResourceId' in d && ('StackResourceDriftStatus' in d || 'PropertyDifferences' in d) ? [d] : []
}
const parsed = (v: Json | undefined): Json | undefined => {
  if (typeof v !== 'string') return v
  try {
    return JSON.parse(v) as Json
  } catch {
    return v
  }
}

export function readCloudFormation(d: Json): DriftReading {
  const noise: { address: string; path: string; why: string }[] = []
  const findings = rowsOf(d).flatMap((r): DriftFinding[] => {
    const address = String(r.LogicalResourceId)
    const said = {
      address,
      type: String(r.ResourceType ?? ''),
      ...(typeof r.PhysicalResourceId === 'string' ? { id: r.PhysicalResourceId } : {}),
    }
    if (r.StackResourceDriftStatus === 'DELETED')
      return [{ ...said, attributes: ['(resource)'], changes: [{ path: '(resource)' }] }]
    if (r.StackResourceDriftStatus !== 'MODIFIED') return []
    let differences = Array.isArray(r.PropertyDifferences) ? r.PropertyDifferences.filter(isObject) : []
    if (differences.length === 0) {
      const found = compare(parsed(r.ExpectedProperties), parsed(r.ActualProperties), {
        skip: () => false,
        filledIn: () => false,
      })
      differences = found.map(f => ({
        PropertyPath: `/${f.path.filter(p => p !== '*').join('/')}`,
        ExpectedValue: f.declared ?? null,
        ActualValue: f.live ?? null,
      }))
    }
    const changes = differences.flatMap(p => {
      const path = String(p.PropertyPath ?? '')
        .replace(/^\//, '')
        .split('/')
        .map(s => s.replace(/~1/g, '/').replace(/~0/g, '~'))
      const [expected, actual] = [parsed(p.ExpectedValue), parsed(p.ActualValue)].map(v => (v === null ? undefined : v))
      const text = path.filter(s => !/^\d+$/.test(s)).join('.')
      if (compare(expected, actual, { skip: () => false, filledIn: () => false }, path).length === 0) {
        noise.push({ address, path: text, why: 'the same in other words' })
        return []
      }
      return [changeOf(text, expected, actual)]
    })
    return changes.length > 0 ? [{ ...said, attributes: [...new Set(changes.map(c => c.path.split('.')[0]))], changes }] : []
  })
  return { format: 'cloudformation-drift', findings, noise }
}
