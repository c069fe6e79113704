import { z } from 'zod'

export interface ExecutorRule {
  readonly pattern: string
  readonly kind: 'dry-run' | 'process'
  readonly url: string
}
const rules = z
  .string()
  .default('')
  .transform((text, context): ExecutorRule[] =>
    text
      .split(',')
      .filter(Boolean)
      .map(rule => {
        const m = /^([^=]+)=(dry-run|process)(?::(.+))?$/.exec(rule.trim())
        if (m && (m[2] === 'dry-run' || m[3])) return { pattern: m[1], kind: m[2] as ExecutorRule['kind'], url: m[3] ?? '' }
        context.addIssue({ code: 'custom', message: `${rule}: must be environment=dry-run or environment=process:URL` })
        return { pattern: '', kind: 'dry-run', url: '' }
      }),
  )

export const settings = {
  redisUrl: {
    env: 'REDIS_URL',
    schema: z.string().default('redis://127.0.0.1:16379'),
    about: 'Redis; "memory" keeps leases inside the process.',
    secret: true,
  },
  executors: {
    env: 'AEGIS_EXECUTORS',
    schema: rules,
    about: 'Executor per environment, such as demo*=process:http://127.0.0.1:9000. Others get a dry run.',
  },
  timeoutMs: {
    env: 'AEGIS_ACTION_TIMEOUT_MS',
    schema: z.coerce.number().positive().default(60_000),
    about: 'Longest an action may take, milliseconds.',
  },
  verifyMs: {
    env: 'AEGIS_VERIFY_MS',
    schema: z.coerce.number().positive().default(60_000),
    about: 'How long health may take to return after an action before it counts as failed, milliseconds.',
  },
  pageWebhook: {
    env: 'AEGIS_PAGE_WEBHOOK',
    schema: z.string().optional(),
    about: 'Where pages to people are posted.',
    secret: true,
  },
}
