import { z } from 'zod'

export const settings = {
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
