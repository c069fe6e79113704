/** What may be asked of the inference API and what it answers: the one schema of validation, document and clients. */
import { z } from 'zod'

const MOST_METRICS = 10_000
const MOST_LOGS = 10_000
const text = (most: number) => z.string().max(most)
const labels = z
  .record(z.string().max(200), z.coerce.string().max(1000))
  .meta({ description: 'What tells series of one metric apart.' })

/** ISO 8601, or a number of seconds, milliseconds, microseconds or nanoseconds since 1970, by its size; to microseconds. */
export const instant = z
  .union([z.string().max(64), z.number().min(0).max(1e19)])
  .transform((given, context) => {
    const microseconds = typeof given === 'string' ? isoMicroseconds(given) : ofEpoch(given)
    if (Number.isFinite(microseconds)) return microseconds
    context.addIssue({ code: 'custom', message: 'no time: ISO 8601 such as 2026-01-31T12:00:00Z, or a number since 1970' })
    return z.NEVER
  })
  .meta({ description: 'ISO 8601, or seconds, milliseconds, microseconds or nanoseconds since 1970.' })
const ofEpoch = (n: number): number => Math.round(n < 1e11 ? n * 1e6 : n < 1e14 ? n * 1e3 : n < 1e17 ? n : n / 1e3)
const isoMicroseconds = (given: string): number => {
  if (/^\d+(?:\.\d+)?$/.test(given)) return ofEpoch(Number(given))
  // A time without a zone is taken as UTC: the answer must not depend on where the server stands.
  const zoned = /(?:Z|[+-]\d\d:?\d\d)$/i.test(given) || /^\d{4}-\d\d-\d\d$/.test(given) ? given : `${given}Z`
  return Date.parse(zoned) * 1000
}

export const metricIn = z.object({
  metric_type: z
    .string()
    .min(1)
    .max(300)
    .meta({ description: 'Name of the metric; its unit is read off it: cpu_usage, latency_ms, error_rate.' }),
  value: z.number(),
  timestamp: instant.optional(),
  labels: labels.optional(),
})
export const logIn = z.object({
  timestamp: instant.optional(),
  level: text(40).optional().meta({ description: 'As the sender says it; left out, the message is asked how bad it sounds.' }),
  message: text(32_768),
  service: text(300).default('unknown'),
})
const severity = z.enum(['low', 'medium', 'high', 'critical'])
const share = z.number().min(0).max(1)
const environment = z
  .string()
  .min(1)
  .max(100)
  .optional()
  .meta({ description: 'Environment the question is about; default is the setting AEGIS_ENVIRONMENT.' })
const timestamp = z.iso.datetime()

export const anomalyQuestion = z.object({ metrics: z.array(metricIn).min(1).max(MOST_METRICS), environment })
export const anomalyAnswer = z.object({
  is_anomaly: z.boolean(),
  anomaly_score: share,
  severity,
  recommended_action: z.string(),
  confidence: share,
  affected_metrics: z.array(z.string()),
  details: z.object({
    anomaly_score: share,
    affected_features: z.array(z.string()).meta({ description: 'Features such as cpu_usage_slope, the guiltiest first.' }),
    model_confidence: share,
    model: z.string(),
    reason: z.string().meta({ description: 'Why, in words; insufficient_history where nothing can be said yet.' }),
  }),
  timestamp,
})

export const failureQuestion = z.object({
  metrics: z.array(metricIn).max(MOST_METRICS).default([]),
  logs: z.array(logIn).max(MOST_LOGS).default([]),
  environment,
})
export const failureAnswer = z.object({
  failure_detected: z.boolean(),
  failure_type: z.string().nullable(),
  severity,
  recommended_actions: z.array(z.string()),
  confidence: share,
  root_cause: z.string(),
  affected_services: z.array(z.string()),
  details: z.object({
    confidence: share,
    heuristic: z.boolean().meta({ description: 'True where rules decided, and not the trained model.' }),
    model: z.string(),
    category: z.string(),
    alternatives: z.array(z.object({ failure_type: z.string(), confidence: share })),
    features: z.record(z.string(), z.number()),
  }),
  timestamp,
})

export const policyQuestion = z.object({
  action: z.string().min(1).max(200),
  resource: z.string().min(1).max(500),
  type: z.string().max(200).default('remediation'),
  context: z
    .object({
      userId: z.string().max(300).default('anonymous'),
      role: z.string().max(300).default(''),
      metadata: z.record(z.string(), z.unknown()).default({}),
    })
    .default({ userId: 'anonymous', role: '', metadata: {} }),
})
export const policyAnswer = z.object({ allowed: z.boolean(), reason: z.string(), matched_rules: z.array(z.string()) })

export const adviceQuestion = z.object({
  metrics: z.array(metricIn).max(MOST_METRICS).default([]),
  evidence: z.array(text(4000)).max(1000).default([]),
  incident: z.string().max(100).optional().meta({ description: 'Id of an incident whose series and lines speak as well.' }),
  environment,
})
export const adviceAnswer = z.object({
  suggestions: z.array(
    z.object({
      category: z.enum(['database', 'api', 'infrastructure']),
      kind: z.string(),
      suggestion: z.string(),
      evidence: z.array(z.string()),
      expected_effect: z.string(),
      priority: share,
    }),
  ),
  timestamp,
})
