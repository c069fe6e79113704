export { type ParameterKind, parameterKinds } from './masking.ts'
export {
  type Match,
  type MinerOptions,
  type Parameter,
  type Template,
  type TemplateChange,
  TemplateMiner,
  templateId,
} from './template-miner.ts'
