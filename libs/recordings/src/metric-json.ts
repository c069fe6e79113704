/** Answers of query interfaces as a table in long form: Prometheus, CloudWatch, Grafana's frames, and lists of objects as notebooks write them. */
import { AegisError } from '@aegis/domain'
import { get, isDoc, listOf, textOf } from '@aegis/domain/document'
import { csvLine } from './log-tables.ts'

type Point = readonly [time: string, series: string, value: string]
const cell = (v: unknown): string => (v === null || v === undefined ? '' : textOf(v))
const labelled = (metric: unknown): string => {
  const { __name__: name = '', ...labels } = (isDoc(metric) ? metric : {}) as Record<string, unknown>
  const shown = Object.entries(labels)
    .map(([k, v]) => `${k}="${textOf(v)}"`)
    .join(',')
  return `${textOf(name)}${shown ? `{${shown}}` : ''}` || 'value'
}

/** The text of a table, for the reader of tables. */
export const tableOfJson = (document: unknown, path: string): string => {
  const result = get(document, 'data', 'result') ?? get(document, 'result')
  const points: Point[] = []
  if (Array.isArray(result))
    for (const r of result)
      for (const v of [...listOf(get(r, 'values')), ...(get(r, 'value') === undefined ? [] : [get(r, 'value')])])
        points.push([cell(get(v, 0)), labelled(get(r, 'metric')), cell(get(v, 1))])
  for (const r of listOf(get(document, 'MetricDataResults')))
    for (const [i, t] of listOf(get(r, 'Timestamps')).entries())
      points.push([cell(t), textOf(get(r, 'Label')) || textOf(get(r, 'Id')), cell(get(r, 'Values', i))])
  for (const d of listOf(get(document, 'Datapoints'))) {
    const [name, value] = Object.entries(d as object).find(([k]) => /^(Average|Sum|Maximum|Minimum|SampleCount)$/.test(k)) ?? [
      '',
      '',
    ]
    points.push([cell(get(d, 'Timestamp')), textOf(get(document, 'Label')) || name, cell(value)])
  }
  for (const frame of Object.values((get(document, 'results') as object) ?? {}).flatMap(r => listOf(get(r, 'frames')))) {
    const fields = listOf(get(frame, 'schema', 'fields'))
    const [times, ...values] = listOf(get(frame, 'data', 'values')) as unknown[][]
    for (const [k, column] of values.entries())
      for (const [i, v] of column.entries()) {
        const labels = get(fields[k + 1], 'labels')
        const name =
          textOf(get(fields[k + 1], 'config', 'displayNameFromDS')) ||
          textOf(get(frame, 'schema', 'name')) ||
          textOf(get(fields[k + 1], 'name'))
        points.push([cell(times?.[i]), isDoc(labels) ? labelled({ __name__: name, ...labels }) : name, cell(v)])
      }
  }
  if (points.length > 0) return csvLine(['time', 'metric', 'value']) + points.map(csvLine).join('')
  const records = Array.isArray(document) ? document.filter(isDoc) : []
  if (records.length > 0) {
    const names = [...new Set(records.flatMap(r => Object.keys(r)))]
    return csvLine(names) + records.map(r => csvLine(names.map(n => cell(r[n])))).join('')
  }
  throw new AegisError(
    'INPUT_INVALID',
    `${path}: JSON without series: answers of Prometheus (query_range), CloudWatch and Grafana are read, and lists of objects`,
  )
}
