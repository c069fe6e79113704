/** Known problems as others report them: plain JSON, and what Alertmanager posts to a webhook receiver (version 4). */
import { type ExternalIssue, entityId, idOf, SEVERITIES } from '@aegis/domain'
import { z } from 'zod'

export const entity = z.string().regex(/^[a-z]+:.+/, 'must be kind:name, such as service:payment')
export const issue = z.object({
  id: z.string().min(1).optional(),
  environment: z.string().optional(),
  time: z.number().int().optional(),
  entity,
  kind: z.enum(['alert', 'probe', 'crash_loop', 'event']).default('event'),
  name: z.string().min(1),
  state: z.enum(['firing', 'resolved']).default('firing'),
  severity: z.enum(SEVERITIES).default('medium'),
  summary: z.string().default(''),
  attributes: z.record(z.string(), z.string()).default({}),
})
export const alert = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()).default({}),
  startsAt: z.string().optional(),
  endsAt: z.string().optional(),
  fingerprint: z.string().optional(),
})

export interface IssueOptions {
  readonly environment: string
  /** Microseconds. */
  readonly now: number
  readonly redact: (text: string) => string
}

export const issueOf = (v: z.infer<typeof issue>, { environment: own, now, redact }: IssueOptions): ExternalIssue => {
  const environment = v.environment ?? own
  const summary = redact(v.summary === '' ? v.name : v.summary)
  return { ...v, id: v.id ?? idOf(environment, v.entity, v.kind, v.name), environment, time: v.time ?? now, summary }
}

/** Labels that say whom an alert is about, the most telling first. */
const ABOUT: readonly (readonly [label: string, kind: string])[] = [
  ['service', 'service'],
  ['service_name', 'service'],
  ['app', 'service'],
  ['deployment', 'service'],
  ['pod', 'pod'],
  ['job', 'service'],
  ['node', 'host'],
  ['instance', 'host'],
]
const SEVERITY: readonly (readonly [RegExp, string])[] = [
  [/^(critical|page|fatal|emergency|disaster)$/i, 'critical'],
  [/^(high|error|major)$/i, 'high'],
  [/^(low|info|information|none|debug)$/i, 'low'],
]
const microseconds = (text: string | undefined): number | undefined => {
  const ms = Date.parse(text ?? '')
  // Alertmanager writes the year 1 for an end that has not come.
  return ms > 0 ? ms * 1000 : undefined
}

/** An alert of Alertmanager; without a label that says whom it is about it stands for nobody and is kept as it came. */
export const issueOfAlert = (v: z.infer<typeof alert>, { environment: own, now, redact }: IssueOptions): ExternalIssue => {
  const { labels, annotations } = v
  const name = labels.alertname ?? 'alert'
  const about = ABOUT.find(([label]) => labels[label])
  const entity = about
    ? entityId(about[1], about[0] === 'instance' ? labels.instance.replace(/:\d+$/, '') : labels[about[0]])
    : null
  const environment = labels.environment ?? labels.env ?? own
  return {
    id: v.fingerprint ?? idOf(environment, entity ?? '', name, JSON.stringify(labels)),
    environment,
    time: microseconds(v.status === 'resolved' ? v.endsAt : v.startsAt) ?? now,
    entity,
    kind: /crash.?loop/i.test(name) ? 'crash_loop' : /probe/i.test(name) ? 'probe' : 'alert',
    name,
    state: v.status,
    severity: SEVERITY.find(([word]) => word.test(labels.severity ?? ''))?.[1] ?? 'medium',
    summary: redact(annotations.summary ?? annotations.description ?? annotations.message ?? name),
    attributes: labels,
  }
}
