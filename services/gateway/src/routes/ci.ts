import { parseBounded } from '@aegis/api'
import { type BuildFailed, ciFailures, idOf } from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Door } from './door.ts'

/** Jobs of one request. */
const MOST = 50
const name = z.string().min(1).max(300)
const failed = z.strictObject({
  repository: name,
  run: z.union([name, z.number()]).transform(String),
  job: name,
  /** What the job printed, whole: what matters in it is found, nothing is cut off before. */
  log: z.string().min(1),
  /** Of the last run of this job that was green. */
  green_log: z.string().nullish(),
  branch: name.nullish(),
  commit: name.nullish(),
  pull_request: z.union([name, z.number().transform(String)]).nullish(),
  url: z.string().max(2000).nullish(),
  provider: z.string().min(1).max(60).default('upload'),
  environment: z.string().optional(),
  /** When it failed, microseconds; default now. */
  time: z.number().int().positive().optional(),
})

/**
 * `POST /api/v1/ci/failures`: failed jobs with their logs, one or several, from any CI system. What a build said twice is one failure: its id is made of
 * repository, run and job.
 */
export const ciRoute = (
  app: FastifyInstance,
  context: ServiceContext,
  door: Door,
  options: { readonly environment: string },
): void => {
  app.post(
    '/api/v1/ci/failures',
    { schema: { tags: ['ingest'], summary: 'Failed jobs of a pipeline, with their logs.' } },
    (request, reply) =>
      door.accept(request, async () => {
        let json: unknown
        try {
          json = parseBounded((await door.plain(request)).toString())
        } catch (error) {
          const { statusCode = 400, message } = error as Error & { statusCode?: number }
          return reply.code(statusCode).send({ message: statusCode === 400 ? `body is not JSON: ${message}` : message })
        }
        const list = Array.isArray(json) ? json : [json]
        if (list.length > MOST) return reply.code(400).send({ message: `${list.length} jobs in one request; at most ${MOST}` })
        const accepted: BuildFailed[] = []
        const rejected: { index: number; message: string }[] = []
        for (const [index, item] of list.entries()) {
          const read = failed.safeParse(item)
          if (!read.success) {
            const message = read.error.issues
              .slice(0, 5)
              .map(i => `${i.path.join('.') || 'job'}: ${i.message}`)
              .join('; ')
            rejected.push({ index, message })
            continue
          }
          const { environment = options.environment, time = context.now(), ...said } = read.data
          accepted.push({ ...said, id: idOf(said.repository, said.run, said.job), environment, time })
        }
        if (accepted.length > 0) await context.publish(ciFailures, accepted)
        return reply.code(accepted.length > 0 ? 202 : 400).send({
          accepted: accepted.map(({ id, job }) => ({ id, job })),
          rejected,
          ...(accepted.length === 0 && { message: rejected[0]?.message ?? 'no job' }),
        })
      }),
  )
}
