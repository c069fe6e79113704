/** Known problems as others report them: plain JSON, and what Alertmanager posts to a webhook receiver (version 4). */
import { type ExternalIssue, idOf, SEVERITIES } from '@aegis/domain'
import { z } from 'zod'
import { subjectOf } from './alert-subject.ts'

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
const words = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean(), z.null()]).transform(v => (v === null ? '' : String(v))),
)
const plainAlert = z.object({
  /** Alertmanager's own API (v2) has none: there the end tells. */
  status: z.enum(['firing', 'resolved']).optional(),
  labels: words,
  annotations: words.nullish().transform(v => v ?? {}),
  startsAt: z.string().nullish(),
  endsAt: z.string().nullish(),
  fingerprint: z.string().min(1).nullish(),
})
/** What Grafana before version 9 posts: a rule with its tags. What it found is not told when it ends, so that nobody else can be named by it. */
const oldGrafana = z
  .object({
    ruleName: z.string(),
    state: z.enum(['alerting', 'ok', 'no_data', 'paused', 'pending']),
    message: z.string().nullish(),
    title: z.string().nullish(),
    ruleId: z.number().nullish(),
    tags: words.nullish(),
  })
  .transform(
    (v): z.infer<typeof plainAlert> => ({
      status: v.state === 'ok' || v.state === 'paused' || v.state === 'pending' ? 'resolved' : 'firing',
      labels: { alertname: v.ruleName, ...v.tags },
      annotations: { summary: v.message || v.title || v.ruleName },
      // The same whether it begins or ends.
      fingerprint: v.ruleId ? `grafana-rule-${v.ruleId}` : `grafana-rule-${v.ruleName}`,
    }),
  )
/** An alert of Alertmanager (its webhook or its API), of Prometheus itself, or of Grafana. */
export const alert = z.union([plainAlert, oldGrafana])

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

const SEVERITY: readonly (readonly [RegExp, string])[] = [
  [/^(critical|crit|page|fatal|emergency|disaster|p1|sev-?1|1)$/i, 'critical'],
  [/^(high|error|major|urgent|p2|sev-?2|2)$/i, 'high'],
  [/^(low|info|information|none|debug|notice|p[45]|sev-?[45])$/i, 'low'],
]
const microseconds = (text: string | null | undefined): number | undefined => {
  const ms = Date.parse(text ?? '')
  // Alertmanager writes the year 1 for an end that has not come.
  return ms > 0 ? ms * 1000 : undefined
}

/** An alert of Alertmanager; without a label that says whom it is about it stands for nobody and is kept as it came. */
export const issueOfAlert = (v: z.infer<typeof alert>, { environment: own, now, redact }: IssueOptions): ExternalIssue => {
  const { labels, annotations } = v
  const name = labels.alertname || 'alert'
  const entity = subjectOf(labels, name) ?? null
  const ended = microseconds(v.endsAt)
  const state = v.status ?? (ended !== undefined && ended <= now ? 'resolved' : 'firing')
  const environment = labels.environment || labels.env || own
  return {
    id: v.fingerprint ?? idOf(environment, entity ?? '', name, JSON.stringify(labels)),
    environment,
    time: microseconds(state === 'resolved' ? v.endsAt : v.startsAt) ?? now,
    entity,
    kind: /crash.?loop/i.test(name) ? 'crash_loop' : /probe/i.test(name) ? 'probe' : 'alert',
    name,
    state,
    severity: SEVERITY.find(([word]) => word.test(labels.severity || labels.priority || labels.level || ''))?.[1] ?? 'medium',
    summary: redact(annotations.summary || annotations.description || annotations.message || name),
    attributes: labels,
  }
}
