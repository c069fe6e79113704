export { type ParameterKind, parameterKinds } from './masking.ts'
export { type LineHints, type ParsedLine, parseLine } from './parse-line.ts'
export { type Severity, severities, severityNamed, severityOfText } from './severity.ts'
export {
  type Match,
  type MinerOptions,
  type Parameter,
  type Template,
  type TemplateChange,
  TemplateMiner,
  templateId,
} from './template-miner.ts'
export { readTimestamp, timestampOf } from './timestamps.ts'
