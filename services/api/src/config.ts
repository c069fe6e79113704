import { anonymousScopes, callerSettings } from '@aegis/api'
import { guardSettings } from '@aegis/remediation/guard-settings'
import { z } from 'zod'

const port = z.coerce.number().int().min(0).max(65_535).optional()

export const settings = {
  ...callerSettings,
  ...guardSettings,
  anonymousScopes: {
    ...anonymousScopes,
    env: 'AEGIS_API_ANONYMOUS_SCOPES',
    schema: z
      .string()
      .default('read')
      .transform((text): string | undefined => text)
      .pipe(anonymousScopes.schema),
    about:
      'What may be asked without a key where keys are kept, while the service is reached from this machine only; separated by commas. On other addresses nothing is.',
  },
  historyFile: {
    env: 'AEGIS_HISTORY_FILE',
    schema: z.string().default(':memory:'),
    about:
      'File (SQLite) in which what was found and decided is kept beyond the topics; :memory: forgets it when the service ends.',
  },
  historyDays: {
    env: 'AEGIS_HISTORY_DAYS',
    schema: z.coerce.number().positive().default(90),
    about: 'Days after which records leave the history.',
  },
  live: {
    env: 'AEGIS_API_LIVE',
    schema: z.enum(['on', 'off']).default('on'),
    about:
      'Whether log lines and metrics are followed for the pages Logs and Metrics; off where there are more than one reader can read.',
  },
  minSamples: {
    env: 'MIN_SAMPLES_FOR_TRAINING',
    schema: z.coerce.number().int().min(10).max(1024).default(100),
    about: 'Values of a metric before detect-anomaly grows a forest for it; until then statistics decide.',
  },
  anomalyThreshold: {
    env: 'ANOMALY_THRESHOLD',
    schema: z.coerce.number().min(0.5).max(0.999).default(0.85),
    about: 'Score from which detect-anomaly calls a value an anomaly.',
  },
  failureWindowSeconds: {
    env: 'FAILURE_DETECTION_WINDOW',
    schema: z.coerce.number().positive().default(300),
    about: 'Seconds before the newest metric or line that detect-failure looks at.',
  },
  grpcPort: {
    env: 'AEGIS_API_GRPC_PORT',
    schema: z.union([z.literal('off').transform(() => undefined), port]),
    about: 'Port for the inference API over gRPC, on the address of the API server; empty or off: none.',
  },
  policyPort: {
    env: 'AEGIS_POLICY_PORT',
    schema: port,
    about:
      'Second port, on the same address, that answers POST /api/v1/policy/evaluate and nothing else, for callers that look for a policy service on 3000; empty: none.',
  },
  neo4jUri: {
    env: 'NEO4J_URI',
    schema: z.string().default('bolt://127.0.0.1:17687'),
    about: 'Bolt address of Neo4j, for /health; "memory" where the graph is inside the process.',
  },
  redisUrl: {
    env: 'REDIS_URL',
    schema: z.string().default('redis://127.0.0.1:16379'),
    about: 'Address of Redis, for /health; "memory" where leases are inside the process.',
    secret: true,
  },
}
