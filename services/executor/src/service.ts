import { sealIn } from '@aegis/authority'
import { controls, controlsWanted, decisions, incidents, type ModelVersion, models, outcomes, standstills } from '@aegis/domain'
import { KnownVersions } from '@aegis/model-registry'
import { defineService, streamList, type ValueTail } from '@aegis/runtime'
import { CarryOutDecisions } from './carry-out-decisions.ts'
import { settings } from './config.ts'
import { type Coordination, MemoryCoordination, RedisCoordination } from './coordination.ts'
import { ModelsExecutor } from './executors/models.ts'
import { executorsBy } from './executors-by.ts'
import { Limits, readLimits } from './limits.ts'
import { Runner } from './runner.ts'

/** @param shared what executors agree by, when it outlives this one; else the setting says */
export const executorWith = (shared?: Coordination) =>
  defineService({
    name: 'executor',
    about: 'Carries out what was decided, verifies that it helped, and alone holds the right to act.',
    settings,
    publishes: streamList(outcomes, models),
    tails: streamList(models),
    async create(config, context) {
      const coordination =
        shared ??
        (config.redisUrl === 'memory'
          ? new MemoryCoordination(() => context.now() / 1000)
          : new RedisCoordination(config.redisUrl))
      const limits = new Limits(readLimits(config.limitsFile), context.now)
      const versions = new KnownVersions()
      let tail: ValueTail | undefined
      const ownModels = new ModelsExecutor({
        versions: () => versions.all(),
        publish: version => context.publish(models, [version]),
        now: context.now,
      })
      const runner = new Runner(context, coordination, {
        objection: action => limits.objection(action),
        timeoutMs: config.timeoutMs,
        executorFor: await executorsBy(config, context.now, ownModels),
      })
      return {
        seal: config.authorityFolder ? sealIn(config.authorityFolder, 'executor') : undefined,
        stages: [
          {
            name: 'carry-out-decisions',
            reads: streamList(decisions, incidents, outcomes, controlsWanted),
            follows: streamList(controls),
            writes: streamList(outcomes, standstills),
            snapshotAlways: true,
            create: () =>
              new CarryOutDecisions({
                verifyUs: config.verifyMs * 1000,
                start: (decision, resumed) => runner.start(decision, resumed),
                undo: (decision, undo, resumed) => runner.undo(decision, undo, resumed),
                cancel: (decision, reason) => runner.cancel({ decision: decision.decision }, reason),
                mirror: (environment, version, stopped) => {
                  if (stopped) runner.cancel({ environment }, 'the kill switch was thrown')
                  void coordination
                    .mirror(environment, version, stopped)
                    .catch(error =>
                      context.log.warn({ err: error }, 'kill switch not mirrored; nothing disruptive is done meanwhile'),
                    )
                },
              }),
          },
        ],
        started: async () => {
          tail = await context.tail(streamList(models), 'start', seen => {
            for (const { value } of seen) versions.see(value as ModelVersion)
          })
        },
        ready: async () => ((await coordination.healthy()) ? undefined : 'Redis does not answer'),
        stop: async () => {
          runner.stop()
          await tail?.close()
          await coordination.close()
        },
      }
    },
  })

export const executor = executorWith()
