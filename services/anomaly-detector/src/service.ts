import { modelAuthority } from '@aegis/authority'
import { anomalies, FatalError, issuesExternal, logsParsed, metricsRaw, models, tracesVisits } from '@aegis/domain'
import { defineService, readKnowledgeFile, type ServiceContext, type StageDefinition, streamList } from '@aegis/runtime'
import { settings } from './config.ts'
import { DetectLogAnomalies } from './detect-log-anomalies.ts'
import { DetectMetricAnomalies } from './detect-metric-anomalies.ts'
import { DetectTraceAnomalies } from './detect-trace-anomalies.ts'
import type { ScoreOptions } from './score-entities.ts'
import { TellIssues } from './tell-issues.ts'
import { TrainModels } from './train-models.ts'
import { readRulesFile, watchRulesFile } from './watch-rules-file.ts'

/** The detector of whole entities; TensorFlow.js is loaded only for one that needs it, and says on which tier. */
const entityDetector = async (detector: string, { log }: Pick<ServiceContext, 'log'>): Promise<ScoreOptions> => {
  const { DETECTOR_NAMES, isDetector, needsTensorFlow } = await import('@aegis/anomaly-detection/make-detector')
  if (!isDetector(detector))
    throw new FatalError(
      'CONFIG_INVALID',
      `AEGIS_DETECTOR: there is no detector ${detector}; there are ${DETECTOR_NAMES.join(', ')}`,
    )
  const onRefused: ScoreOptions['onRefused'] = (entity, version, why) =>
    log.error({ entity, version, why }, 'a model does not take over; the one before it stays')
  if (!needsTensorFlow(detector)) return { detector, onRefused }
  const { loadTensorFlow } = await import('@aegis/anomaly-detection/tensorflow')
  const tensors = await loadTensorFlow()
  log.info({ tier: tensors.tier }, 'TensorFlow.js is loaded')
  return { detector, tensors, onRefused }
}

export const anomalyDetector = defineService({
  name: 'anomaly-detector',
  about: 'Scores metric series, log events and where requests stop, and tells of anomalies as they open, grow and close.',
  settings,
  publishes: streamList(models),
  async create(config, context) {
    const authority = config.authorityFolder ? modelAuthority(config.authorityFolder, 'anomaly-detector') : undefined
    const made = config.detector === 'none' ? undefined : await entityDetector(config.detector, context)
    const entities = made && { ...made, keys: authority?.keys }
    // A file that cannot be used stops the service before it takes a partition.
    if (config.metricKnowledge) readKnowledgeFile(config.metricKnowledge)
    if (config.alertRules) await readRulesFile(config.alertRules)
    const { trainInWorker } = await import('@aegis/anomaly-detection/train-in-worker')
    const train: StageDefinition = {
      name: 'train-models',
      reads: streamList(metricsRaw),
      follows: streamList(models),
      writes: streamList(models),
      create: () =>
        new TrainModels({
          detector: config.detector,
          threshold: config.threshold,
          alarmsPerDay: config.alarmsPerDay,
          youngThreshold: config.detectorThreshold,
          warmUp: config.detectorWarmUp,
          history: config.detectorHistory,
          entities: config.detectorEntities,
          signer: authority?.signer,
          train: (request, signal) => trainInWorker(request, { signal }),
          onFull: entity =>
            context.log.warn(
              { entity, entities: config.detectorEntities },
              'no room to train a model for this entity: its series are watched one by one; AEGIS_DETECTOR_ENTITIES makes room',
            ),
          onFailed: (entity, error) => context.log.error({ err: error, entity }, 'training failed; the model before it stays'),
        }),
    }
    let rulesFile: { stop(): void } | undefined
    return {
      stages: [
        {
          name: 'detect-metric-anomalies',
          reads: streamList(metricsRaw),
          follows: streamList(models),
          writes: streamList(anomalies),
          create: () =>
            new DetectMetricAnomalies({
              threshold: config.threshold,
              rounds: config.rounds,
              silenceUs: config.silenceMs * 1000,
              entities,
              onLearning: (environment, entity, until) =>
                context.log.info(
                  { environment, entity, until: new Date(until / 1000).toISOString() },
                  'no history of this entity: its series are being learned',
                ),
            }),
        },
        {
          name: 'detect-log-anomalies',
          reads: streamList(logsParsed),
          follows: streamList(models),
          writes: streamList(anomalies, models),
          create: () =>
            new DetectLogAnomalies({
              ...authority,
              onRefused: (id, version, why) =>
                context.log.error({ id, version, why }, 'a log model cannot be used; what was learned before it stays'),
            }),
        },
        {
          name: 'detect-trace-anomalies',
          reads: streamList(tracesVisits),
          writes: streamList(anomalies),
          create: () => new DetectTraceAnomalies(),
        },
        {
          name: 'tell-issues',
          reads: streamList(issuesExternal),
          writes: streamList(anomalies),
          create: () => new TellIssues(),
        },
        ...(entities ? [train] : []),
      ],
      started: () => {
        if (config.alertRules) rulesFile = watchRulesFile(config.alertRules, context)
      },
      stop: async () => rulesFile?.stop(),
    }
  },
})
