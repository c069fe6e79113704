import { type Executor, FatalError, kindOf, standsFor } from '@aegis/domain'
import type { ExecutorRule } from './config.ts'
import { type AllowedCommands, Command } from './executors/command.ts'
import { Docker } from './executors/docker.ts'
import { DryRun } from './executors/dry-run.ts'
import { Page } from './executors/page.ts'
import { ProcessSupervisor } from './executors/process.ts'
import { Webhook } from './executors/webhook.ts'

export interface ExecutorsConfig {
  readonly executors: readonly ExecutorRule[]
  readonly commands: AllowedCommands
  readonly webhookSecret?: string
  readonly pageWebhook?: string
}

const make = async (rule: ExecutorRule, config: ExecutorsConfig, now: () => number): Promise<Executor> => {
  const { at, dryRun } = rule
  switch (rule.kind) {
    case 'process':
      return dryRun ? new DryRun() : new ProcessSupervisor(at)
    case 'docker':
      return new Docker({ socket: at, dryRun })
    case 'command':
      return new Command(config.commands, dryRun)
    case 'webhook':
      if (!config.webhookSecret)
        throw new FatalError(
          'CONFIG_INVALID',
          `AEGIS_EXECUTORS names a webhook, so AEGIS_WEBHOOK_SECRET must hold the key to sign with`,
        )
      return new Webhook({ url: at, secret: config.webhookSecret, dryRun, now })
    case 'kubernetes': {
      const [namespace, context] = at.split('/').reverse()
      // Its client is large; only those who use it load it.
      const { KubernetesExecutor } = await import('./executors/kubernetes/executor.ts')
      return KubernetesExecutor.from({ namespace, context, dryRun })
    }
    case 'dry-run':
      return new DryRun()
  }
}

/** The executor an entity of an environment gets: that of the first rule that fits, and never more than a dry run without one. */
export const executorsBy = async (
  config: ExecutorsConfig,
  now: () => number,
  models?: Executor,
): Promise<(environment: string, action: string, target: string) => Executor> => {
  const page = new Page(config.pageWebhook)
  const dryRun = new DryRun()
  const made = await Promise.all(config.executors.map(async rule => ({ rule, executor: await make(rule, config, now) })))
  return (environment, action, target) => {
    if (action === 'page') return page
    // Models are our own: no rule of the operator's says who holds them.
    if (models && kindOf(target) === 'model') return models
    const fitting = made.find(
      ({ rule }) => standsFor(rule.pattern, environment) && (rule.entity === undefined || rule.entity === kindOf(target)),
    )
    return fitting?.executor ?? dryRun
  }
}
