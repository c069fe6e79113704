import { z } from 'zod'

export const settings = {
  detector: {
    env: 'AEGIS_DETECTOR',
    schema: z.string().default('none'),
    about:
      'Detector of each entity’s metrics together, beside the robust baseline of each series: none, ensemble, ridge, sub-pca, k-means, isolation-forest, ewma, robust-z, nearest-neighbour, lstm-autoencoder or vae. The last two load TensorFlow.js.',
  },
  detectorThreshold: {
    env: 'AEGIS_DETECTOR_THRESHOLD',
    schema: z.coerce.number().positive().default(12),
    about: 'Surprise at which that detector calls an entity strange; normal life is about 1.',
  },
  detectorWarmUp: {
    env: 'AEGIS_DETECTOR_WARM_UP',
    schema: z.coerce.number().int().positive().default(120),
    about: 'Rounds of an entity that detector learns from before it scores.',
  },
  threshold: {
    env: 'ANOMALY_THRESHOLD',
    schema: z.coerce.number().positive().default(6),
    about: 'Score at which a series is strange.',
  },
  rounds: {
    env: 'AEGIS_ANOMALY_ROUNDS',
    schema: z.coerce.number().int().positive().default(3),
    about: 'Rounds a series must be strange before an anomaly opens.',
  },
  silenceMs: {
    env: 'AEGIS_SILENCE_MS',
    schema: z.coerce.number().positive().default(5000),
    about: 'Least silence of an entity, milliseconds, that counts as absence; four of its own intervals at least.',
  },
}
