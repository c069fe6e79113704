/** Settings of every service that people call: who may come in, and how large what they bring may be. */
import { z } from 'zod'

export const callerSettings = {
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
  apiToken: {
    env: 'AEGIS_API_TOKEN',
    schema: z.string().optional(),
    about: 'One bearer token with every right, for those who keep no file of keys; empty: none.',
    secret: true,
  },
  keysFile: {
    env: 'AEGIS_KEYS_FILE',
    schema: z.string().optional(),
    about:
      'File of API keys, hashed, that `aegis keys` writes; read again when it changes. Empty: nobody is asked, on this machine only.',
  },
  allowedHosts: {
    env: 'AEGIS_ALLOWED_HOSTS',
    schema: z
      .string()
      .default('')
      .transform(text =>
        text
          .split(',')
          .map(word => word.trim().toLowerCase())
          .filter(word => word !== ''),
      ),
    about:
      'Names, without port, under which the service may be called without a key, besides those of its own machine; separated by commas.',
  },
  authentication: {
    env: 'AEGIS_AUTHENTICATION',
    schema: z.enum(['on', 'off']).default('on'),
    about:
      'off: a service without keys starts on any address, and whoever reaches it may do everything. Only behind something that asks who they are.',
  },
  listenHost: {
    env: 'AEGIS_HOST',
    schema: z.string().default('127.0.0.1'),
    about: 'Address the API server listens on; others than those of this machine need keys.',
  },
  authorityFolder: {
    env: 'AEGIS_AUTHORITY_FOLDER',
    schema: z.string().optional(),
    about:
      'Folder with the private key of this service (SERVICE.key, made at its first start) and the public ones of the others (SERVICE.key.pub): decisions, approvals, controls and outcomes are signed, and refused where they are not. Empty: neither.',
  },
  environmentsFile: {
    env: 'AEGIS_ENVIRONMENTS_FILE',
    schema: z.string().optional(),
    about:
      'File with the environments there are, one a line, that `aegis environments` writes; controls for others are refused. Empty: any name is taken.',
  },
}

export const anonymousScopes = {
  env: 'AEGIS_ANONYMOUS_SCOPES',
  schema: z
    .string()
    .default('')
    .transform(text =>
      text
        .split(',')
        .map(word => word.trim())
        .filter(word => word !== ''),
    )
    .pipe(z.array(z.enum(['ingest', 'read', 'detect', 'approve', 'control', 'admin']))),
  about: 'What may be done without a key where keys are kept: ingest, read, detect; separated by commas.',
}
