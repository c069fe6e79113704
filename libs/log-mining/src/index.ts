export { type Category, type Classifier, categories, categoryOf, ruleClassifier, type SyncClassifier } from './categories.ts'
export {
  type CausalChain,
  type ChainEvent,
  type ChainLink,
  type ChainOptions,
  causalChain,
  type OrderOptions,
  TemplateOrder,
} from './causal-chain.ts'
export { type EntityOptions, findMentions, type Mention, type MentionKind, maskedUser } from './entities.ts'
export { exceptionOf } from './exceptions.ts'
export { type FaultPattern, failureOf, faultPatterns, matchFault } from './fault-patterns.ts'
export type { Format } from './formats/format.ts'
export { templateId } from './group.ts'
export { type IdentifiedService, type IdentifyOptions, ServiceIdentifier } from './identify-service.ts'
export { ChainGatherer, type ChainWindow, chainWindow, type GatheredChain, type IncidentScope } from './incident-chain.ts'
export { type JoinedEvent, type JoinOptions, StackTraceJoiner, type Standing } from './join-stack-traces.ts'
export { lineClassifier } from './line-classifier.ts'
export { localZone } from './local-zone.ts'
export { type ParameterKind, parameterKinds } from './masking.ts'
export { cleanLine, parseLine, TRUNCATED } from './parse-line.ts'
export type { LineHints, ParsedLine } from './parsed-line.ts'
export { type RedactOptions, redact, redactAttribute, redactRecord } from './redact/redact.ts'
export { ofOpenTelemetry, ofStatus, ofSyslog, type Severity, severities, severityNamed } from './severity.ts'
export { statementOf } from './statement.ts'
export {
  type Match,
  type MinerOptions,
  type Parameter,
  type Template,
  type TemplateChange,
  TemplateMiner,
} from './template-miner.ts'
export { firstOf, TextModel, type TextModelWeights, trainTextModel } from './text-model.ts'
export { severityOfText } from './text-severity.ts'
export { readTimestamp, type TimestampHints, timestampOf } from './timestamps.ts'
export { userFormats } from './user-formats.ts'
