import { impossibility, unitOf } from '@aegis/domain'
import { theirAction } from './action-words.ts'
import type { Judged, MetricForest } from './metric-forest.ts'
import { type Meaning, meaningOf } from './metric-meaning.ts'
import { atLeast, type InferenceSeverity, round } from './severity-of-score.ts'

export interface MetricPoint {
  readonly metric_type: string
  readonly value: number
  /** Microseconds since the epoch. */
  readonly time: number
  readonly labels?: Readonly<Record<string, string>>
}
export interface AnomalyAnswer {
  readonly is_anomaly: boolean
  readonly anomaly_score: number
  readonly severity: InferenceSeverity
  readonly recommended_action: string
  readonly confidence: number
  readonly affected_metrics: readonly string[]
  readonly details: {
    readonly anomaly_score: number
    readonly affected_features: readonly string[]
    readonly model_confidence: number
    readonly model: string
    readonly reason: string
  }
}

const ACTIONS: Readonly<Record<Meaning, string>> = {
  cpu: 'scale_out',
  memory: 'restart',
  disk: 'clean_disk',
  latency: 'scale_out',
  errors: 'rollback_deploy',
  connections: 'raise_limit',
  queue: 'scale_out',
  availability: 'start',
  traffic: 'scale_out',
  other: 'page',
}
const seriesKey = (labels: MetricPoint['labels']): string =>
  labels === undefined
    ? ''
    : Object.keys(labels)
        .sort()
        .map(k => `${k}=${labels[k]}`)
        .join(',')
const severityOf = (score: number, name: string, value: number): InferenceSeverity => {
  const byScore: InferenceSeverity = score >= 0.99 ? 'critical' : score >= 0.93 ? 'high' : 'medium'
  const full = unitOf(name) === 'percent' && ['cpu', 'memory', 'disk'].includes(meaningOf(name))
  return full && value >= 95 ? 'critical' : full && value >= 90 ? atLeast(byScore, 'high') : byScore
}

/**
 * Whether there is an anomaly in these points, judged one after the other in the order of their times by what was known before each, and learned.
 * The most anomalous point speaks for all. A point without history is none, unless there can be no such value.
 */
export const detectAnomaly = (forest: MetricForest, points: readonly MetricPoint[]): AnomalyAnswer => {
  const inOrder = points.length < 2 ? points : [...points].sort((a, b) => a.time - b.time)
  let worst: { point: MetricPoint; judged?: Judged; score: number; impossible?: string } | undefined
  const affected = new Set<string>()
  const features = new Set<string>()
  let severity: InferenceSeverity = 'low'
  let newest: Judged | undefined
  for (const point of inOrder) {
    const impossible = impossibility(point.metric_type, point.value)
    const judged = impossible ? undefined : forest.judge(point.metric_type, seriesKey(point.labels), point.value)
    const score = impossible ? 1 : (judged?.score ?? 0)
    if (judged && (newest === undefined || !Number.isNaN(judged.score))) newest = judged
    if (!(score >= forest.threshold)) continue
    affected.add(point.metric_type)
    for (const name of judged?.features ?? [`${point.metric_type}_normalized_value`]) features.add(name)
    severity = atLeast(severity, impossible ? 'critical' : severityOf(score, point.metric_type, point.value))
    if (!worst || score > worst.score) worst = { point, judged, score, impossible }
  }
  if (worst) {
    const { point, judged, score, impossible } = worst
    const confidence = impossible ? 0.95 : (judged?.confidence ?? 0)
    return {
      is_anomaly: true,
      anomaly_score: round(score),
      severity,
      recommended_action: impossible ? theirAction('page') : theirAction(ACTIONS[meaningOf(point.metric_type)]),
      confidence: round(confidence),
      affected_metrics: [...affected],
      details: {
        anomaly_score: round(score),
        affected_features: [...features].slice(0, 8),
        model_confidence: round(confidence),
        model: impossible ? 'unit' : (judged?.model ?? 'statistics'),
        reason:
          impossible ??
          `${point.metric_type} is ${round(point.value)}; usual is ${round(judged?.usual ?? 0)}, and it lies ${round(judged?.distance ?? 0, 1)} usual steps away`,
      },
    }
  }
  const known = newest && !Number.isNaN(newest.score)
  const score = known ? round(newest?.score ?? 0) : 0
  return {
    is_anomaly: false,
    anomaly_score: score,
    severity: 'low',
    recommended_action: 'none',
    confidence: round(newest?.confidence ?? 0.1),
    affected_metrics: [],
    details: {
      anomaly_score: score,
      affected_features: [],
      model_confidence: round(newest?.confidence ?? 0.1),
      model: newest?.model ?? 'statistics',
      reason: known ? 'within what is usual' : 'insufficient_history',
    },
  }
}
