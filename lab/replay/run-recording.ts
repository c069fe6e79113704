/** A recording through a pipeline, from whatever command asks for it: the pipeline, the playing, and what came of it in words. */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import {
  AegisError,
  type Anomaly,
  anomalies,
  type Decision,
  decisions,
  type Incident,
  incidents,
  type LogEvent,
  logsParsed,
  logsRaw,
  metricsRaw,
  type Stream,
  tracesSpans,
} from '@aegis/domain'
import { canRunServers, up } from '@aegis/stack/local/stack'
import { connectClient, StreamClient } from '@aegis/stack/pipeline/client'
import { startEmbedded, startProcesses } from '@aegis/stack/pipeline/pipeline'
import { play } from './play.ts'
import type { RecordedCase } from './read-case.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
export type PipelineKind = 'auto' | 'real' | 'embedded' | 'running'

export interface CameOfIt {
  /** Newest word of each, by id. */
  readonly anomalies: Map<string, Anomaly>
  readonly incidents: Map<string, Incident>
  readonly decisions: Map<string, Decision>
  /** Records seen of each stream; of parsed log lines, the lines. */
  readonly count: Map<string, number>
}

/** Plays it to the end and waits until everything it set off has been seen. */
export const playThrough = async (
  client: StreamClient,
  recorded: RecordedCase,
  options: {
    readonly environment: string
    readonly speed: number
    readonly tickSeconds: number
    readonly signal: AbortSignal
    /** Told of the seconds of the recording that have gone by since it was last told. */
    readonly onSeconds?: (seconds: number) => void
  },
): Promise<CameOfIt> => {
  const { environment } = options
  const wanted = [logsRaw, metricsRaw, tracesSpans, logsParsed, anomalies, incidents, decisions] as unknown as Stream<never>[]
  const count = new Map<string, number>()
  const newest = {
    anomalies: new Map<string, Anomaly>(),
    incidents: new Map<string, Incident>(),
    decisions: new Map<string, Decision>(),
  }
  const tail = await client.tail(wanted, 'end', decoded => {
    for (const { value, record } of decoded) {
      const v = value as { environment?: string; id: string } | undefined
      if (v?.environment !== environment) continue
      count.set(
        record.topic,
        (count.get(record.topic) ?? 0) + (record.topic === logsParsed.name ? ((v as unknown as LogEvent).lines ?? 1) : 1),
      )
      if (record.topic === anomalies.name) newest.anomalies.set(v.id, v as never)
      if (record.topic === incidents.name) newest.incidents.set(v.id, v as never)
      if (record.topic === decisions.name) newest.decisions.set((v as unknown as Decision).decision, v as never)
    }
  })
  let last = 0
  await play(client, recorded, {
    environment,
    speed: options.speed,
    tickSeconds: options.tickSeconds,
    onProgress: seconds => {
      options.onSeconds?.(seconds - last)
      last = seconds
    },
    signal: options.signal,
  })
  // The tail reads behind the pipeline: wait until it has counted everything.
  const produced = () =>
    (count.get(logsRaw.name) ?? 0) + (count.get(tracesSpans.name) ?? 0) >= recorded.logs.length + recorded.spans.length &&
    (count.get(logsParsed.name) ?? 0) >= recorded.logs.length
  for (let i = 0; i < 100 && !produced(); i++) await new Promise(resolve => setTimeout(resolve, 100))
  await new Promise(resolve => setTimeout(resolve, 300))
  await tail.close()
  return { ...newest, count }
}

export async function pipelineFor(
  kind: PipelineKind,
  say: (line: string) => void,
  closers: (() => Promise<void>)[],
  signal: AbortSignal,
  more: Readonly<Record<string, string>> = {},
): Promise<StreamClient> {
  const base = path.join(process.env.AEGIS_STATE_DIR ?? path.join(ROOT, '.aegis'), 'replay')
  mkdirSync(base, { recursive: true })
  const logFolder = path.join(base, 'logs')
  const settings = {
    AEGIS_CLOCK: 'off',
    AEGIS_DATA_PARTITIONS: '1',
    AEGIS_ENVIRONMENT_PARTITIONS: '1',
    AEGIS_BATCH_WAIT_MS: '0',
    ...more,
  }
  if (kind === 'running') {
    const client = await connectClient()
    closers.push(() => client.close())
    return client
  }
  if (kind === 'embedded' || (kind === 'auto' && !(await canRunServers()))) {
    say('pipeline: embedded in this process')
    const pipeline = await startEmbedded({ env: settings, logFolder })
    closers.push(() => pipeline.stop())
    return new StreamClient(pipeline.infrastructure!)
  }
  say('pipeline: real servers and services')
  const stack = await up({ attached: true, say: line => say(`  ${line}`), signal, folder: path.join(base, 'stack') })
  closers.push(() => stack.stop())
  const lost: string[] = []
  const pipeline = await startProcesses({
    env: { ...settings, ...stack.env },
    logFolder,
    onLost: (service, how) => lost.push(`${service}: ${how}`),
  })
  closers.push(() => pipeline.stop())
  Object.assign(process.env, stack.env)
  if (lost.length > 0) throw new AegisError('BROKER_UNAVAILABLE', lost.join('; '))
  const client = await connectClient()
  closers.push(() => client.close())
  return client
}
