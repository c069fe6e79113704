import type { ServiceDefinition } from '@aegis/runtime'

/** Every service of the pipeline, loaded only when asked for: a command that starts processes need not load their code. */
export const SERVICES: Readonly<Record<string, () => Promise<ServiceDefinition>>> = {
  clock: async () => (await import('@aegis/clock')).clock as unknown as ServiceDefinition,
  gateway: async () => (await import('@aegis/gateway')).gateway as unknown as ServiceDefinition,
  'log-parser': async () => (await import('@aegis/log-parser')).logParser as unknown as ServiceDefinition,
  'span-aggregator': async () => (await import('@aegis/span-aggregator')).spanAggregator as unknown as ServiceDefinition,
  'anomaly-detector': async () => (await import('@aegis/anomaly-detector')).anomalyDetector as unknown as ServiceDefinition,
  'root-cause-analyzer': async () =>
    (await import('@aegis/root-cause-analyzer')).rootCauseAnalyzer as unknown as ServiceDefinition,
  remediator: async () => (await import('@aegis/remediator')).remediator as unknown as ServiceDefinition,
  'build-analyzer': async () => (await import('@aegis/build-analyzer')).buildAnalyzer as unknown as ServiceDefinition,
  'drift-analyzer': async () => (await import('@aegis/drift-analyzer')).driftAnalyzer as unknown as ServiceDefinition,
  'model-keeper': async () => (await import('@aegis/model-keeper')).modelKeeper as unknown as ServiceDefinition,
  api: async () => (await import('@aegis/api-service')).api as unknown as ServiceDefinition,
  executor: async () => (await import('@aegis/executor')).executor as unknown as ServiceDefinition,
}
