/** Routes with one zod schema each for what comes in and goes out: it checks the request, and the document is made of it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { parseBounded } from './bounded-json.ts'
import { type FieldError, Problem } from './problem.ts'

/** A schema, or the JSON Schema of what is described elsewhere (records, by Avro). */
export type Described = z.ZodType | { readonly jsonSchema: object }

export interface RouteSpec {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** As fastify writes it: `/api/v1/incidents/:id`. */
  readonly url: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly params?: z.ZodType
  readonly query?: z.ZodType
  readonly body?: z.ZodType
  readonly answer?: Described
  /** Types of the answer besides JSON. */
  readonly answerTypes?: readonly string[]
  readonly status?: number
  /** Statuses of problems it may answer besides 400, 401 and 403. */
  readonly problems?: readonly number[]
  /** Example bodies for the document. */
  readonly example?: unknown
}
type Out<S> = S extends z.ZodType ? z.output<S> : undefined
export interface Asked<S extends RouteSpec> {
  readonly params: Out<S['params']>
  readonly query: Out<S['query']>
  readonly body: Out<S['body']>
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

const checked = (where: string, schema: z.ZodType, value: unknown): unknown => {
  const read = schema.safeParse(value)
  if (read.success) return read.data
  const errors: FieldError[] = read.error.issues.slice(0, 20).map(issue => ({
    pointer: `#/${[...(where === 'body' ? [] : [where]), ...issue.path].map(p => String(p).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`,
    detail: issue.message,
  }))
  throw new Problem(400, errors.map(e => `${e.pointer.slice(2) || 'body'}: ${e.detail}`).join('; '), errors)
}

export class Routes {
  readonly #app: FastifyInstance
  readonly specs: RouteSpec[] = []

  constructor(app: FastifyInstance) {
    this.#app = app
  }

  /** Tells the document of routes that stand elsewhere. */
  describe(...specs: readonly RouteSpec[]): void {
    this.specs.push(...specs)
  }
  /** What the handler returns is sent as JSON, unless it sent something itself. */
  add<const S extends RouteSpec>(spec: S, handler: (asked: Asked<S>) => unknown): void {
    this.specs.push(spec)
    this.#app.route({
      method: spec.method,
      url: spec.url,
      handler: async (request, reply) => {
        const asked = {
          params: spec.params && checked('path', spec.params, request.params),
          query: spec.query && checked('query', spec.query, request.query),
          body: spec.body && checked('body', spec.body, jsonOf(request.body)),
          request,
          reply,
        } as Asked<S>
        const answer = await handler(asked)
        // What was sent or taken over already, also while hooks still hold it up.
        if (answer === reply || reply.sent || reply.raw.headersSent) return reply
        return reply.code(spec.status ?? 200).send(answer)
      },
    })
  }
}

const jsonOf = (body: unknown): unknown => {
  try {
    return parseBounded((body as Buffer | undefined)?.toString() ?? '')
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode) throw error
    throw new Problem(400, `the body is not JSON: ${(error as Error).message}`, [
      { pointer: '#', detail: (error as Error).message },
    ])
  }
}
