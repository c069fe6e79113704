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
message Label { string name = 1; string value = 2; }
message Series1 { repeated Label labels = 1; repeated Sample samples = 2; }
message MetricMetadata { int32 type = 1; string metric_family_name = 2; }
message Write1 { repeated Series1 timeseries = 1; repeated MetricMetadata metadata = 3; }
message Metadata { int32 type = 1; }
message Series2 { repeated uint32 labels_refs = 1; repeated Sample samples = 2; Metadata metadata = 5; }
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
    readonly metadata?: { readonly type: number } | null
  }[]
}

/** 2 where the content type names the second message, else 1, which senders need not name. */
export const versionOf = (contentType = ''): 1 | 2 => (/proto=io\.prometheus\.write\.v2\.Request/.test(contentType) ? 2 : 1)

/** Throws on bytes that are no such message, or that unpack to more than `maxBytes`. */
export function decodeRemoteWrite(body: Uint8Array, version: 1 | 2, maxBytes: number): Sample[] {
  const write = messages[version].decode(uncompress(body, maxBytes)) as unknown as Write
  const families = new Map((write.metadata ?? []).map(m => [m.metric_family_name, TYPES[m.type]]))
  const samples: Sample[] = []
  for (const series of write.timeseries) {
    const labels: Record<string, string> = {}
    if (version === 1) for (const { name, value } of series.labels) labels[name] = value
    else
      for (let i = 0; i + 1 < series.labels_refs.length; i += 2) {
        const name = write.symbols[series.labels_refs[i]]
        const value = write.symbols[series.labels_refs[i + 1]]
        if (name === undefined || value === undefined) throw new Error('a label refers to a symbol that is not there')
        labels[name] = value
      }
    const name = labels.__name__ ?? ''
    const declared = version === 2 ? TYPES[series.metadata?.type ?? 0] : families.get(name.replace(/_(sum|count|bucket)$/, ''))
    for (const { value, timestamp } of series.samples)
      samples.push({ name, labels, value, time: Number(timestamp) * 1000, type: declared })
  }
  return samples
}

/** A message as a sender packs it, for tests; `compress` of snappyjs goes around it. */
export const encodeRemoteWrite = (message: object, version: 1 | 2): Uint8Array =>
  messages[version].encode(messages[version].fromObject(message)).finish()
