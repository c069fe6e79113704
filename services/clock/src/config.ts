import { z } from 'zod'

export const settings = {
  clock: {
    env: 'AEGIS_CLOCK',
    schema: z.enum(['on', 'off']).default('on'),
    about: 'Whether this one may lead the pipeline clock; off for replays, where the replayer does.',
  },
  authorityFolder: {
    env: 'AEGIS_AUTHORITY_FOLDER',
    schema: z.string().optional(),
    about:
      'Folder with the private key of this service (SERVICE.key, made at its first start) and the public ones of the others (SERVICE.key.pub): decisions, approvals, controls and outcomes are signed, and refused where they are not. Empty: neither.',
  },
}
