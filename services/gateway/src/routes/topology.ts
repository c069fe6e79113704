import { parseBounded } from '@aegis/api'
import { type EdgeKind, entityId, idOf, NAMED_BY, type TopologyEdge, topologyEdges } from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { entity } from '../read-issues.ts'
import type { Door } from './door.ts'

const KINDS = ['calls', 'runs_on', 'reads', 'writes'] as const satisfies readonly EdgeKind[]
const MOST = 50_000
const described = z.strictObject({
  environment: z.string().optional(),
  /** Who there is, and where each is reached: `host:port`, a host, a name of DNS, a unit, a container. */
  entities: z
    .array(z.strictObject({ id: entity, addresses: z.array(z.string().min(1).max(300)).default([]), runs_on: entity.optional() }))
    .max(MOST)
    .default([]),
  edges: z
    .array(z.strictObject({ from: entity, to: entity, kind: z.enum(KINDS).default('calls') }))
    .max(MOST)
    .default([]),
  /** Where this was learned: `user`, `discover`, … */
  source: z.string().max(60).default('user'),
})

/** Edges of a described system, and under which addresses its entities are known: `address:<address>` is named by its entity. */
export const edgesOf = (
  said: z.output<typeof described>,
  { environment, time }: { readonly environment: string; readonly time: number },
): TopologyEdge[] => {
  const edge = (from: string, to: string, kind: string): TopologyEdge => ({
    id: idOf(environment, from, to, kind),
    environment,
    time,
    from,
    to,
    kind,
    source: said.source,
    inferred: false,
    requests_per_second: null,
    error_share: null,
  })
  return [
    ...said.entities.flatMap(e => [
      ...e.addresses.map(address => edge(entityId('address', address.toLowerCase()), e.id, NAMED_BY)),
      ...(e.runs_on ? [edge(e.id, e.runs_on, 'runs_on')] : []),
    ]),
    ...said.edges.filter(e => e.from !== e.to).map(e => edge(e.from, e.to, e.kind)),
  ]
}

/** `POST /api/v1/topology`: who there is, where, and who depends on whom, as people or `aegis discover` say it. Said again, it is refreshed. */
export const topologyRoute = (
  app: FastifyInstance,
  context: ServiceContext,
  door: Door,
  options: { readonly environment: string },
): void => {
  app.post(
    '/api/v1/topology',
    { schema: { tags: ['ingest'], summary: 'Entities with their addresses, and edges.' } },
    (request, reply) =>
      door.accept(request, async () => {
        let json: unknown
        try {
          json = parseBounded((await door.plain(request)).toString())
        } catch (error) {
          return reply.code(400).send({ message: `body is not JSON: ${(error as Error).message}` })
        }
        const read = described.safeParse(json)
        if (!read.success)
          return reply.code(400).send({
            message: read.error.issues
              .slice(0, 5)
              .map(i => `${i.path.join('.') || 'body'}: ${i.message}`)
              .join('; '),
          })
        const edges = edgesOf(read.data, { environment: read.data.environment ?? options.environment, time: context.now() })
        if (edges.length > 0) await context.publish(topologyEdges, edges)
        return reply.code(202).send({ entities: read.data.entities.length, edges: read.data.edges.length })
      }),
  )
}
