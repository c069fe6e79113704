/**
 * GitHub's webhook for jobs that end badly: the signature is checked, the log fetched whole, and both put on `ci.failures` before GitHub is answered, so that
 * a delivery that was not kept is shown as failed there and can be sent again.
 * @see https://docs.github.com/webhooks/webhook-events-and-payloads#workflow_job
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type BuildFailed, idOf } from '@aegis/domain'
import { redactRecord } from '@aegis/log-mining'
import { verify } from '@octokit/webhooks-methods'
import { z } from 'zod'

/** GitHub sends no more, bytes. */
const MOST_BYTES = 25 * 1024 * 1024
const BAD = ['failure', 'timed_out', 'startup_failure']

const delivered = z.object({
  action: z.string(),
  repository: z.object({ full_name: z.string().regex(/^[\w.-]+\/[\w.-]+$/) }),
  workflow_job: z.object({
    id: z.number().int(),
    run_id: z.number().int(),
    name: z.string(),
    conclusion: z.string().nullable(),
    html_url: z.string().nullish(),
    head_branch: z.string().nullish(),
    head_sha: z.string().nullish(),
    completed_at: z.string().nullish(),
  }),
})

export interface WebhookOptions {
  readonly secret: string
  readonly environment: string
  readonly now: () => number
  /** The whole log of a job. */
  readonly log: (repository: string, job: number) => Promise<string>
  readonly publish: (failed: BuildFailed) => Promise<void>
}
/** What is answered: GitHub shows it beside the delivery. */
interface Answer {
  readonly status: number
  readonly message: string
}

const bodyOf = async (request: IncomingMessage): Promise<string | undefined> => {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > MOST_BYTES) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

const answerTo = async (request: IncomingMessage, options: WebhookOptions): Promise<Answer> => {
  const body = await bodyOf(request)
  if (body === undefined) return { status: 413, message: `more than ${MOST_BYTES} bytes` }
  const signature = String(request.headers['x-hub-signature-256'] ?? '')
  if (!signature || body === '' || !(await verify(options.secret, body, signature)))
    return { status: 401, message: 'the signature is not that of GITHUB_WEBHOOK_SECRET' }
  const event = String(request.headers['x-github-event'] ?? '')
  if (event === 'ping') return { status: 200, message: 'heard' }
  if (event !== 'workflow_job') return { status: 202, message: `${event || 'no event'} is not looked at; workflow_job is` }
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return { status: 400, message: 'the body is not JSON: set the content type of the webhook to application/json' }
  }
  const read = delivered.safeParse(json)
  if (!read.success) return { status: 400, message: read.error.issues.map(i => `${i.path.join('.')}: ${i.message}`).join('; ') }
  const { action, repository, workflow_job: job } = read.data
  if (action !== 'completed' || !BAD.includes(job.conclusion ?? '')) return { status: 202, message: 'nothing failed' }
  let log: string
  try {
    log = await options.log(repository.full_name, job.id)
  } catch (error) {
    return { status: 502, message: `its log cannot be had: ${(error as Error).message}; send the delivery again` }
  }
  const ended = Date.parse(job.completed_at ?? '')
  await options.publish(
    redactRecord({
      id: idOf(repository.full_name, String(job.run_id), job.name),
      environment: options.environment,
      time: Number.isNaN(ended) ? options.now() : ended * 1000,
      provider: 'github',
      repository: repository.full_name,
      branch: job.head_branch ?? null,
      commit: job.head_sha ?? null,
      pull_request: null,
      run: String(job.run_id),
      job: job.name,
      url: job.html_url ?? null,
      log: log || 'the log is empty',
      green_log: null,
    }),
  )
  return { status: 202, message: 'it will be looked at' }
}

export const githubWebhook =
  (options: WebhookOptions) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const end = ({ status, message }: Answer) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ message }))
    }
    if (request.method !== 'POST' || request.url?.split('?')[0] !== '/api/v1/ci/github')
      return end({ status: 404, message: 'POST /api/v1/ci/github is what is here' })
    void answerTo(request, options).then(end, (error: Error) => end({ status: 503, message: error.message }))
  }
