import { anomalies, logsParsed, metricsRaw } from '@aegis/domain'
import { defineService, streamList } from '@aegis/runtime'
import { settings } from './config.ts'
import { DetectLogAnomalies } from './detect-log-anomalies.ts'
import { DetectMetricAnomalies } from './detect-metric-anomalies.ts'

export const anomalyDetector = defineService({
  name: 'anomaly-detector',
  about: 'Scores metric series and log events, and tells of anomalies as they open, grow and close.',
  settings,
  create: config => ({
    stages: [
      {
        name: 'detect-metric-anomalies',
        reads: streamList(metricsRaw),
        writes: streamList(anomalies),
        create: () =>
          new DetectMetricAnomalies({ threshold: config.threshold, rounds: config.rounds, silenceUs: config.silenceMs * 1000 }),
      },
      {
        name: 'detect-log-anomalies',
        reads: streamList(logsParsed),
        writes: streamList(anomalies),
        create: () => new DetectLogAnomalies(),
      },
    ],
  }),
})
