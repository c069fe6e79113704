import { controls, decisions, type Executor, incidents, outcomes, standsFor } from '@aegis/domain'
import { defineService, streamList } from '@aegis/runtime'
import { CarryOutDecisions } from './carry-out-decisions.ts'
import { type ExecutorRule, settings } from './config.ts'
import { MemoryCoordination, RedisCoordination } from './coordination.ts'
import { DryRun } from './executors/dry-run.ts'
import { Page } from './executors/page.ts'
import { ProcessSupervisor } from './executors/process.ts'
import { Runner } from './runner.ts'

/** The executor an environment gets: the first rule that fits, and never more than a dry run without one. */
export const executorsBy = (
  rules: readonly ExecutorRule[],
  pageWebhook: string | undefined,
): ((environment: string, action: string) => Executor) => {
  const page = new Page(pageWebhook)
  const dryRun = new DryRun()
  const made = new Map(rules.map(rule => [rule, rule.kind === 'process' ? new ProcessSupervisor(rule.url) : dryRun]))
  return (environment, action) => {
    if (action === 'page') return page
    const rule = rules.find(r => standsFor(r.pattern, environment))
    return (rule && made.get(rule)) ?? dryRun
  }
}

export const executor = defineService({
  name: 'executor',
  about: 'Carries out what was decided, verifies that it helped, and alone holds the right to act.',
  settings,
  create(config, context) {
    const coordination =
      config.redisUrl === 'memory' ? new MemoryCoordination(() => context.now() / 1000) : new RedisCoordination(config.redisUrl)
    const runner = new Runner(context, coordination, {
      timeoutMs: config.timeoutMs,
      executorFor: executorsBy(config.executors, config.pageWebhook),
    })
    return {
      stages: [
        {
          name: 'carry-out-decisions',
          reads: streamList(decisions, incidents, outcomes),
          follows: streamList(controls),
          writes: streamList(outcomes),
          snapshotAlways: true,
          create: () =>
            new CarryOutDecisions({
              verifyUs: config.verifyMs * 1000,
              start: (decision, resumed) => runner.start(decision, resumed),
              mirror: (environment, version, stopped) =>
                void coordination
                  .mirror(environment, version, stopped)
                  .catch(error =>
                    context.log.warn({ err: error }, 'kill switch not mirrored; nothing disruptive is done meanwhile'),
                  ),
            }),
        },
      ],
      ready: async () => ((await coordination.healthy()) ? undefined : 'Redis does not answer'),
      stop: async () => {
        runner.stop()
        await coordination.close()
      },
    }
  },
})
