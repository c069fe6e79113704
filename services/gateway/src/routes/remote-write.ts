import { metricsRaw, type Observation } from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'
import type { FastifyInstance } from 'fastify'
import { Refused, wrongTime } from '../otlp/shape.ts'
import { Exporters } from '../sources/exporters.ts'
import { observationOf } from '../sources/prometheus-series.ts'
import { FamilyTypes, type RemoteWrite, readRemoteWrite, versionOf } from '../sources/remote-write.ts'
import type { Door } from './door.ts'

/**
 * Receiver of Prometheus remote-write 1.0 and 2.0. Senders try again on 5xx and 429 and give up on other 4xx, so bad data is answered with 400 and a broker that
 * is away with 503. What is good in a request is kept whatever else is in it.
 */
export const remoteWriteRoute = (
  app: FastifyInstance,
  context: ServiceContext,
  door: Door,
  options: { readonly environment: string; readonly maxBodyBytes: number },
): void => {
  const families = new FamilyTypes()
  const exporters = new Exporters()
  app.post('/api/v1/write', { schema: { tags: ['ingest'], summary: 'Prometheus remote-write 1.0 and 2.0.' } }, (request, reply) =>
    door.accept(request, async () => {
      const encoding = request.headers['content-encoding'] ?? 'snappy'
      if (encoding !== 'snappy')
        return reply.code(415).send({ message: `content-encoding ${encoding} is not understood; use snappy` })
      const version = versionOf(request.headers['content-type'])
      let read: RemoteWrite
      try {
        read = readRemoteWrite(request.body as Buffer, version, options.maxBodyBytes, families)
      } catch (error) {
        return reply.code(400).send({
          message: `body is not Prometheus remote-write ${version}.0 in Snappy's block format: ${(error as Error).message}`,
        })
      }
      const now = context.now()
      const refused = new Refused()
      if (read.bad > 0) refused.add(read.reason, read.bad)
      const values: Observation[] = []
      for (const sample of read.samples) exporters.see(sample)
      for (const sample of read.samples) {
        const wrong = wrongTime(sample.time, now, sample.time / 1000, 'milliseconds')
        if (wrong) refused.add(`a sample of ${sample.name}: ${wrong}`)
        else {
          const observation = observationOf(exporters.asItself(sample), options.environment)
          if (observation) values.push(observation)
        }
      }
      if (values.length > 0) await context.publish(metricsRaw, values)
      // Of native histograms count and sum are read; exemplars are not.
      reply.header('x-prometheus-remote-write-samples-written', read.written - refused.rejected)
      reply.header('x-prometheus-remote-write-histograms-written', read.histograms)
      reply.header('x-prometheus-remote-write-exemplars-written', 0)
      if (refused.rejected > 0)
        return reply
          .code(400)
          .send({ message: `${refused.rejected} left out, the rest is taken; ${refused.reason}`, rejected: refused.rejected })
      return reply.code(204).send()
    }),
  )
}
