import { anomalies, FatalError, hash32, logsParsed, metricsRaw } from '@aegis/domain'
import { defineService, type ServiceContext, streamList } from '@aegis/runtime'
import { settings } from './config.ts'
import { DetectLogAnomalies } from './detect-log-anomalies.ts'
import { DetectMetricAnomalies } from './detect-metric-anomalies.ts'
import type { WatchOptions } from './watch-entities.ts'

/** Detectors of whole entities by name; TensorFlow.js is loaded only for those that need it, and says on which tier. */
const entityDetectors = async (
  { detector, detectorThreshold, detectorWarmUp }: { detector: string; detectorThreshold: number; detectorWarmUp: number },
  { log }: Pick<ServiceContext, 'log'>,
): Promise<WatchOptions> => {
  const { DETECTOR_NAMES, makeDetector, needsTensorFlow } = await import('@aegis/anomaly-detection/make-detector')
  const { EntityDetector } = await import('@aegis/anomaly-detection/entity-detector')
  if (!DETECTOR_NAMES.includes(detector))
    throw new FatalError(
      'CONFIG_INVALID',
      `AEGIS_DETECTOR: there is no detector ${detector}; there are ${DETECTOR_NAMES.join(', ')}`,
    )
  const tensors = needsTensorFlow(detector)
    ? await (await import('@aegis/anomaly-detection/tensorflow')).loadTensorFlow()
    : undefined
  if (tensors) log.info({ tier: tensors.tier }, 'TensorFlow.js is loaded')
  return {
    name: detector,
    threshold: detectorThreshold,
    // Entities take turns to be learned: all at once would hold the loop up.
    create: entity =>
      new EntityDetector({
        model: makeDetector(detector, { streaming: true, tensors }),
        warmUp: detectorWarmUp + (hash32(entity) % 30),
      }),
  }
}

export const anomalyDetector = defineService({
  name: 'anomaly-detector',
  about: 'Scores metric series and log events, and tells of anomalies as they open, grow and close.',
  settings,
  async create(config, context) {
    const entities = config.detector === 'none' ? undefined : await entityDetectors(config, context)
    return {
      stages: [
        {
          name: 'detect-metric-anomalies',
          reads: streamList(metricsRaw),
          writes: streamList(anomalies),
          create: () =>
            new DetectMetricAnomalies({
              threshold: config.threshold,
              rounds: config.rounds,
              silenceUs: config.silenceMs * 1000,
              entities,
            }),
        },
        {
          name: 'detect-log-anomalies',
          reads: streamList(logsParsed),
          writes: streamList(anomalies),
          create: () => new DetectLogAnomalies(),
        },
      ],
    }
  },
})
