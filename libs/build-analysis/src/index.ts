export { analyzeBuild, type BuildAnalysis, type BuildFailure } from './analyze-build.ts'
export { type CommandClass, type FailureType, KINDS, type Kind, type KindName, type Whose } from './kinds.ts'
export { type BuildLog, quoteOf, readBuildLog, shapeOf } from './read-build-log.ts'
