import { z } from 'zod'

export const settings = {
  environment: {
    env: 'AEGIS_ENVIRONMENT',
    schema: z.string().default('default'),
    about: 'Environment of telemetry that names none.',
  },
  maxBodyBytes: {
    env: 'AEGIS_MAX_BODY_BYTES',
    schema: z.coerce.number().default(16 * 1024 * 1024),
    about: 'Largest request body, bytes; larger ones are answered with 413.',
  },
  maxInFlightBytes: {
    env: 'AEGIS_MAX_IN_FLIGHT_BYTES',
    schema: z.coerce.number().default(64 * 1024 * 1024),
    about: 'Bytes accepted but not yet on the broker; beyond it requests are answered with 429.',
  },
  clock: {
    env: 'AEGIS_CLOCK',
    schema: z.enum(['on', 'off']).default('on'),
    about: 'Whether this gateway may lead the pipeline clock; off for replays, where the replayer does.',
  },
  apiToken: {
    env: 'AEGIS_API_TOKEN',
    schema: z.string().optional(),
    about: 'Bearer token asked for on every request but health; empty: none.',
    secret: true,
  },
}
