export * from './broker.ts'
export * from './codec.ts'
export * from './config.ts'
export * from './dead-letters.ts'
export * from './kafka-broker.ts'
export { readKnowledgeFile } from './knowledge-file.ts'
export * from './log.ts'
export * from './memory-broker.ts'
export { preflight } from './preflight.ts'
export * from './registry.ts'
export * from './run-service.ts'
export * from './seal.ts'
export {
  connect,
  defineService,
  type Infrastructure,
  type RunningService,
  type RunningStages,
  type Seen,
  type ServiceContext,
  type ServiceDefinition,
  type ServiceParts,
  startService,
  startStages,
  type ValueTail,
} from './service.ts'
export * from './snapshots.ts'
export * from './stage-definition.ts'
export * from './telemetry.ts'
export * from './ticks.ts'
export * from './topics.ts'
export * from './tracing.ts'
