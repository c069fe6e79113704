import { metricsRaw } from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { precisionOf, readInfluxLines } from '../sources/influx.ts'
import { taggedObservation } from '../sources/tagged.ts'
import type { Door } from './door.ts'

/** InfluxDB's write routes of both versions. Of a body with lines that cannot be read the others are taken, and the answer names the lines. */
export const influxRoutes = (
  app: FastifyInstance,
  context: ServiceContext,
  door: Door,
  options: { readonly environment: string },
): void => {
  const write = (version: 1 | 2) => (request: FastifyRequest<{ Querystring: { precision?: string } }>, reply: FastifyReply) =>
    door.accept(request, async () => {
      const refuse = (message: string, line?: number) =>
        reply
          .code(400)
          .header('x-influxdb-error', message.slice(0, 500).replace(/[^\x20-\x7e]/g, '?'))
          .send(version === 1 ? { error: message } : { code: 'invalid', message, ...(line ? { line } : {}) })
      const unit = precisionOf(request.query.precision)
      if (unit === undefined) return refuse(`precision ${request.query.precision} is not one of ns, us, ms, s, m, h`)
      const { values, bad } = readInfluxLines((await door.plain(request)).toString(), unit, context.now())
      const now = context.now()
      if (values.length > 0)
        await context.publish(
          metricsRaw,
          values.map(v => taggedObservation(v, now, options.environment, true)),
        )
      if (bad.length === 0) return reply.code(204).send()
      const named = bad.slice(0, 5).map(({ line, reason }) => `line ${line}: ${reason}`)
      return refuse(
        `${values.length > 0 ? 'partial write' : 'nothing written'}: ${named.join('; ')} dropped=${bad.length}`,
        bad[0].line,
      )
    })
  const schema = { tags: ['ingest'], summary: "InfluxDB's line protocol." }
  app.post('/write', { schema }, write(1))
  app.post('/api/v2/write', { schema }, write(2))
  // Clients look whether there is an InfluxDB before they write, and the older ones make their database.
  app.get('/ping', { schema: { hide: true } }, (_request, reply) => reply.code(204).header('x-influxdb-version', '1.8.10').send())
  app.post('/query', { schema: { hide: true } }, (_request, reply) => reply.send({ results: [{ statement_id: 0 }] }))
}
