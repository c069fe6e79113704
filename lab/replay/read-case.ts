/**
 * A recorded case as records of the input streams: `case.json`, `metrics.csv[.gz]`, `logs.csv[.gz]`, `traces.csv[.gz]`. Where `case.json` names a
 * `reference`, a folder with lines and spans of a quiet time, these are played just before the case's own: services that watch a system have
 * seen it well.
 */
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { createGunzip } from 'node:zlib'
import { AegisError, idOf, type LogLine, type Observation, type Span, type TopologyEdge } from '@aegis/domain'
import { redact } from '@aegis/log-mining'
import { csvRecords, csvRows } from '@aegis/recordings/csv'
import { observationOf } from '@aegis/recordings/observation'

export interface RecordedCase {
  readonly name: string
  readonly stepSeconds: number
  readonly logs: readonly LogLine[]
  readonly metrics: readonly Observation[]
  readonly spans: readonly Span[]
  readonly edges: readonly TopologyEdge[]
  readonly from: number
  readonly to: number
  /** Records whose time cannot be true; they stand where their neighbours in the file do. */
  readonly misplaced: number
}

/** A time more than a day from the middle of its file is a broken clock or a parser's slip: the record keeps its place instead. */
const placeImpossible = (records: { time: number }[]): number => {
  const sorted = records.map(r => r.time).sort((a, b) => a - b)
  const middle = sorted[sorted.length >> 1]
  let last = middle
  let n = 0
  for (const r of records) {
    if (Math.abs(r.time - middle) <= 86_400e6) last = r.time
    else {
      r.time = last
      n++
    }
  }
  return n
}

const find = (folder: string, name: string): string | undefined =>
  [`${name}.csv.gz`, `${name}.csv`].map(f => path.join(folder, f)).find(existsSync)
const open = (file: string) => (file.endsWith('.gz') ? createReadStream(file).pipe(createGunzip()) : createReadStream(file))

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const readLines = async (file: string, environment: string): Promise<Mutable<LogLine>[]> => {
  const logs: Mutable<LogLine>[] = []
  for await (const row of csvRecords(open(file), file)) {
    const time = Number(row.time_us)
    if (!Number.isFinite(time)) throw new AegisError('INPUT_INVALID', `${file}: time_us "${row.time_us}" is no number`)
    const body = redact(row.message ?? '')
    logs.push({
      id: idOf(path.dirname(file), logs.length, body),
      environment,
      time,
      entity: `service:${row.service}`,
      body,
      severity: row.level || null,
      attributes: {},
      trace_id: row.trace_id || null,
      span_id: row.span_id || null,
      observed_time: time,
      source: path.basename(path.dirname(file)),
    })
  }
  return logs
}

const readSpans = async (file: string, environment: string): Promise<Mutable<Span>[]> => {
  const rows: Record<string, string>[] = []
  for await (const row of csvRecords(open(file), file)) rows.push(row)
  const serviceOf = new Map(rows.map(r => [r.span_id, r.service]))
  return rows.map(r => {
    const parent = r.parent_id ? serviceOf.get(r.parent_id) : undefined
    return {
      id: idOf(r.trace_id, r.span_id),
      environment,
      time: Number(r.start_us),
      trace_id: r.trace_id,
      span_id: r.span_id,
      parent_id: r.parent_id || null,
      entity: `service:${r.service}`,
      operation: r.operation,
      // Only the called side was recorded: a span whose parent is another service's answers a call.
      kind: parent === r.service ? 'internal' : 'server',
      duration_us: Number(r.duration_us),
      status: /error|5\d\d/i.test(r.status ?? '') ? 'error' : 'unset',
      attributes: {},
    }
  })
}

/** Pause between the quiet time and the case's own first record, microseconds. */
const PAUSE_US = 1e6
/** Lines and spans of the reference, moved so that they end where the case's own begin; its `reference` is told from the folder of the case's folder. */
const quietTime = async (
  folder: string,
  reference: string | null | undefined,
  environment: string,
  logs: readonly LogLine[],
  spans: readonly Span[],
): Promise<{ logs: LogLine[]; spans: Span[] }> => {
  const quiet = reference ? path.resolve(folder, '..', reference) : undefined
  const own = [...logs, ...spans]
  if (!quiet || own.length === 0) return { logs: [], spans: [] }
  const files = { logs: find(quiet, 'logs'), traces: find(quiet, 'traces') }
  const before = {
    logs: files.logs ? await readLines(files.logs, environment) : [],
    spans: files.traces ? await readSpans(files.traces, environment) : [],
  }
  placeImpossible(before.logs)
  placeImpossible(before.spans)
  let first = Number.POSITIVE_INFINITY
  for (const r of own) first = Math.min(first, r.time)
  let last = Number.NEGATIVE_INFINITY
  for (const r of [...before.logs, ...before.spans]) last = Math.max(last, r.time)
  const shift = first - PAUSE_US - last
  for (const r of [...before.logs, ...before.spans]) r.time += shift
  for (const r of before.logs) r.observed_time += shift
  return before
}

export const readCase = async (folder: string, environment: string): Promise<RecordedCase> => {
  if (!existsSync(folder)) throw new AegisError('INPUT_INVALID', `${folder} does not exist`)
  const files = { metrics: find(folder, 'metrics'), logs: find(folder, 'logs'), traces: find(folder, 'traces') }
  if (!files.metrics && !files.logs && !files.traces)
    throw new AegisError(
      'INPUT_INVALID',
      `${folder} is not a case: it holds none of metrics.csv, logs.csv, traces.csv (each may end in .gz)`,
    )
  const jsonFile = path.join(folder, 'case.json')
  let description: { step_s?: number; edges?: [string, string][]; reference?: string | null } = {}
  if (existsSync(jsonFile))
    try {
      description = JSON.parse(readFileSync(jsonFile, 'utf8'))
    } catch (error) {
      throw new AegisError('INPUT_INVALID', `${jsonFile} is not JSON: ${(error as Error).message}`)
    }
  const metrics: Observation[] = []
  if (files.metrics)
    for await (const { time, cells } of csvRows(open(files.metrics), files.metrics))
      for (const [column, value] of cells) metrics.push(observationOf(column, value, time, environment, 'service:unknown'))
  const logs = files.logs ? await readLines(files.logs, environment) : []
  const spans = files.traces ? await readSpans(files.traces, environment) : []
  const misplaced = placeImpossible(logs) + placeImpossible(spans)
  const quiet = await quietTime(folder, description.reference, environment, logs, spans)
  const edges = (description.edges ?? []).map(
    ([from, to]): TopologyEdge => ({
      id: idOf(environment, from, to),
      environment,
      time: 0,
      from: `service:${from}`,
      to: `service:${to}`,
      kind: 'calls',
      source: 'user',
    }),
  )
  logs.push(...quiet.logs)
  spans.push(...quiet.spans)
  const byTime = (a: { time: number }, b: { time: number }) => a.time - b.time
  for (const list of [metrics, logs, spans]) list.sort(byTime)
  const times = [metrics, logs, spans].flatMap(list => (list.length > 0 ? [list[0].time, list[list.length - 1].time] : []))
  const from = Math.min(...times)
  return {
    name: path.basename(path.resolve(folder)),
    stepSeconds: description.step_s ?? 60,
    logs,
    metrics,
    spans,
    edges: edges.map(e => ({ ...e, time: from })),
    from,
    to: Math.max(...times),
    misplaced,
  }
}
