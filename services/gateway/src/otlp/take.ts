import { changes, logsRaw, metricsRaw, type Stream, type TraceContext, tracesSpans } from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'
import type { NoticeChanges } from '../notice-changes.ts'
import type { Signal } from './proto.ts'
import type { Read, ReadOptions } from './read.ts'
import { readLogs } from './read-logs.ts'
import { readMetrics } from './read-metrics.ts'
import { readTraces } from './read-traces.ts'
import type { WatchSenderClocks } from './watch-sender-clocks.ts'

export interface TakeOptions extends Pick<ReadOptions, 'environment' | 'redact'> {
  readonly notice: NoticeChanges
  readonly clocks: WatchSenderClocks
}
export interface Taken {
  readonly rejected: number
  /** Why, the first of the reasons; or what its sender should know although all was taken. */
  readonly reason: string
  readonly accepted: number
}
const READERS: Readonly<
  Record<
    Signal,
    readonly [read: (message: object, options: ReadOptions) => Read<{ time: number; environment: string }>, stream: Stream<never>]
  >
> = {
  logs: [readLogs, logsRaw as never],
  metrics: [readMetrics, metricsRaw as never],
  traces: [readTraces, tracesSpans as never],
}

/** What a stranger sent must not look like a broken server, or it would be sent again and again. */
const readSafely = <T>(read: (message: object, options: ReadOptions) => T, message: object, options: ReadOptions): T => {
  try {
    return read(message, options)
  } catch (error) {
    throw Object.assign(new Error(`cannot be read: ${(error as Error).message}`), { statusCode: 400 })
  }
}

/** What OTLP brought, whichever way it came, onto its stream; resolves when the broker has it. */
export const takeOtlp = async (
  signal: Signal,
  message: object,
  source: string,
  context: Pick<ServiceContext, 'now' | 'publish'>,
  options: TakeOptions,
  trace?: TraceContext,
): Promise<Taken> => {
  const now = context.now()
  const [read, stream] = READERS[signal]
  const { values, origins, rejected, reason } = readSafely(read, message, { ...options, now, source })
  const noticed = options.notice.notice(origins, now)
  if (noticed.length > 0) await context.publish(changes, noticed)
  if (values.length > 0) await context.publish(stream, values as never[], trace)
  return { accepted: values.length, rejected, reason: reason || options.clocks.watch(source, values, now) }
}
