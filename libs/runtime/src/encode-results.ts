/** What a stage says becomes records for their topics, with the headers of CloudEvents (its Kafka protocol binding, binary mode) and the trace of their cause. */
import { AegisError, type Emit, FatalError, type Result, traceparent } from '@aegis/domain'
import type { OutRecord } from './broker.ts'
import type { Codec } from './codec.ts'
import type { Undelivered } from './dead-letters.ts'
import type { ReceivedRecord } from './decode-batch.ts'
import type { Seal } from './seal.ts'
import type { BatchTrace } from './tracing.ts'

/** A little less than the topics take, for the frame and headers. */
const MAX_VALUE_BYTES = 15 * 1024 * 1024

let lastSecond = -1
let lastIso = ''
/** RFC 3339 to the microsecond; neighbours mostly share their second, so it is formatted once for all of them. */
const isoSecond = (us: number): string => {
  const second = Math.floor(us / 1e6)
  if (second !== lastSecond) {
    lastSecond = second
    lastIso = new Date(second * 1000).toISOString().slice(0, 19)
  }
  return `${lastIso}.${String(Math.floor(us - second * 1e6)).padStart(6, '0')}Z`
}

export interface Encoding {
  readonly codec: Codec
  readonly service: string
  readonly stage: string
  /** Names of the streams that the stage may write. */
  readonly writes: ReadonlySet<string>
  /** Signs what is written, outside of the value, so that a replay's values are the same bytes. */
  readonly seal?: Seal
  readonly now?: () => number
}
export interface Encoded {
  readonly records: OutRecord[]
  readonly rejected: Undelivered[]
  readonly emitted: Emit[]
}

/**
 * @throws FatalError STREAM_UNDECLARED when a stage emits to a stream that it does not declare
 * @throws AegisError RECORD_TOO_LARGE when a value is larger than its topic takes
 */
export const encodeResults = (
  results: readonly Result[],
  { codec, service, stage, writes, seal, now }: Encoding,
  batchTrace: BatchTrace,
): Encoded => {
  const records: OutRecord[] = []
  const rejected: Undelivered[] = []
  const emitted: Emit[] = []
  const source = `aegis/${service}/${stage}`
  for (const result of results) {
    if (result.kind === 'reject') {
      rejected.push({ raw: (result.input as ReceivedRecord).raw, code: 'STAGE_REJECTED', message: result.reason })
      continue
    }
    const { stream, value, cause } = result
    if (!writes.has(stream.name))
      throw new FatalError('STREAM_UNDECLARED', `stage ${stage} emits to ${stream.name}, which is not among its writes`)
    const words = value as { id?: string; time?: number }
    const headers: Record<string, string> = {
      ce_id: words.id ?? '',
      ce_source: source,
      ce_type: stream.name,
      ce_specversion: '1.0',
    }
    if (words.time !== undefined && words.time > 0 && words.time < 8.64e18) headers.ce_time = isoSecond(words.time)
    const trace = result.trace ?? (cause?.kind === 'value' ? cause.trace : undefined)
    if (trace) headers.traceparent = traceparent(batchTrace.next(trace, { 'messaging.destination.name': stream.name }))
    const bytes = codec.encode(stream, value)
    if (bytes.length > MAX_VALUE_BYTES)
      throw new AegisError(
        'RECORD_TOO_LARGE',
        `a value of ${bytes.length} bytes for ${stream.name} is larger than the ${MAX_VALUE_BYTES} its topic takes`,
      )
    if (seal && now) Object.assign(headers, seal.sign(stream.name, bytes, now()))
    records.push({ topic: stream.name, key: stream.key(value as never), value: bytes, headers })
    emitted.push(result)
  }
  return { records, rejected, emitted }
}
