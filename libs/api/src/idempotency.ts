import { createHash } from 'node:crypto'
import { BoundedMap } from '@aegis/domain'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** How long an answer is remembered, microseconds, and how many are. */
const WINDOW_US = 600_000_000
const MOST = 10_000

interface Answer {
  readonly at: number
  readonly digest: string
  status?: number
  type?: string
  body?: string | Buffer
}

/**
 * A request that brings an `Idempotency-Key` counts once within ten minutes: sent again it has the answer of the first; with another body under the same key it is refused. Kept by
 * this instance alone: senders that try again should reach the same one.
 * @see draft-ietf-httpapi-idempotency-key-header
 */
export const idempotent = (app: FastifyInstance, now: () => number, who: (request: FastifyRequest) => string): void => {
  const answers = new BoundedMap<string, Answer>(MOST)
  /** Answered in the place of the route: no answer of its own. */
  const refused = new WeakSet<FastifyRequest>()
  const nameOf = (request: FastifyRequest): string | undefined => {
    const key = request.headers['idempotency-key']
    return typeof key === 'string' && key !== '' && request.method !== 'GET'
      ? `${who(request)}\0${request.url}\0${key.slice(0, 256)}`
      : undefined
  }
  app.addHook('preHandler', async (request: FastifyRequest, reply: FastifyReply) => {
    const name = nameOf(request)
    if (name === undefined) return
    const digest = createHash('sha256')
      .update((request.body as Buffer | undefined) ?? '')
      .digest('base64')
    const known = answers.get(name)
    if (known && now() - known.at < WINDOW_US) {
      refused.add(request)
      if (known.digest !== digest) return reply.code(422).send({ message: 'this Idempotency-Key came with another body before' })
      if (known.status === undefined)
        return reply.code(409).send({ message: 'the first request with this Idempotency-Key is under way' })
      reply.header('idempotency-replayed', 'true').code(known.status)
      if (known.type) reply.type(known.type)
      return reply.send(known.body)
    }
    answers.set(name, { at: now(), digest })
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const name = nameOf(request)
    const answer = name === undefined ? undefined : answers.get(name)
    if (answer === undefined || answer.status !== undefined || refused.has(request)) return payload
    // What did not get through may be tried again.
    if (reply.statusCode >= 500 || reply.statusCode === 429) answers.delete(name as string)
    else {
      answer.status = reply.statusCode
      answer.type = String(reply.getHeader('content-type') ?? '')
      answer.body = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : ''
    }
    return payload
  })
}
