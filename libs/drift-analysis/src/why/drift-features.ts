/** A drift and what surrounded it as numbers, by the names of the five families; training and serving use the same code. */
import { timeFeatures } from '../code/change-features.ts'
import type { Severity } from '../severity/severity.ts'
import type { DriftFinding } from '../sources/finding.ts'
import type { Channel } from '../who/audit-event.ts'

/** What was going on around a drift; times in milliseconds since 1970. All of it may be missing. */
export interface DriftContext {
  /** False where nothing tells when it was made: hours of the day then say nothing about it. */
  readonly timed?: boolean
  /** When it was found, or made where that is known. */
  readonly time: number
  readonly createdAt?: number
  readonly earlierDrifts?: readonly number[]
  readonly incidents?: readonly { readonly start: number; readonly end?: number /** 0 to 1. */; readonly severity: number }[]
  readonly maintenance?: readonly { readonly start: number; readonly end: number }[]
  readonly alerts?: readonly number[]
  readonly deployments?: readonly number[]
  /** Subjects of commits near the time that touch the code of the resource, with their times. */
  readonly commits?: readonly { readonly time: number; readonly subject: string }[]
  readonly tickets?: readonly { readonly time: number; readonly severity: number }[]
  readonly channel?: Channel
  /** Share of earlier drifts of the same actor that came by hand, 0 to 1. */
  readonly actorByHand?: number
  readonly dependents?: number
  readonly namespace?: string
  readonly accountType?: 'production' | 'staging' | 'development' | 'unknown'
}
const HOUR = 3_600_000

export function driftFeatures(finding: DriftFinding, severity: Severity, c: DriftContext): Record<string, number> {
  const within = (times: readonly number[] | undefined, before: number, after = 0) =>
    (times ?? []).filter(t => t <= c.time + after && t >= c.time - before).length
  const since = (times: readonly number[] | undefined) => {
    const past = (times ?? []).filter(t => t < c.time)
    return past.length > 0 ? Math.log1p((c.time - Math.max(...past)) / HOUR) : Math.log1p(24 * 365)
  }
  const iso = new Date(c.time).toISOString()
  const t = timeFeatures(iso)
  const open = (c.incidents ?? []).filter(
    i => i.start - 0.25 * HOUR <= c.time && (i.end ?? Number.POSITIVE_INFINITY) + HOUR >= c.time,
  )
  // Within an hour, the nearer and the worse the more, and never more than 1.
  const proximity = (items: readonly { readonly time: number; readonly severity: number }[]) =>
    Math.min(
      1,
      items.reduce(
        (sum, i) => (Math.abs(i.time - c.time) <= HOUR ? sum + i.severity * (1 - Math.abs(i.time - c.time) / HOUR) : sum),
        0,
      ),
    )
  const type = finding.type.toLowerCase()
  const kinds = ['network', 'compute', 'data', 'identity', 'monitor'] as const
  const KIND = {
    network: /network|vpc|subnet|route|firewall|security_group|gateway|service$|ingress|lb\b/,
    compute: /instance|vm|deployment|pod|lambda|function|asg|autoscaling|container|statefulset|daemonset/,
    data: /db|database|bucket|storage|table|queue|configmap|secret|volume/,
    identity: /iam|role|user|policy|binding|account/,
    monitor: /log|alarm|monitor|trail|dashboard|alert/,
  }
  return {
    ...Object.fromEntries(kinds.map(k => [`resource_type_${k}`, KIND[k].test(type) ? 1 : 0])),
    drift_magnitude: Math.log1p(finding.changes.length),
    change_complexity: Math.log1p(new Set(finding.changes.map(x => x.path.split('.').length)).size + finding.attributes.length),
    resource_age: c.createdAt === undefined ? 0 : Math.log1p((c.time - c.createdAt) / HOUR),
    drift_frequency: Math.log1p(c.earlierDrifts?.length ?? 0),
    detection_hour_sin: t.hourSin,
    detection_hour_cos: t.hourCos,
    weekday_sin: t.weekdaySin,
    weekday_cos: t.weekdayCos,
    night: c.timed === false ? 0 : t.night,
    weekend: c.timed === false ? 0 : t.weekend,
    time_since_last_drift: since(c.earlierDrifts),
    incident_window: open.length > 0 ? 1 : 0,
    maintenance_schedule_overlap: (c.maintenance ?? []).some(m => m.start <= c.time && c.time <= m.end) ? 1 : 0,
    drift_count_24h: Math.log1p(within(c.earlierDrifts, 24 * HOUR)),
    hours_since_maintenance: since(c.maintenance?.map(m => m.end)),
    git_commit_correlation: Math.min(
      1,
      within(
        c.commits?.map(x => x.time),
        24 * HOUR,
        HOUR,
      ) / 2,
    ),
    incident_ticket_proximity: proximity([
      ...(c.tickets ?? []),
      ...open.map(i => ({ time: Math.max(i.start, Math.min(c.time, i.end ?? c.time)), severity: i.severity })),
    ]),
    monitoring_alert_count: Math.log1p(within(c.alerts, HOUR, 0.25 * HOUR)),
    deployment_event_proximity: within(c.deployments, 0.5 * HOUR, 0.25 * HOUR) > 0 ? 1 : 0,
    user_behavior_pattern: c.actorByHand ?? 0,
    security_surface_change: severity.security,
    cost_impact_estimate: severity.cost,
    performance_impact: severity.performance,
    compliance_relevance: severity.compliance,
    dependency_affected: Math.log1p(c.dependents ?? 0),
    kubernetes_namespace: c.namespace ? 1 : 0,
    aws_account_type: c.accountType === 'production' ? 1 : c.accountType === 'staging' ? 0.5 : 0,
    terraform_module: /^module\./.test(finding.address) ? 1 : 0,
    ci_cd_integration: c.channel === 'iac' ? 1 : 0,
    by_console: c.channel === 'console' ? 1 : 0,
    by_cli: c.channel === 'cli' ? 1 : 0,
    by_service: c.channel === 'service' || c.channel === 'controller' ? 1 : 0,
    by_script: c.channel === 'script' ? 1 : 0,
  }
}
