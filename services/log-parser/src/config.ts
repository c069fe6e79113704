import { z } from 'zod'

export const settings = {
  logModel: {
    env: 'AEGIS_LOG_MODEL',
    schema: z.string().optional(),
    about:
      'Transformer that says what lines are about where the rules are silent: a folder with config.json, tokenizer.json and onnx/model.onnx, or a name on the hub (microsoft/codebert-base and its like, in ONNX). Needs the package @huggingface/transformers, which is installed apart; empty: the small model that is built in.',
  },
}
