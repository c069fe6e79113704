import { z } from 'zod'

export const settings = {
  detector: {
    env: 'AEGIS_DETECTOR',
    schema: z.string().default('ensemble'),
    about:
      'Detector of each entity’s metrics together, beside the robust baseline of each series: none, ensemble, ridge, sub-pca, seasonal, k-means, isolation-forest, ewma, robust-z, nearest-neighbour, lstm-autoencoder or vae. Trained from the stream, beside it; the last two load TensorFlow.js.',
  },
  alarmsPerDay: {
    env: 'AEGIS_ALARMS_PER_DAY',
    schema: z.coerce.number().positive().default(0.5),
    about: 'Alarms per entity and day one is ready to look at: the threshold of that detector follows from it.',
  },
  detectorThreshold: {
    env: 'AEGIS_DETECTOR_THRESHOLD',
    schema: z.coerce.number().positive().default(12),
    about:
      'Surprise at which that detector calls an entity strange while it was trained on fewer than 1,000 rounds; normal life is about 1.',
  },
  detectorWarmUp: {
    env: 'AEGIS_DETECTOR_WARM_UP',
    schema: z.coerce.number().int().min(100).default(300),
    about:
      'Rounds of an entity before that detector is trained for the first time. With fewer than 300, more than half of healthy entities are called strange within 600 rounds; with 300 one in ten.',
  },
  detectorHistory: {
    env: 'AEGIS_DETECTOR_HISTORY',
    schema: z.coerce.number().int().min(100).default(10_000),
    about:
      'Rounds of an entity kept to train that detector on; fewer of many metrics, so that they take no more than a mebibyte.',
  },
  detectorEntities: {
    env: 'AEGIS_DETECTOR_ENTITIES',
    schema: z.coerce.number().int().positive().default(50),
    about:
      'Entities per partition that detector is trained for; pods of one workload count as one. Every tick names the version of each. Others keep the baseline of their series.',
  },
  metricKnowledge: {
    env: 'AEGIS_METRIC_KNOWLEDGE',
    schema: z.string().optional(),
    about: 'File that says what series mean, a line each (pattern, role, what runs out); its lines come before those shipped.',
  },
  alertRules: {
    env: 'AEGIS_ALERT_RULES',
    schema: z.string().optional(),
    about: 'File of alert rules (YAML), taken up again whenever it changes.',
  },
  authorityFolder: {
    env: 'AEGIS_AUTHORITY_FOLDER',
    schema: z.string().optional(),
    about:
      'Folder with the private key of this service (SERVICE.key, made at its first start) and the public ones of the others (SERVICE.key.pub): models are signed, and refused where they are not. Empty: neither.',
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
