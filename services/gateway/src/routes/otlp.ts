import { readTraceparent } from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { parseJson } from '../otlp/json.ts'
import { decodeProtobuf, encodeResponse, encodeStatus, responseOf, SIGNALS, statusOf } from '../otlp/proto.ts'
import { type TakeOptions, takeOtlp } from '../otlp/take.ts'
import type { Door } from './door.ts'

/** The encoding of a request: what it says, or where it says nothing of use, what its first byte shows. Undefined for neither. */
const encodingOf = (contentType: string | undefined, body?: Buffer): 'json' | 'protobuf' | undefined => {
  if (/json/i.test(contentType ?? '')) return 'json'
  if (/protobuf/i.test(contentType ?? '')) return 'protobuf'
  const first = body?.[0]
  return first === 0x7b || first === 0x5b ? 'json' : first === 0x0a || body?.length === 0 ? 'protobuf' : undefined
}
/** An error as OTLP wants it told: a google.rpc.Status in the encoding of the request. */
export const answerOtlpError = (request: FastifyRequest, reply: FastifyReply, status: number, message: string): FastifyReply => {
  const body = statusOf(status, message)
  if (encodingOf(request.headers['content-type'], request.body as Buffer | undefined) !== 'protobuf')
    return reply.code(status).send(body)
  return reply.code(status).type('application/x-protobuf').send(encodeStatus(body))
}
export const isOtlp = (url: string): boolean => /^\/v1\/(?:logs|metrics|traces)\b/.test(url)

/** OTLP/HTTP in both encodings. Answers only when the broker has the records, item by item, and in the encoding of the request. */
export const otlpRoutes = (app: FastifyInstance, context: ServiceContext, door: Door, options: TakeOptions): void => {
  for (const signal of SIGNALS)
    app.post(
      `/v1/${signal}`,
      { schema: { tags: ['ingest'], summary: `OTLP/HTTP ${signal}, protobuf or JSON; gzip, deflate, zstd or plain.` } },
      (request, reply) =>
        door.accept(request, async () => {
          const body = await door.plain(request)
          const contentType = request.headers['content-type']
          const encoding = encodingOf(contentType, body)
          if (!encoding)
            return answerOtlpError(
              request,
              reply,
              415,
              `content-type ${contentType ?? '(none)'} is not understood; send application/x-protobuf or application/json`,
            )
          let message: object
          try {
            message = encoding === 'json' ? parseJson(signal, body.toString()) : decodeProtobuf(signal, body)
          } catch (error) {
            const looks =
              encoding === 'protobuf' && body[0] === 0x7b ? '; it looks like JSON: send content-type application/json' : ''
            const name = encoding === 'json' ? 'JSON' : 'protobuf'
            return answerOtlpError(
              request,
              reply,
              400,
              `body is not OTLP ${signal} in ${name}: ${(error as Error).message}${looks}`,
            )
          }
          const taken = await takeOtlp(
            signal,
            message,
            request.ip,
            context,
            options,
            readTraceparent(request.headers.traceparent as string),
          )
          if (taken.accepted === 0 && taken.rejected > 0)
            return answerOtlpError(
              request,
              reply,
              400,
              `nothing could be taken; ${taken.rejected} rejected, the first because ${taken.reason}`,
            )
          const response = responseOf(signal, taken)
          return encoding === 'json'
            ? reply.send(response)
            : reply.type('application/x-protobuf').send(encodeResponse(signal, response))
        }),
    )
}
