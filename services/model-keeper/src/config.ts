import { z } from 'zod'

export const settings = {
  window: {
    env: 'AEGIS_MODEL_WINDOW',
    schema: z.coerce.number().int().min(20).default(100),
    about: 'Outcomes of a window in which the accuracy of a model is counted; ten windows are remembered.',
  },
  degradation: {
    env: 'AEGIS_MODEL_DEGRADATION',
    schema: z.coerce.number().positive().max(1).default(0.05),
    about:
      'Share of itself by which the accuracy of the last five windows must have fallen, beyond chance, for a model to be sick.',
  },
  reference: {
    env: 'AEGIS_MODEL_REFERENCE',
    schema: z.coerce.number().int().min(100).default(1000),
    about: 'What a model is given first, against which everything later is held.',
  },
  driftWindow: {
    env: 'AEGIS_MODEL_DRIFT_WINDOW',
    schema: z.coerce.number().int().min(50).default(200),
    about: 'How much of what a model is given is held against that at once.',
  },
  mlflowUrl: {
    env: 'MLFLOW_TRACKING_URI',
    schema: z.string().optional(),
    about:
      'MLflow server that versions of models are copied to, with their cards; what it misses while it is away is copied later.',
  },
  mlflowSeconds: {
    env: 'AEGIS_MLFLOW_SECONDS',
    schema: z.coerce.number().positive().default(30),
    about: 'Seconds between two looks at what that server lacks.',
  },
}
