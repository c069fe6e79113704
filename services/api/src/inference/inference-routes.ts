import {
  adviceAnswer,
  adviceQuestion,
  anomalyAnswer,
  anomalyQuestion,
  failureAnswer,
  failureQuestion,
  policyAnswer,
  policyQuestion,
  type Routes,
  senderOf,
} from '@aegis/api'
import { FAILURE_NAMES, type FailureModel } from '@aegis/inference'
import { z } from 'zod'
import type { PartHealth } from '../health.ts'
import type { Inference } from './inference.ts'
import type { PredictionLog } from './prediction-log.ts'

const part = z.object({ status: z.enum(['up', 'down', 'embedded']), detail: z.string().optional() })
const window = z
  .string()
  .regex(/^[1-9]\d{0,4}$/, 'must be a whole number of seconds from 1 to 99999')
  .transform(Number)
const loose = { jsonSchema: { type: 'object' } }

export interface InferenceParts {
  readonly inference: Inference
  readonly log: PredictionLog
  readonly model: FailureModel | undefined
  readonly minSamples: number
  readonly failureWindowSeconds: number
  readonly health: () => Promise<{ readonly kafka: PartHealth; readonly neo4j: PartHealth; readonly redis: PartHealth }>
  readonly now: () => number
}

export const inferenceRoutes = (routes: Routes, parts: InferenceParts): void => {
  const { inference, log, model, now } = parts
  const models = () => ({
    anomaly_detector: {
      status: 'ready',
      type: 'isolation-forest',
      trained_metrics: inference.forest.trained,
      metrics: inference.forest.metrics,
      series: inference.forest.series,
      min_samples: parts.minSamples,
      threshold: inference.forest.threshold,
      trained_on: 'the values that were asked about, online; statistics decide until there are enough',
    },
    failure_detector: {
      status: 'ready',
      type: model ? 'random-forest' : 'heuristic',
      name: model?.name ?? 'heuristic',
      version: model?.version ?? '1',
      trained_on: model?.trainedOn ?? 'nothing: rules',
      window_seconds: parts.failureWindowSeconds,
      failure_types: FAILURE_NAMES,
    },
  })

  routes.add(
    {
      method: 'GET',
      url: '/health',
      tag: 'inference',
      summary: 'Models, Kafka, Neo4j and Redis: what is up and what is not.',
      description: '503 while Kafka is away; `degraded` while something else is.',
      answer: z.object({
        status: z.enum(['healthy', 'degraded', 'unhealthy']),
        models: z.record(z.string(), z.unknown()),
        kafka: part,
        neo4j: part,
        redis: part,
        timestamp: z.iso.datetime(),
      }),
      problems: [503],
    },
    async ({ reply }) => {
      const found = await parts.health()
      const away = Object.values(found).filter(p => p.status === 'down').length
      const status = found.kafka.status === 'down' ? 'unhealthy' : away > 0 ? 'degraded' : 'healthy'
      return reply
        .code(status === 'unhealthy' ? 503 : 200)
        .send({ status, models: models(), ...found, timestamp: new Date(now() / 1000).toISOString() })
    },
  )
  routes.add(
    {
      method: 'GET',
      url: '/ping',
      tag: 'inference',
      summary: 'Answers while the service runs.',
      answer: z.object({ status: z.literal('ok'), message: z.literal('pong') }),
    },
    () => ({ status: 'ok', message: 'pong' }),
  )
  routes.add(
    {
      method: 'POST',
      url: '/api/v1/detect-anomaly',
      tag: 'inference',
      summary: 'Whether there is an anomaly in these metrics.',
      description:
        'Judged by what was asked before and learned from: eight features of each window (cpu_usage_mean, …), an Isolation Forest of each metric once it has samples enough. A point without history is none, unless there can be no such value.',
      body: anomalyQuestion,
      answer: anomalyAnswer,
      example: {
        metrics: [{ metric_type: 'cpu_usage', value: 97.2, timestamp: '2026-01-31T12:00:00Z', labels: { service: 'checkout' } }],
      },
    },
    ({ body, request }) => inference.detectAnomaly(body, senderOf(request).name),
  )
  routes.add(
    {
      method: 'POST',
      url: '/api/v1/detect-failure',
      tag: 'inference',
      summary: 'What failed, by metrics and log lines.',
      body: failureQuestion,
      answer: failureAnswer,
      example: {
        metrics: [{ metric_type: 'memory_usage', value: 92, timestamp: '2026-01-31T12:00:00Z' }],
        logs: [
          {
            timestamp: '2026-01-31T12:00:01Z',
            level: 'ERROR',
            message: 'connect ECONNREFUSED 10.0.0.7:5432',
            service: 'checkout',
          },
        ],
      },
    },
    ({ body, request }) => inference.detectFailure(body, senderOf(request).name),
  )
  routes.add(
    {
      method: 'POST',
      url: '/api/v1/policy/evaluate',
      tag: 'inference',
      summary: 'Whether an action may be done by a machine now.',
      description:
        "The guard's own function on controls and outcomes as they stand. 503 while these are still being read: what is not known is never allowed.",
      body: policyQuestion,
      answer: policyAnswer,
      problems: [503],
      example: {
        action: 'restart_pod',
        resource: 'service:checkout',
        type: 'remediation',
        context: { userId: 'ada', role: 'operator', metadata: { environment: 'default' } },
      },
    },
    ({ body, request }) => inference.evaluatePolicy(body, senderOf(request).name),
  )
  routes.add(
    {
      method: 'POST',
      url: '/api/v1/advise',
      tag: 'inference',
      summary: 'What would make it faster or steadier, with evidence and expected effect.',
      body: adviceQuestion,
      answer: adviceAnswer,
      problems: [404],
      example: {
        metrics: [
          { metric_type: 'query_time_ms', value: 1800 },
          { metric_type: 'cpu_usage', value: 91 },
        ],
        evidence: ['remaining connection slots are reserved'],
      },
    },
    ({ body, request }) => inference.advise(body, senderOf(request).name),
  )
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/metrics/predictions',
      tag: 'inference',
      summary: 'How often what was answered, and by the minute.',
      query: z.object({ window: window.default(3600).meta({ description: 'Seconds back; a day at most.' }) }),
      answer: loose,
    },
    ({ query }) => ({ window_seconds: query.window, ...log.counts(query.window) }),
  )
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/metrics/model-performance',
      tag: 'inference',
      summary: 'Each model: what it was trained on, how fast and how sure it is.',
      answer: loose,
    },
    () => ({
      anomaly_detector: {
        ...models().anomaly_detector,
        ...log.performance('anomaly'),
        accuracy: null,
        accuracy_why: 'nobody says afterwards whether an answer was right',
      },
      failure_detector: { ...models().failure_detector, ...log.performance('failure'), figures: model?.figures ?? null },
      policy: { type: 'guard', ...log.performance('policy') },
      advisor: { type: 'rules', ...log.performance('advice') },
    }),
  )
  routes.add(
    { method: 'GET', url: '/api/v1/metrics/stats', tag: 'inference', summary: 'The service in numbers.', answer: loose },
    () => {
      const { rss, heapUsed } = process.memoryUsage()
      const { by_kind, total } = log.counts(86_400)
      return {
        uptime_seconds: log.uptimeSeconds,
        predictions_24h: total,
        predictions_by_kind_24h: by_kind,
        predictions_waiting: log.waiting,
        predictions_not_kept: log.lost,
        memory_bytes: { rss, heap_used: heapUsed },
        series_known: inference.forest.series,
        forests_grown: inference.forest.trained,
      }
    },
  )
}
