import { type EntityId, idOf, type Observation } from '@aegis/domain'
import { isOfExporter, measures, whoseSample } from '../whose.ts'
import { type Read, type ReadOptions, redactAll } from './read.ts'
import {
  attributesOf,
  enumOf,
  items,
  type Loose,
  microseconds,
  numberOf,
  type Origin,
  originOf,
  Refused,
  walk,
  wrongTime,
} from './shape.ts'

const DELTA = 1
const TEMPORALITIES = ['', 'DELTA', 'CUMULATIVE']
/** Bit of a point's flags: nothing was recorded, and its value says nothing. */
const NO_RECORDED_VALUE = 1
const KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const
/** Resource attributes that tell series of one service apart, by the dimension they become. */
const DIMENSIONS: readonly (readonly [attribute: string, dimension: string])[] = [
  ['service.namespace', 'namespace'],
  ['k8s.namespace.name', 'namespace'],
  ['k8s.container.name', 'container'],
]
/** What a receiver of the Collector says it looked at: `postgresql.database.name`, `mysql.instance.endpoint`. */
const LOOKED_AT =
  /^(?!(?:service|telemetry|process|os|host|k8s|container|cloud|deployment|aws|gcp|azure|faas|webengine|device|browser|url|vcs|cicd)\.).+\.(?:name|endpoint)$/

/**
 * OTLP metrics to observations. Histograms and summaries give their count and sum as counters, or deltas where they say so; means are made where they are read.
 * Buckets, exemplars and minima are not read.
 */
export const readMetrics = (message: object, options: ReadOptions): Read<Observation> => {
  const refused = new Refused()
  const values: Observation[] = []
  const origins: Origin[] = []
  for (const { resource, scopes } of walk(
    message,
    ['resourceMetrics', 'scopeMetrics', 'instrumentationLibraryMetrics', 'metrics'],
    refused,
  )) {
    const origin = originOf(resource, options.environment)
    origins.push(origin)
    const more: Record<string, string> = {}
    for (const [attribute, dimension] of DIMENSIONS)
      if (origin.attributes[attribute]) more[dimension] ??= origin.attributes[attribute]
    for (const name in origin.attributes) if (LOOKED_AT.test(name)) more[name] = origin.attributes[name]
    if (origin.instance && origin.entity !== `host:${origin.instance}`) more.instance = origin.instance
    const isMeasurer = measures(origin.entity)
    const subject = (name: string, labels: Record<string, string>): EntityId =>
      isMeasurer || isOfExporter(name)
        ? whoseSample(name, {
            ...(origin.attributes['service.name'] ? { job: origin.attributes['service.name'] } : {}),
            ...(origin.instance ? { instance: origin.instance } : {}),
            ...labels,
          })
        : (origin.entity as EntityId)

    const put = (point: Loose, place: string, name: string, type: string, unit: string, value: number, quantile?: unknown) => {
      if (!Number.isFinite(value)) return refused.add(`${place} of ${name} has no finite value`)
      const given = microseconds(point.timeUnixNano)
      const wrong = given === 0 ? undefined : wrongTime(given, options.now, point.timeUnixNano)
      if (wrong) return refused.add(`${place} of ${name}: timeUnixNano: ${wrong}`)
      const dimensions = redactAll(attributesOf(point.attributes), options.redact)
      const entity = subject(name, dimensions)
      if (quantile !== undefined) dimensions.quantile = String(quantile)
      for (const key in more) dimensions[key] ??= more[key]
      const time = given || options.now
      const key = Object.keys(dimensions)
        .sort()
        .map(k => `${k}=${dimensions[k]}`)
        .join(',')
      values.push({
        id: idOf(origin.environment, entity, name, key, time),
        environment: origin.environment,
        time,
        entity,
        metric_name: name,
        metric_type: type,
        unit,
        value,
        dimensions,
      })
    }
    for (const { values: metrics, place } of scopes)
      for (const [m, metric] of metrics.entries()) {
        const name = String(metric.name ?? '')
        const unit = String(metric.unit ?? '')
        const kind = KINDS.find(k => metric[k])
        if (name === '') refused.add(`${place}[${m}] has no name`)
        else if (!kind) refused.add(`${place}[${m}] (${name}) has none of ${KINDS.join(', ')}`)
        if (name === '' || !kind) continue
        const data = metric[kind] as Loose
        const isDelta = enumOf(data.aggregationTemporality, TEMPORALITIES) === DELTA
        const summed = isDelta ? 'delta' : 'counter'
        const at = () => `${place}[${m}].${kind}.dataPoints`
        for (const [p, point] of items(data.dataPoints, at, refused).entries()) {
          if (Number(point.flags ?? 0) & NO_RECORDED_VALUE) continue
          const here = `${at()}[${p}]`
          if (kind === 'gauge' || kind === 'sum') {
            const type = kind === 'sum' && (data.isMonotonic || isDelta) ? summed : 'gauge'
            put(point, here, name, type, unit, numberOf(point.asDouble ?? point.asInt))
            continue
          }
          put(point, here, `${name}.count`, summed, '1', numberOf(point.count))
          if (point.sum !== undefined && point.sum !== null) put(point, here, `${name}.sum`, summed, unit, numberOf(point.sum))
          // A quantile of no values is no number, and none is missing.
          for (const q of items(point.quantileValues, () => `${here}.quantileValues`, refused))
            if (!Number.isNaN(numberOf(q.value))) put(point, here, name, 'gauge', unit, numberOf(q.value), q.quantile ?? 0)
        }
      }
  }
  return { values, origins, rejected: refused.rejected, reason: refused.reason }
}
