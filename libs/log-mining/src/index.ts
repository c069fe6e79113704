export { type EvaluatedLine, evaluateParsing, type ParsingReport } from './evaluate-parsing.ts'
export { templateId } from './group.ts'
export { type ParameterKind, parameterKinds } from './masking.ts'
export { type LineHints, type ParsedLine, parseLine } from './parse-line.ts'
export { type Severity, severities, severityNamed, severityOfText } from './severity.ts'
export { TemplateHistory } from './template-history.ts'
export {
  type Match,
  type MinerOptions,
  type Parameter,
  type Template,
  type TemplateChange,
  TemplateMiner,
} from './template-miner.ts'
export { readTimestamp, timestampOf } from './timestamps.ts'
