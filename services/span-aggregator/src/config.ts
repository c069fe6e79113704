import { z } from 'zod'

export const settings = {
  holdMs: {
    env: 'AEGIS_SPAN_HOLD_MS',
    schema: z.coerce.number().default(1500),
    about: 'How long the other spans of a trace are waited for, milliseconds.',
  },
}
