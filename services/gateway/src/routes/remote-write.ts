import { metricsRaw } from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { observationOf } from '../sources/prometheus-series.ts'
import { decodeRemoteWrite, versionOf } from '../sources/remote-write.ts'

export interface RemoteWriteOptions {
  readonly environment: string
  readonly maxBodyBytes: number
  /** Counts the body against what may be in flight. */
  readonly accept: (request: FastifyRequest, work: () => Promise<FastifyReply>) => Promise<FastifyReply>
}

/**
 * Receiver of Prometheus remote-write 1.0 and 2.0. Senders try again on 5xx and 429 and give up on other 4xx, so bad data is answered with 400 and a broker that
 * is away with 503.
 */
export const remoteWriteRoute = (app: FastifyInstance, context: ServiceContext, options: RemoteWriteOptions): void => {
  app.post('/api/v1/write', { schema: { tags: ['ingest'], summary: 'Prometheus remote-write 1.0 and 2.0.' } }, (request, reply) =>
    options.accept(request, async () => {
      const encoding = request.headers['content-encoding'] ?? 'snappy'
      if (encoding !== 'snappy')
        return reply.code(415).send({ message: `content-encoding ${encoding} is not understood; use snappy` })
      const version = versionOf(request.headers['content-type'])
      let samples: ReturnType<typeof decodeRemoteWrite>
      try {
        samples = decodeRemoteWrite(request.body as Buffer, version, options.maxBodyBytes)
      } catch (error) {
        return reply.code(400).send({
          message: `body is not Prometheus remote-write ${version}.0 in Snappy's block format: ${(error as Error).message}`,
        })
      }
      const values = samples.map(s => observationOf(s, options.environment)).filter(v => v !== undefined)
      if (values.length > 0) await context.publish(metricsRaw, values)
      // Histograms in Prometheus's native form and exemplars are not read.
      reply.header('x-prometheus-remote-write-samples-written', samples.length)
      reply.header('x-prometheus-remote-write-histograms-written', 0)
      reply.header('x-prometheus-remote-write-exemplars-written', 0)
      return reply.code(204).send()
    }),
  )
}
