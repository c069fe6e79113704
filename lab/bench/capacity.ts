/**
 * What a record costs each stage that all records pass, and what a series weighs: the stages alone, in one process, without a broker. With the cost
 * of the transport (`npm run bench -- pipeline`) it is what `aegis capacity` reckons with. Written to lab/bench/capacity.json.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DetectLogAnomalies } from '@aegis/anomaly-detector/detect-log-anomalies'
import { DetectMetricAnomalies } from '@aegis/anomaly-detector/detect-metric-anomalies'
import {
  type Input,
  idOf,
  type LogEvent,
  type LogLine,
  logsParsed,
  logsRaw,
  metricsRaw,
  type Observation,
  type Stage,
  seededRandom,
} from '@aegis/domain'
import { ParseLogs } from '@aegis/log-parser/parse-logs'
import { received, tick } from '@aegis/runtime/testing'

const BATCH = 5000
const START = 1_700_000_000_000_000
const SECOND = 1_000_000
const here = import.meta.dirname

/** Microseconds of processor time a record; what the stage emitted comes back as well. */
async function cost(stage: Stage, batches: Iterable<readonly Input[]>): Promise<{ microseconds: number; emitted: unknown[] }> {
  let records = 0
  let used = 0
  const emitted: unknown[] = []
  for (const batch of batches) {
    const before = process.cpuUsage()
    const results = await stage.process(batch, new AbortController().signal)
    stage.committed?.(results)
    const { user, system } = process.cpuUsage(before)
    used += user + system
    records += batch.filter(i => i.kind === 'value').length
    for (const r of results) if (r.kind === 'emit' && r.stream.name === logsParsed.name) emitted.push(r.value)
  }
  return { microseconds: used / records, emitted }
}

function* lines(count: number): Generator<Input[]> {
  const random = seededRandom(7)
  const words = Array.from({ length: 400 }, (_, i) => `step${i} of order`)
  for (let at = 0, offset = 0; at < count; at += BATCH) {
    const time = START + (at / BATCH) * SECOND
    yield [
      ...Array.from({ length: BATCH }, () => {
        const n = Math.floor(random() * words.length)
        const line: LogLine = {
          id: idOf('capacity', offset),
          environment: 'capacity',
          time,
          observed_time: time,
          entity: `service:s${n % 50}`,
          severity: n % 97 === 0 ? 'ERROR' : 'INFO',
          body: `${words[n]} ${Math.floor(random() * 1e6)} took ${Math.floor(random() * 900)} ms at 10.0.${n % 256}.${n % 7}`,
          attributes: {},
          source: 'bench',
        }
        return received(logsRaw, line, offset++)
      }),
      tick(time, { offset: offset++ }),
    ]
  }
}
function* parsed(events: readonly LogEvent[]): Generator<Input[]> {
  for (let at = 0; at < events.length; at += BATCH)
    yield [
      ...events.slice(at, at + BATCH).map((e, i) => received(logsParsed, e, at + i)),
      tick(START + (at / BATCH) * SECOND, { offset: at }),
    ]
}
/** Every series once a round, rounds 15 s apart. */
function* rounds(series: number, count: number): Generator<Input[]> {
  const random = seededRandom(11)
  for (let round = 0, offset = 0; round < count; round++) {
    const time = START + round * 15 * SECOND
    for (let at = 0; at < series; at += BATCH)
      yield Array.from({ length: Math.min(BATCH, series - at) }, (_, i) => {
        const n = at + i
        const value: Observation = {
          id: idOf('capacity', n, time),
          environment: 'capacity',
          time,
          entity: `service:s${Math.floor(n / 40)}`,
          metric_name: `metric_${n % 40}`,
          metric_type: 'gauge',
          value: 10 + random(),
          dimensions: {},
        }
        return received(metricsRaw, value, offset++)
      })
    yield [tick(time + SECOND, { offset: offset++ })]
  }
}
const heap = (): number => {
  global.gc?.()
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
}

export async function run(): Promise<void> {
  const parse = await cost(new ParseLogs({}), lines(400_000))
  const logs = await cost(new DetectLogAnomalies(), parsed(parse.emitted as LogEvent[]))
  parse.emitted.length = 0
  const series = 20_000
  const before = heap()
  const stage = new DetectMetricAnomalies({})
  const metrics = await cost(stage, rounds(series, 30))
  const bytes = (heap() - before) / series
  const snapshot = stage.snapshot().byteLength / series
  const pipeline = JSON.parse(readFileSync(path.join(here, 'pipeline.json'), 'utf8'))['one process']
  const figures = {
    about:
      'Microseconds of processor time a record (stage alone; transport: client, codec and transaction, from pipeline.json), bytes a series.',
    transport: round(1e6 / pipeline.identity),
    'log-parser': round(parse.microseconds),
    'anomaly-detector, lines': round(logs.microseconds),
    'anomaly-detector, values': round(metrics.microseconds),
    bytesPerSeries: Math.round(bytes),
    snapshotBytesPerSeries: Math.round(snapshot),
    check: {
      logParserMeasured: pipeline.logParser,
      logParserReckoned: Math.round(1e6 / (1e6 / pipeline.identity + parse.microseconds)),
    },
  }
  console.log(JSON.stringify(figures, null, 2))
  if (!global.gc) console.log('without --expose-gc the bytes are too high: NODE_OPTIONS=--expose-gc')
  writeFileSync(path.join(here, 'capacity.json'), `${JSON.stringify(figures, null, 2)}\n`)
}
const round = (x: number): number => Math.round(x * 10) / 10
