/** An incident as numbers, the same in training and serving. Features have names; the vector is padded to 128. */
import type { Incident } from '@aegis/domain'

export const FAULT_KINDS = [
  'crash',
  'memory',
  'cpu',
  'deploy',
  'config',
  'pool',
  'latency',
  'disk',
  'network',
  'error',
  'unknown',
] as const
const SEVERITY: Readonly<Record<string, number>> = { low: 0.25, medium: 0.5, high: 0.75, critical: 1 }
export const FEATURES = 128

export const encodeSituation = (incident: Incident, tried: readonly string[]): Float32Array => {
  const features = new Float32Array(FEATURES)
  let at = 0
  const put = (value: number) => {
    features[at++] = value
  }
  for (let rank = 0; rank < 3; rank++) {
    const cause = incident.causes[rank]
    put(cause?.confidence ?? 0)
    put(Math.min(1, (cause?.evidence.length ?? 0) / 10))
    put(Math.min(1, (cause?.path.length ?? 0) / 5))
    for (const kind of FAULT_KINDS) put(cause?.fault_kind === kind ? 1 : 0)
  }
  put(SEVERITY[incident.severity] ?? 0)
  put(Math.min(1, incident.entities.length / 10))
  put(Math.min(1, incident.anomalies.length / 20))
  put(Math.min(1, (incident.time - incident.started) / 600e6))
  put(Math.min(1, tried.length / 4))
  put(incident.health.length > 0 ? Math.min(...incident.health.map(h => h.score)) : 1)
  return features
}
