/** What failed, by rules anybody can read: what the lines say, and which numbers are bad by themselves. Stands in for the model, and beside it. */
import type { FailureWindow } from './failure-features.ts'
import { FAILURE_NAMES, type FailureName } from './failure-types.ts'

export interface FailureGuess {
  readonly type: FailureName
  /** 0 to 1. */
  readonly probability: number
}

/** Words that several types share count for the more telling one: a connection that timed out is no other timeout. */
const WINS: readonly (readonly [winner: FailureName, over: FailureName])[] = [
  ['connection_timeout', 'timeout'],
  ['storage_issues', 'resource_exhaustion'],
  ['external_service_failures', 'service_unavailability'],
  ['external_service_failures', 'timeout'],
  ['timing_dependencies', 'timeout'],
  ['test_environment_issues', 'service_down'],
  ['certificate_expiration', 'network_connectivity'],
  ['compliance_violations', 'access_control_failures'],
  ['dependency_conflicts', 'runtime_exceptions'],
  ['memory_leaks', 'memory_leak'],
  ['service_unavailability', 'service_down'],
  ['configuration_errors', 'runtime_exceptions'],
]

/** Every type with something for it, the likeliest first; none where nothing failed. */
export const guessFailure = (window: FailureWindow): readonly FailureGuess[] => {
  const weight = new Map<FailureName, number>()
  const add = (name: FailureName, w: number) => {
    if (w > 0) weight.set(name, (weight.get(name) ?? 0) + w)
  }
  for (const [name, n] of window.says) add(name, n / (n + 1.5))
  for (const [winner, over] of WINS) {
    const [a, b] = [window.says.get(winner) ?? 0, window.says.get(over) ?? 0]
    if (a > 0 && b > 0 && a >= b * 0.5) weight.set(over, (weight.get(over) ?? 0) * 0.4)
  }
  const level = (m: 'cpu' | 'memory' | 'disk' | 'latency' | 'errors' | 'availability') => window.levels.get(m)?.level ?? 0
  if (level('cpu') >= 0.75) add('resource_exhaustion', level('cpu') * 0.8)
  if (level('memory') >= 0.75) add('resource_exhaustion', level('memory') * 0.8)
  if (level('disk') >= 0.75) add('storage_issues', level('disk') * 0.9)
  if (level('latency') >= 0.35) add('high_latency', 0.4 + level('latency') * 0.6)
  if (level('availability') >= 0.5) add('service_down', 0.9)
  if (level('errors') >= 0.4) add('service_unavailability', 0.25 + level('errors') * 0.3)
  // Memory that rises at nearly every step and stays up.
  const rise = window.levels.get('memory')?.rise ?? 0
  if (window.steadyRise >= 0.6 && rise >= 0.15) add('memory_leak', 0.6 + Math.min(0.4, rise / 2))
  // Errors whose words nobody knows are exceptions of the program until somebody says better.
  if (window.errors >= 3 && weight.size === 0) add('runtime_exceptions', 0.3 + 0.2 * (window.errors / (window.errors + 10)))
  const found = FAILURE_NAMES.filter(name => (weight.get(name) ?? 0) > 0)
  const sum = found.reduce((total, name) => total + (weight.get(name) as number), 0)
  return found
    .map(type => {
      const w = weight.get(type) as number
      return { type, probability: Math.min(0.97, (1 - Math.exp(-1.6 * w)) * (0.5 + (0.5 * w) / sum)) }
    })
    .sort((a, b) => b.probability - a.probability)
}
