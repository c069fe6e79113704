import path from 'node:path'
import protobuf from 'protobufjs'

export const SIGNALS = ['logs', 'metrics', 'traces'] as const
export type Signal = (typeof SIGNALS)[number]

/** The published definitions, read as they are. @see https://opentelemetry.io/docs/specs/otlp/ */
const FOLDER = path.join(import.meta.dirname, 'protos')
const SERVICES = ['logs/v1/logs_service', 'metrics/v1/metrics_service', 'trace/v1/trace_service']

const root = new protobuf.Root()
root.resolvePath = (_origin, target) => path.resolve(FOLDER, target)
root.loadSync(SERVICES.map(name => `opentelemetry/proto/collector/${name}.proto`))
protobuf.parse('syntax = "proto3"; package google.rpc; message Status { int32 code = 1; string message = 2; }', root)
root.resolveAll()
/** A member of a oneof that was not sent is nothing: without this it reads as the zero of its type, and which member was sent is lost. */
const unset = (space: protobuf.NamespaceBase): void => {
  for (const member of space.nestedArray) {
    if (member instanceof protobuf.Type)
      for (const field of member.fieldsArray) if (field.partOf) Object.assign(member.ctor.prototype, { [field.name]: undefined })
    if (member instanceof protobuf.Namespace) unset(member)
  }
}
unset(root)

const collector = (name: string): protobuf.Type => root.lookupType(`opentelemetry.proto.collector.${name}`)
const requests = {
  logs: collector('logs.v1.ExportLogsServiceRequest'),
  metrics: collector('metrics.v1.ExportMetricsServiceRequest'),
  traces: collector('trace.v1.ExportTraceServiceRequest'),
}
const responses = {
  logs: collector('logs.v1.ExportLogsServiceResponse'),
  metrics: collector('metrics.v1.ExportMetricsServiceResponse'),
  traces: collector('trace.v1.ExportTraceServiceResponse'),
}
const status = root.lookupType('google.rpc.Status')

/** A protobuf body in the shape of OTLP's JSON encoding (camelCase; ids stay bytes). Throws on what is no protobuf. */
export const decodeProtobuf = (signal: Signal, body: Uint8Array): object => requests[signal].decode(body)
/** The other way, for tests and clients. */
export const encodeProtobuf = (signal: Signal, message: object): Uint8Array =>
  requests[signal].encode(requests[signal].fromObject(message)).finish()

/** What OTLP answers: nothing where all was taken, else how many items were not, and why. */
export const responseOf = (signal: Signal, { rejected, reason }: { rejected: number; reason: string }): object =>
  rejected === 0 && reason === ''
    ? {}
    : {
        partialSuccess: {
          [signal === 'logs' ? 'rejectedLogRecords' : signal === 'metrics' ? 'rejectedDataPoints' : 'rejectedSpans']: rejected,
          errorMessage: reason,
        },
      }
export const encodeResponse = (signal: Signal, response: object): Buffer =>
  Buffer.from(responses[signal].encode(responses[signal].fromObject(response)).finish())
export const decodeResponse = (signal: Signal, body: Uint8Array): object => responses[signal].decode(body).toJSON()

/** Codes of google.rpc, as OTLP's errors carry them, by status of HTTP. */
const CODES: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 404: 5, 413: 3, 415: 3, 429: 8, 503: 14 }
export const statusOf = (httpStatus: number, message: string): { code: number; message: string } => ({
  code: CODES[httpStatus] ?? (httpStatus < 500 ? 3 : 13),
  message,
})
export const encodeStatus = (value: { code: number; message: string }): Buffer => Buffer.from(status.encode(value).finish())
export const decodeStatus = (body: Uint8Array): { code: number; message: string } =>
  status.decode(body) as unknown as { code: number; message: string }
