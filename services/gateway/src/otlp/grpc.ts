import type { Authenticate } from '@aegis/api'
import { readTraceparent } from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'
import {
  logVerbosity,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  setLogVerbosity,
  status,
} from '@grpc/grpc-js'
import type { Door } from '../routes/door.ts'
import { decodeProtobuf, encodeResponse, responseOf, type Signal } from './proto.ts'
import { type TakeOptions, takeOtlp } from './take.ts'

export interface GrpcOptions extends TakeOptions {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  readonly maxBodyBytes: number
  /** Asked about the metadata `authorization`; undefined: everybody may. */
  readonly auth?: Pick<Authenticate, 'byHeader'>
}
const SERVICES: Readonly<Record<Signal, string>> = {
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
}
// What goes wrong is told to the sender or by whoever starts it; its own lines on standard error would say it once more.
setLogVerbosity(logVerbosity.NONE)
type Call = ServerUnaryCall<Buffer, Buffer>
const asIs = (bytes: Buffer): Buffer => bytes

/**
 * OTLP/gRPC, read by the same code as OTLP/HTTP; gzip as gRPC has it. Resolves when it listens; rejects where the port cannot be had.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlpgrpc
 */
export const listenGrpc = async (
  options: GrpcOptions,
  context: Pick<ServiceContext, 'now' | 'publish' | 'log'>,
  door: Door,
): Promise<{ readonly port: number; close(): Promise<void> }> => {
  const server = new Server({ 'grpc.max_receive_message_length': options.maxBodyBytes })
  const isAllowed = (metadata: Metadata): boolean =>
    options.auth === undefined ||
    options.auth.byHeader(metadata.get('authorization')[0] as string | undefined, 'ingest') !== undefined
  const fail = (code: status, details: string) => ({ code, details })
  const take = async (signal: Signal, call: Call) => {
    const { request, metadata } = call
    if (!isAllowed(metadata)) throw fail(status.UNAUTHENTICATED, 'a bearer token is needed')
    let message: object
    try {
      message = decodeProtobuf(signal, request)
    } catch (error) {
      throw fail(status.INVALID_ARGUMENT, `message is not OTLP ${signal}: ${(error as Error).message}`)
    }
    const source = call
      .getPeer()
      .replace(/^ipv[46]:/, '')
      .replace(/:\d+$/, '')
      .replace(/^\[(.*)\]$/, '$1')
    const trace = readTraceparent(metadata.get('traceparent')[0] as string | undefined)
    const taken = await takeOtlp(signal, message, source, context, options, trace)
    if (taken.accepted === 0 && taken.rejected > 0)
      throw fail(status.INVALID_ARGUMENT, `nothing could be taken; ${taken.rejected} rejected, the first because ${taken.reason}`)
    return encodeResponse(signal, responseOf(signal, taken))
  }
  for (const signal of Object.keys(SERVICES) as Signal[])
    server.addService(
      {
        Export: {
          path: `/${SERVICES[signal]}/Export`,
          requestStream: false,
          responseStream: false,
          requestSerialize: asIs,
          requestDeserialize: asIs,
          responseSerialize: asIs,
          responseDeserialize: asIs,
        },
      },
      {
        Export: (call: Call, answer: sendUnaryData<Buffer>) => {
          door
            .hold(call.request.length, () => take(signal, call))
            .then(response => answer(null, response))
            .catch(error => {
              if (typeof error.code === 'number') return answer(error)
              if (error.statusCode === 400) return answer(fail(status.INVALID_ARGUMENT, error.message))
              if (error.statusCode === 429) return answer(fail(status.RESOURCE_EXHAUSTED, error.message))
              context.log.warn({ err: error }, 'request failed')
              answer(fail(status.UNAVAILABLE, error.message))
            })
        },
      },
    )
  const address = options.host.includes(':') ? `[${options.host}]` : options.host
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`${address}:${options.port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  return {
    port,
    close: () =>
      new Promise(resolve => {
        const hard = setTimeout(() => server.forceShutdown(), 2000)
        server.tryShutdown(() => {
          clearTimeout(hard)
          resolve()
        })
      }),
  }
}
