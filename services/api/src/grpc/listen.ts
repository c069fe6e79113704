/** The inference API over gRPC, with health (grpc.health.v1) and reflection: the same functions and the same checks as over HTTP. */
import path from 'node:path'
import { type Authenticate, adviceQuestion, anomalyQuestion, failureQuestion, policyQuestion } from '@aegis/api'
import { AegisError } from '@aegis/domain'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'
import { HealthImplementation } from 'grpc-health-check'
import type { z } from 'zod'
import type { Inference } from '../inference/inference.ts'

export interface GrpcOptions {
  readonly host: string
  readonly port: number
  readonly inference: Inference
  readonly auth: Pick<Authenticate, 'byHeader'>
}
const NAME = 'aegis.inference.v1.Inference'
const MOST_BYTES = 16 * 1024 * 1024
const STATUS: Readonly<Record<number, grpc.status>> = {
  400: grpc.status.INVALID_ARGUMENT,
  401: grpc.status.UNAUTHENTICATED,
  404: grpc.status.NOT_FOUND,
  503: grpc.status.UNAVAILABLE,
}

/** proto3 knows no absence of a text: an empty one was not said. */
const said = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(said)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== '' && v !== null && v !== undefined)
      .map(([k, v]) => [k, said(v)]),
  )
}
interface StructValue {
  readonly kind?: string
  readonly [kind: string]: unknown
}
/** google.protobuf.Struct, as the loader hands it over, to plain values. */
const plain = (value: StructValue | undefined): unknown => {
  if (value === undefined) return undefined
  if (value.fields)
    return Object.fromEntries(Object.entries(value.fields as Record<string, StructValue>).map(([k, v]) => [k, plain(v)]))
  if (value.kind === 'structValue') return plain(value.structValue as StructValue)
  if (value.kind === 'listValue') return ((value.listValue as { values?: StructValue[] }).values ?? []).map(plain)
  return value.kind === undefined || value.kind === 'nullValue' ? null : value[value.kind]
}

type Unary = grpc.handleUnaryCall<unknown, unknown>
export const listenInference = async ({ host, port, inference, auth }: GrpcOptions) => {
  const answer =
    <S extends z.ZodType>(schema: S, ask: (question: z.output<S>, who: string) => unknown): Unary =>
    (call, callback) => {
      const refuse = (code: grpc.status, details: string) => callback({ code, details })
      const sender = auth.byHeader(call.metadata.get('authorization')[0]?.toString(), 'read')
      if (!sender) return refuse(grpc.status.UNAUTHENTICATED, 'a key is needed: metadata authorization: Bearer KEY')
      const read = schema.safeParse(said(call.request))
      if (!read.success)
        return refuse(
          grpc.status.INVALID_ARGUMENT,
          read.error.issues
            .map(i => `${i.path.join('.')}: ${i.message}`)
            .slice(0, 5)
            .join('; '),
        )
      try {
        callback(null, ask(read.data, sender.name))
      } catch (error) {
        const status = (error as { statusCode?: number }).statusCode
        refuse(
          STATUS[status ?? 500] ?? grpc.status.INTERNAL,
          error instanceof AegisError ? error.message : 'a fault of Aegis; the log of the service "api" says more',
        )
      }
    }
  const definition = loadSync(path.join(import.meta.dirname, 'inference.proto'), {
    keepCase: true,
    longs: Number,
    defaults: true,
    oneofs: true,
  })
  const server = new grpc.Server({ 'grpc.max_receive_message_length': MOST_BYTES })
  server.addService(definition[NAME] as unknown as grpc.ServiceDefinition, {
    DetectAnomaly: answer(anomalyQuestion, (question, who) => inference.detectAnomaly(question, who)),
    DetectFailure: answer(failureQuestion, (question, who) => {
      const found = inference.detectFailure(question, who)
      return { ...found, failure_type: found.failure_type ?? '' }
    }),
    EvaluatePolicy: answer(policyQuestion, (question, who) => {
      const { metadata, ...context } = question.context
      return inference.evaluatePolicy(
        { ...question, context: { ...context, metadata: (plain(metadata as StructValue) ?? {}) as Record<string, unknown> } },
        who,
      )
    }),
    Advise: answer(adviceQuestion, (question, who) => inference.advise(question, who)),
  })
  const health = new HealthImplementation({ '': 'SERVING', [NAME]: 'SERVING' })
  health.addToServer(server)
  new ReflectionService(definition).addToServer(server)
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`${host}:${port}`, grpc.ServerCredentials.createInsecure(), (error, at) =>
      error ? reject(error) : resolve(at),
    ),
  )
  return {
    port: bound,
    close: () =>
      new Promise<void>(resolve => {
        health.setStatus('', 'NOT_SERVING')
        server.tryShutdown(() => resolve())
        setTimeout(() => server.forceShutdown(), 500).unref()
      }),
  }
}
