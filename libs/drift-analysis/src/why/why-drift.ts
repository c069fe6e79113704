/** Why something drifted, before anyone taught: how much each sign speaks for each cause, in logits. Abstains where no cause stands out. */
import { softmaxOf } from '@aegis/learning/boosting-losses'
import { intentsOf } from '../code/intent.ts'
import type { DriftFinding } from '../sources/finding.ts'
import { CAUSES, type Cause, type CauseReading, readingOf } from './causes.ts'
import type { DriftContext } from './drift-features.ts'

const DAY = 86_400_000
/** A cause that is less likely than this is not named: advice hangs on it. */
const SURE = 0.45
const SIGNS: Readonly<Record<Exclude<Cause, 'none'>, Readonly<Record<string, number>>>> = {
  emergency_fix: {
    incident_window: 1.8,
    incident_ticket_proximity: 1.2,
    monitoring_alert_count: 0.5,
    night: 0.5,
    weekend: 0.4,
    more_capacity: 1.1,
    said_emergency: 1.6,
    by_console: 0.2,
    by_cli: 0.2,
  },
  manual_troubleshooting: {
    drift_count_24h: 0.7,
    debug_setting: 1.6,
    said_trouble: 1.3,
    by_cli: 0.5,
    by_console: 0.4,
    incident_window: 0.2,
  },
  security_response: { security_tightened: 2, said_security: 1.5, by_console: 0.1 },
  configuration_error: {
    security_surface_change: 0.7,
    compliance_relevance: 0.3,
    by_console: 0.4,
    deployment_event_proximity: 0.6,
    said_mistake: 1.4,
    weakened: 0.5,
  },
  automated_response: { by_service: 2.4, said_automated: 1.5, scaled: 0.6, by_script: 0.4, ci_cd_integration: 0.5 },
  intentional_override: {
    said_override: 1.8,
    said_revert: 0.4,
    maintenance_schedule_overlap: 1,
    drift_frequency: 0.3,
    user_behavior_pattern: 0.6,
    switched_off: 0.6,
  },
}

/** What the changed values themselves say. */
export function signsOf(finding: DriftFinding, context: DriftContext): Record<string, number> {
  const words = (context.commits ?? [])
    .filter(c => Math.abs(c.time - context.time) <= DAY)
    .map(c => c.subject)
    .join('\n')
  const said = intentsOf(words)
  const any = (test: (path: string, before: string, after: string) => boolean) =>
    finding.changes.some(c => test(c.path.toLowerCase(), JSON.stringify(c.before) ?? '', JSON.stringify(c.after) ?? '')) ? 1 : 0
  const number = (s: string) => Number(s.replace(/[^\d.]/g, '') || 'NaN')
  const open = /0\.0\.0\.0\/0|::\/0|"\*"|public/
  return {
    more_capacity: any(
      (p, b, a) =>
        /replica|capacity|count|size|memory|cpu|iops|throughput|timeout|instance_type|max/.test(p) && number(a) > number(b),
    ),
    scaled: any(p => /replica|desired|capacity/.test(p)),
    debug_setting: any((p, _, a) => /debug|verbose|log_?level|trace/.test(p) || /debug|verbose|trace/.test(a.toLowerCase())),
    security_tightened: any(
      (p, b, a) =>
        (open.test(b) && !open.test(a)) ||
        (/ingress|rule|cidr|allow|member|polic|key/.test(p) && b.length > a.length + 4 && a.length < 6) ||
        /deny|block/.test(a.toLowerCase()),
    ),
    weakened: any((_, b, a) => open.test(a) && !open.test(b)),
    switched_off: any((_, b, a) => /true|enabled/i.test(b) && /false|disabled|suspended/i.test(a)),
    said_emergency: said.emergency,
    said_trouble: said.trouble,
    said_security: said.security,
    said_mistake: said.mistake,
    said_automated: said.automated,
    said_override: said.override,
    said_revert: said.revert,
  }
}

export function whyDrift(
  features: Readonly<Record<string, number>>,
  finding: DriftFinding,
  context: DriftContext,
): CauseReading & { readonly because: readonly string[] } {
  const values = { ...features, ...signsOf(finding, context) }
  const logits = Float64Array.from(CAUSES, cause =>
    cause === 'none'
      ? 0.2
      : Object.entries(SIGNS[cause]).reduce((sum, [name, w]) => sum + w * Math.min(2, values[name] ?? 0), -0.4),
  )
  const reading = readingOf(softmaxOf(logits))
  // Ordinary work is no cause of a drift: it means that nothing tells.
  const abstain = reading.probabilities[reading.cause] < SURE || reading.cause === 'none'
  const because =
    reading.cause === 'none' || abstain
      ? []
      : Object.entries(SIGNS[reading.cause])
          .map(([name, w]) => ({ name, weight: w * Math.min(2, values[name] ?? 0) }))
          .filter(s => s.weight > 0.15)
          .sort((a, b) => b.weight - a.weight)
          .slice(0, 4)
          .map(s => s.name)
  return { ...reading, abstain, because }
}
