/**
 * Plays records onto the input streams in event time, with ticks of the environment's own. At full speed a tick goes to one level of the
 * pipeline after the other, each only when the level before has committed everything up to its own tick: so every stage sees time and data in
 * the order in which they belong together, and the same recording gives the same incidents each time.
 */
import {
  anomalies,
  decisions,
  incidents,
  logsParsed,
  logsRaw,
  metricsRaw,
  type Stream,
  topologyEdges,
  tracesEdges,
  tracesLines,
  tracesSpans,
  tracesVisits,
} from '@aegis/domain'
import type { StreamClient } from '@aegis/stack/pipeline/client'
import type { RecordedCase } from './read-case.ts'

/** Streams that take ticks, first to last, with the groups that read them. */
const LEVELS: readonly { stream: Stream<never>; groups: readonly string[] }[][] = [
  [{ stream: logsRaw as never, groups: ['log-parser-parse-logs'] }],
  [{ stream: tracesLines as never, groups: ['span-aggregator-join-spans'] }],
  [{ stream: tracesSpans as never, groups: ['span-aggregator-join-spans'] }],
  [{ stream: tracesEdges as never, groups: ['span-aggregator-merge-edges'] }],
  [
    { stream: metricsRaw as never, groups: ['anomaly-detector-detect-metric-anomalies'] },
    { stream: logsParsed as never, groups: ['anomaly-detector-detect-log-anomalies'] },
    { stream: tracesVisits as never, groups: ['anomaly-detector-detect-trace-anomalies'] },
  ],
  [{ stream: anomalies as never, groups: ['root-cause-analyzer-diagnose-incidents'] }],
  [{ stream: incidents as never, groups: ['remediator-decide-actions'] }],
  [{ stream: decisions as never, groups: ['executor-carry-out-decisions'] }],
]

/** How long a position may stand before it is asked what lies behind it, milliseconds. */
const LOOK_MS = 1000

/** Waits until the groups have committed what stands on the stream now. */
const settled = async (client: StreamClient, { stream, groups }: (typeof LEVELS)[number][number]): Promise<void> => {
  const { broker } = client
  for (let p = 0; p < (await broker.partitions(stream.name)); p++) {
    const end = await broker.end(stream.name, p)
    for (const group of groups) {
      const until = performance.now() + 60_000
      let lookAt = performance.now() + LOOK_MS
      for (;;) {
        const at = (await broker.committed(group, [stream.name], p))[stream.name] ?? 0
        if (at >= end) break
        const now = performance.now()
        // The tick just sent is mostly the last record; the marker of a transaction that wrote before it may come after it.
        if (now > lookAt) {
          if (!(await client.holds(stream.name, p, at, end))) break
          lookAt = performance.now() + LOOK_MS
        }
        if (now > until)
          throw new Error(`${group} did not get through ${stream.name} partition ${p} within 60 s; is the service running?`)
        await new Promise(resolve => setTimeout(resolve, 3))
      }
    }
  }
}

export interface PlayOptions {
  readonly environment: string
  /** 0: as fast as the pipeline can; 1: as recorded; 60: a minute a second. */
  readonly speed: number
  readonly tickSeconds: number
  readonly onProgress: (recordedSeconds: number) => void
  readonly signal: AbortSignal
}

export const play = async (client: StreamClient, recorded: RecordedCase, options: PlayOptions): Promise<void> => {
  const tickUs = options.tickSeconds * 1e6
  const cursors = { logs: 0, metrics: 0, spans: 0 }
  const upTo = <T extends { time: number }>(list: readonly T[], key: keyof typeof cursors, time: number): readonly T[] => {
    const from = cursors[key]
    while (cursors[key] < list.length && list[cursors[key]].time <= time) cursors[key]++
    return list.slice(from, cursors[key])
  }
  if (recorded.edges.length > 0) await client.publish(topologyEdges, recorded.edges)
  const started = performance.now()
  // After the last record time goes on for a while, so that what waits for silence can happen; the last tick says that nothing more comes.
  const end = recorded.to + 60e6
  for (let time = recorded.from; time <= end + tickUs; time += tickUs) {
    if (options.signal.aborted) return
    const logs = upTo(recorded.logs, 'logs', time)
    const metrics = upTo(recorded.metrics, 'metrics', time)
    const spans = upTo(recorded.spans, 'spans', time)
    for (let i = 0; i < logs.length; i += 5000) await client.publish(logsRaw, logs.slice(i, i + 5000))
    for (let i = 0; i < metrics.length; i += 5000) await client.publish(metricsRaw, metrics.slice(i, i + 5000))
    for (let i = 0; i < spans.length; i += 5000) await client.publish(tracesSpans, spans.slice(i, i + 5000))
    const words = { time, environment: options.environment, final: time > end, versions: {} }
    for (const level of LEVELS) {
      await client.tick(
        level.map(l => l.stream),
        words,
      )
      for (const l of level) await settled(client, l)
    }
    options.onProgress((time - recorded.from) / 1e6)
    if (options.speed > 0)
      await new Promise(resolve =>
        setTimeout(resolve, Math.max(0, (time - recorded.from) / 1e3 / options.speed - (performance.now() - started))),
      )
  }
}
