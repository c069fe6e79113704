/** The same telemetry, made by OpenTelemetry's SDK and serialized by its exporters in both encodings, must give the same values. */
import { type AnyValue, SpanKind, SpanStatusCode, ValueType } from '@opentelemetry/api'
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs'
import {
  AggregationTemporality,
  AggregationType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseJson } from './json.ts'
import { decodeProtobuf, type Signal } from './proto.ts'
import type { Read, ReadOptions } from './read.ts'
import { readLogs } from './read-logs.ts'
import { readMetrics } from './read-metrics.ts'
import { readTraces } from './read-traces.ts'

const NOW = 1_800_000_000_000_000
const resource = resourceFromAttributes({ 'service.name': 'till', lanes: 7, 'service.instance.id': 'till-0' })
const options: ReadOptions = { environment: 'e', now: NOW, source: 's', redact: text => text }

/** Read of both encodings, which must be alike. */
const both = <T>(
  signal: Signal,
  read: (message: object, options: ReadOptions) => Read<T>,
  json: Uint8Array | undefined,
  protobuf: Uint8Array | undefined,
): Read<T> => {
  const one = read(parseJson(signal, Buffer.from(json!).toString()), options)
  const other = read(decodeProtobuf(signal, protobuf!), options)
  expect(other).toEqual(one)
  return one
}
const scalar = fc.oneof(
  fc.string(),
  fc.boolean(),
  fc.integer(),
  // Beyond, a number of JavaScript in JSON is no longer the whole number that was meant.
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 53), max: 2 ** 53 }).map(n => (n === 0 ? 0.5 : n)),
)
const attributes = fc.dictionary(
  fc.stringMatching(/^[a-z]{1,6}(\.[a-z_]{1,6})?$/),
  fc.oneof(scalar, fc.array(fc.string(), { maxLength: 3 })),
  { maxKeys: 4 },
)
const body: fc.Arbitrary<AnyValue> = fc.letrec<{ any: AnyValue }>(tie => ({
  any: fc.oneof(
    { maxDepth: 3 },
    scalar as fc.Arbitrary<AnyValue>,
    fc.uint8Array({ maxLength: 8 }) as fc.Arbitrary<AnyValue>,
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie('any'), { maxKeys: 3 }),
  ),
})).any
const nanoTime = fc
  .tuple(fc.integer({ min: 1_700_000_000, max: 1_799_999_999 }), fc.nat(999_999_999))
  .map(([s, n]) => [s, n] as [number, number])

it('logs', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(body, attributes, fc.integer({ min: 0, max: 24 }), nanoTime), { minLength: 1, maxLength: 4 }),
      records => {
        const kept = new InMemoryLogRecordExporter()
        const logger = new LoggerProvider({ resource, processors: [new SimpleLogRecordProcessor({ exporter: kept })] }).getLogger(
          'l',
          '1',
        )
        for (const [body, attributes, severityNumber, timestamp] of records)
          logger.emit({ body, attributes, severityNumber, timestamp, observedTimestamp: timestamp })
        const made = kept.getFinishedLogRecords()
        const read = both(
          'logs',
          readLogs,
          JsonLogsSerializer.serializeRequest(made),
          ProtobufLogsSerializer.serializeRequest(made),
        )
        expect(read.values.length + read.rejected).toBe(records.length)
        for (const [i, [body, , , time]] of records.entries()) {
          if (read.rejected > 0) continue
          if (typeof body === 'string' && body !== '') expect(read.values[i].body).toBe(body)
          if (typeof body === 'number' || typeof body === 'boolean') expect(read.values[i].body).toBe(String(body))
          expect(read.values[i].time).toBe(time[0] * 1e6 + Math.floor(time[1] / 1000))
        }
      },
    ),
    { seed: 15, numRuns: 150 },
  )
})

it('spans', () => {
  const span = fc.record({
    name: fc.string(),
    attributes,
    kind: fc.constantFrom(SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER),
    code: fc.constantFrom(SpanStatusCode.UNSET, SpanStatusCode.OK, SpanStatusCode.ERROR),
    message: fc.string(),
    start: nanoTime,
  })
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 4 }), spans => {
      const kept = new InMemorySpanExporter()
      const tracer = new TracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor({ exporter: kept })] }).getTracer(
        't',
      )
      for (const { name, attributes, kind, code, message, start } of spans) {
        const made = tracer.startSpan(name, { kind, attributes, startTime: start })
        if (code !== SpanStatusCode.UNSET) made.setStatus({ code, message })
        made.addEvent('exception', { 'exception.type': 'X' })
        made.end([start[0] + 1, start[1]])
      }
      const made = kept.getFinishedSpans()
      const read = both(
        'traces',
        readTraces,
        JsonTraceSerializer.serializeRequest(made),
        ProtobufTraceSerializer.serializeRequest(made),
      )
      expect(read.rejected).toBe(0)
      expect(read.values.map(v => [v.operation, v.kind, v.duration_us])).toEqual(
        spans.map(s => [s.name, SpanKind[s.kind].toLowerCase(), 1_000_000]),
      )
    }),
    { seed: 15, numRuns: 100 },
  )
})

it('metrics, in both temporalities, with explicit and exponential histograms', async () => {
  const change = fc.tuple(
    fc.constantFrom('counter', 'upDown', 'gauge', 'histogram', 'exponential'),
    fc.oneof(fc.integer({ min: 0, max: 1_000_000 }), fc.double({ min: 0.001, max: 1e6, noNaN: true })),
    attributes,
  )
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA),
      fc.array(change, { minLength: 1, maxLength: 6 }),
      async (temporality, changes) => {
        const kept = new InMemoryMetricExporter(temporality)
        const reader = new PeriodicExportingMetricReader({ exporter: kept, exportIntervalMillis: 1e9 })
        const provider = new MeterProvider({
          resource,
          readers: [reader],
          views: [{ instrumentName: 'exponential', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
        })
        const meter = provider.getMeter('m')
        const whole = { valueType: ValueType.INT }
        const instruments = {
          counter: meter.createCounter('counter', { unit: '1' }),
          upDown: meter.createUpDownCounter('upDown', whole),
          gauge: meter.createGauge('gauge'),
          histogram: meter.createHistogram('histogram', { unit: 'ms' }),
          exponential: meter.createHistogram('exponential'),
        }
        for (const [kind, value, attributes] of changes) {
          const instrument = instruments[kind as keyof typeof instruments]
          if ('add' in instrument) instrument.add(kind === 'upDown' ? Math.floor(value) : value, attributes)
          else instrument.record(value, attributes)
        }
        await reader.forceFlush()
        const [made] = kept.getMetrics()
        const { values, rejected } = both(
          'metrics',
          readMetrics,
          JsonMetricsSerializer.serializeRequest(made),
          ProtobufMetricsSerializer.serializeRequest(made),
        )
        await provider.shutdown()
        expect(rejected).toBe(0)
        const sum = (name: string) => values.filter(v => v.metric_name === name).reduce((n, v) => n + v.value, 0)
        const given = (kind: string) => changes.filter(c => c[0] === kind).map(c => c[1])
        expect(sum('counter')).toBeCloseTo(
          given('counter').reduce((a, b) => a + b, 0),
          3,
        )
        expect(sum('histogram.count')).toBe(given('histogram').length)
        expect(sum('exponential.count')).toBe(given('exponential').length)
        expect(sum('exponential.sum')).toBeCloseTo(
          given('exponential').reduce((a, b) => a + b, 0),
          3,
        )
        const type = temporality === AggregationTemporality.DELTA ? 'delta' : 'counter'
        for (const v of values) if (/^counter|histogram/.test(v.metric_name)) expect(v.metric_type).toBe(type)
      },
    ),
    { seed: 15, numRuns: 60 },
  )
})
