import {
  anomalies,
  decisions,
  feedback,
  incidents,
  type ModelVersion,
  modelHealth,
  models,
  outcomes,
  predictions,
} from '@aegis/domain'
import { cardArtifacts, copyVersions, KnownVersions, MlflowRegistry } from '@aegis/model-registry'
import { defineService, type ServiceContext, streamList, type ValueTail } from '@aegis/runtime'
import { settings } from './config.ts'
import { WatchModels } from './watch-models.ts'

export const modelKeeper = defineService({
  name: 'model-keeper',
  about: 'Watches how models do, tells of those that are sick, and copies versions to an MLflow server.',
  settings,
  tails: streamList(models),
  create(config, context) {
    const { window, degradation, reference, driftWindow, mlflowUrl, mlflowSeconds } = config
    let mirror: { stop(): Promise<void> } | undefined
    return {
      stages: [
        {
          name: 'watch-models',
          reads: streamList(anomalies, incidents, decisions, outcomes, feedback, predictions),
          writes: streamList(modelHealth, anomalies),
          create: () => new WatchModels({ window, degradation, reference, driftWindow }),
        },
      ],
      started: async () => {
        if (mlflowUrl) mirror = await mirrorTo(mlflowUrl, mlflowSeconds, context)
      },
      stop: async () => mirror?.stop(),
    }
  },
})

/** What is served does not wait for it: a server that is away is asked again, and what it lacks is found by comparing. */
async function mirrorTo(url: string, seconds: number, { log, now, tail }: ServiceContext): Promise<{ stop(): Promise<void> }> {
  const there = new MlflowRegistry({ url, now })
  const versions = new KnownVersions()
  let changed = true
  let away = false
  let working = Promise.resolve()
  const reader: ValueTail = await tail(streamList(models), 'start', seen => {
    for (const { value } of seen) versions.see(value as ModelVersion)
    changed = true
  })
  const look = async (): Promise<void> => {
    if (!changed) return
    changed = false
    try {
      const { registered, moved, refused } = await copyVersions(versions.all(), there, { artifactsOf: cardArtifacts })
      if (registered + moved > 0) log.info({ registered, moved }, 'versions of models are copied to MLflow')
      for (const why of refused) log.error({ why }, 'MLflow refuses a version of a model')
      if (away) log.info({ url }, 'MLflow answers again')
      away = false
    } catch (error) {
      changed = true
      if (!away) log.warn({ err: error }, 'MLflow is away: models go on, and what it lacks is copied when it is back')
      away = true
    }
  }
  const timer = setInterval(() => {
    working = working.then(look)
  }, seconds * 1000)
  working = working.then(look)
  return {
    stop: async () => {
      clearInterval(timer)
      await working
      await reader.close()
    },
  }
}
