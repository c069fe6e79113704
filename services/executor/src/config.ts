import { z } from 'zod'

const KINDS = ['dry-run', 'process', 'docker', 'kubernetes', 'webhook', 'command'] as const
export interface ExecutorRule {
  /** Environment, or its beginning and `*`. */
  readonly pattern: string
  /** Entity kind the rule is for; any when absent. */
  readonly entity?: string
  readonly kind: (typeof KINDS)[number]
  /** URL, socket or `[context/]namespace`, as the kind needs. */
  readonly at: string
  readonly dryRun: boolean
}
const DOCKER_SOCKET = '/var/run/docker.sock'
const NEEDS: Readonly<Record<string, string>> = { process: 'URL', webhook: 'URL', kubernetes: '[CONTEXT/]NAMESPACE' }
const RULE = new RegExp(`^([^=/]+)(?:/([a-z]+))?=(dry-run:)?(${KINDS.join('|')})(?::(.+))?$`)

const rules = z
  .string()
  .default('')
  .transform((text, context): ExecutorRule[] =>
    text
      .split(',')
      .filter(Boolean)
      .flatMap(rule => {
        const m = RULE.exec(rule.trim())
        const kind = m?.[4] as ExecutorRule['kind'] | undefined
        if (m && kind && (m[5] || !NEEDS[kind]))
          return [
            {
              pattern: m[1],
              entity: m[2],
              kind,
              at: m[5] ?? (kind === 'docker' ? DOCKER_SOCKET : ''),
              dryRun: m[3] !== undefined,
            },
          ]
        context.addIssue({
          code: 'custom',
          message: `${rule}: must be environment[/entity kind]=[dry-run:]kind, where kind is dry-run, command, docker[:SOCKET], ${Object.entries(
            NEEDS,
          )
            .map(([k, at]) => `${k}:${at}`)
            .join(', ')}`,
        })
        return []
      }),
  )

const argv = z
  .array(z.string())
  .min(1)
  .refine(([program]) => /^\/[^{}]+$/.test(program), 'the program must be an absolute path without placeholders')
const commandTable = z.record(z.string(), z.strictObject({ argv, check: argv.optional() }))
/** JSON in the environment, or the table itself in the configuration file. */
const commands = z.preprocess((given, context) => {
  if (typeof given !== 'string') return given ?? {}
  try {
    return JSON.parse(given)
  } catch (error) {
    context.addIssue({ code: 'custom', message: `is not JSON: ${(error as Error).message}` })
    return {}
  }
}, commandTable)

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
    about:
      'Executor per environment and entity kind, the first that fits, such as prod-eu/host=kubernetes:shop,prod-eu=kubernetes:shop,staging=docker,old=webhook:https://runbooks.example/act. With dry-run: before the kind nothing is changed. Others get a dry run.',
  },
  commands: {
    env: 'AEGIS_COMMANDS',
    schema: commands,
    about:
      'Programs the command executor may run, per action, as JSON: {"restart": {"argv": ["/usr/bin/systemctl", "restart", "{name}"], "check": ["/usr/local/bin/was-restarted", "{id}"]}}.',
  },
  webhookSecret: {
    env: 'AEGIS_WEBHOOK_SECRET',
    schema: z.string().min(16).optional(),
    about: 'Key that webhook calls are signed with (HMAC-SHA256), at least 16 characters.',
    secret: true,
  },
  timeoutMs: {
    env: 'AEGIS_ACTION_TIMEOUT_MS',
    schema: z.coerce.number().positive().default(60_000),
    about: 'Longest an action may take until its status shows that it worked, milliseconds.',
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
  authorityFolder: {
    env: 'AEGIS_AUTHORITY_FOLDER',
    schema: z.string().optional(),
    about:
      'Folder with the private key of this service (SERVICE.key, made at its first start) and the public ones of the others (SERVICE.key.pub): decisions, approvals, controls and outcomes are signed, and refused where they are not. Empty: neither.',
  },
  limitsFile: {
    env: 'AEGIS_EXECUTOR_LIMITS',
    schema: z.string().optional(),
    about:
      'YAML or JSON file with limits of the executor itself, whatever was decided: actions, protected, environments, perHour. Empty: none of its own.',
  },
}
