import { BoundedMap } from '@aegis/domain'
import protobuf from 'protobufjs'
import { uncompress } from 'snappyjs'
import type { Sample } from './prometheus-series.ts'

/**
 * Prometheus remote-write, both versions: Snappy's block format around a protobuf message. Field numbers from the specifications.
 * @see https://prometheus.io/docs/specs/prw/remote_write_spec/ @see https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/
 */
const PROTO = `
syntax = "proto3";
message Sample { double value = 1; int64 timestamp = 2; }
message Histogram { oneof count { uint64 count_int = 1; double count_float = 2; } double sum = 3; int64 timestamp = 15; }
message Label { string name = 1; string value = 2; }
message Series1 { repeated Label labels = 1; repeated Sample samples = 2; repeated Histogram histograms = 4; }
message MetricMetadata { int32 type = 1; string metric_family_name = 2; }
message Write1 { repeated Series1 timeseries = 1; repeated MetricMetadata metadata = 3; }
message Metadata { int32 type = 1; }
message Series2 { repeated uint32 labels_refs = 1; repeated Sample samples = 2; repeated Histogram histograms = 3; Metadata metadata = 5; }
message Write2 { repeated string symbols = 4; repeated Series2 timeseries = 5; }
`
const root = protobuf.parse(PROTO, { keepCase: true }).root
const messages = { 1: root.lookupType('Write1'), 2: root.lookupType('Write2') }
/** Both versions number the metric types alike. */
const TYPES = [undefined, 'counter', 'gauge', 'histogram', 'histogram', 'summary', 'gauge', 'gauge']

interface Write {
  readonly symbols: readonly string[]
  readonly metadata: readonly { readonly type: number; readonly metric_family_name: string }[]
  readonly timeseries: readonly {
    readonly labels: readonly { readonly name: string; readonly value: string }[]
    readonly labels_refs: readonly number[]
    readonly samples: readonly { readonly value: number; readonly timestamp: unknown }[]
    readonly histograms: readonly {
      readonly count: 'count_int' | 'count_float'
      readonly count_int: unknown
      readonly count_float: number
      readonly sum: number
      readonly timestamp: unknown
    }[]
    readonly metadata?: { readonly type: number } | null
  }[]
}
/** Families whose type is remembered. */
const MOST_FAMILIES = 20_000

/** Types that senders of version 1 declare; they come in requests of their own, now and then. */
export class FamilyTypes {
  readonly #types = new BoundedMap<string, string>(MOST_FAMILIES)

  declare(family: string, type: string | undefined): void {
    if (type) this.#types.set(family, type)
  }
  of(name: string): string | undefined {
    return this.#types.get(name) ?? this.#types.get(name.replace(/_(sum|count|bucket|total)$/, ''))
  }
}
export interface RemoteWrite {
  readonly samples: readonly Sample[]
  /** Samples and histograms in the request, good or bad. */
  readonly written: number
  readonly histograms: number
  /** Samples of series that cannot be read, and why the first cannot. */
  readonly bad: number
  readonly reason: string
}

/** 2 where the content type names the second message, else 1, which senders need not name. */
export const versionOf = (contentType = ''): 1 | 2 => (/proto=io\.prometheus\.write\.v2\.Request/.test(contentType) ? 2 : 1)

/** Throws on bytes that are no such message, or that unpack to more than `maxBytes`. A series that cannot be read costs no other. */
export function readRemoteWrite(body: Uint8Array, version: 1 | 2, maxBytes: number, families = new FamilyTypes()): RemoteWrite {
  const write = messages[version].decode(uncompress(body, maxBytes)) as unknown as Write
  for (const { metric_family_name, type } of write.metadata ?? []) families.declare(metric_family_name, TYPES[type])
  const samples: Sample[] = []
  let [written, histograms, bad, reason] = [0, 0, 0, '']
  for (const series of write.timeseries) {
    const size = series.samples.length + series.histograms.length
    const labels =
      version === 1 ? Object.fromEntries(series.labels.map(l => [l.name, l.value])) : labelsOf(series.labels_refs, write.symbols)
    const name = labels?.__name__
    written += size
    if (!labels || !name) {
      bad += Math.max(1, size)
      reason ||= labels ? 'a series has no name (label __name__)' : 'a label refers to a symbol that is not there'
      continue
    }
    const declared = (version === 2 ? TYPES[series.metadata?.type ?? 0] : undefined) ?? families.of(name)
    for (const { value, timestamp } of series.samples)
      samples.push({ name, labels, value, time: Number(timestamp) * 1000, type: declared })
    for (const h of series.histograms) {
      histograms++
      const at = { labels, time: Number(h.timestamp) * 1000, type: 'histogram' }
      samples.push({ ...at, name: `${name}_count`, value: Number(h[h.count] ?? 0) }, { ...at, name: `${name}_sum`, value: h.sum })
    }
  }
  return { samples, written, histograms, bad, reason }
}
function labelsOf(refs: readonly number[], symbols: readonly string[]): Record<string, string> | undefined {
  const labels: Record<string, string> = {}
  for (let i = 0; i + 1 < refs.length; i += 2) {
    const [name, value] = [symbols[refs[i]], symbols[refs[i + 1]]]
    if (name === undefined || value === undefined) return undefined
    labels[name] = value
  }
  return labels
}

/** A message as a sender packs it, for tests; `compress` of snappyjs goes around it. */
export const encodeRemoteWrite = (message: object, version: 1 | 2): Uint8Array =>
  messages[version].encode(messages[version].fromObject(message)).finish()
