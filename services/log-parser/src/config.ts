import { z } from 'zod'

export const settings = {
  logZone: {
    env: 'AEGIS_LOG_ZONE',
    schema: z.string().default('UTC'),
    about: 'Zone of times in log lines that name none: a place (Europe/Berlin, with its summer time) or an offset (+02:00).',
  },
  logFormats: {
    env: 'AEGIS_LOG_FORMATS',
    schema: z.string().optional(),
    about: 'File with log formats of your own, YAML or JSON: docs/guides/log-formats.md.',
  },
  logModel: {
    env: 'AEGIS_LOG_MODEL',
    schema: z.string().optional(),
    about:
      'Transformer that says what lines are about where the rules are silent: a folder with config.json, tokenizer.json and onnx/model.onnx, or a name on the hub (microsoft/codebert-base and its like, in ONNX). Needs the package @huggingface/transformers, which is installed apart; empty: the small model that is built in.',
  },
}
