import { existsSync, readFileSync } from 'node:fs'
import { FatalError } from '@aegis/domain'
import { parse } from 'yaml'
import { z } from 'zod'

/** One setting: where it comes from, what it may be, what it is for. Environment first, then the file named by AEGIS_CONFIG, then the default. */
export interface Setting<T extends z.ZodType = z.ZodType> {
  readonly env: string
  readonly schema: T
  readonly about: string
  readonly secret?: boolean
}
export type Settings = Readonly<Record<string, Setting>>
export type Config<S extends Settings> = { readonly [K in keyof S]: z.output<S[K]['schema']> }

const number = (fallback: number) => z.coerce.number().default(fallback)
/** A switch: 1/true/yes/on, 0/false/no/off. */
const flag = (fallback: boolean) =>
  z.preprocess(v => (typeof v === 'string' ? /^(1|true|yes|on)$/i.test(v) : v), z.boolean().default(fallback))
const optional = z.string().optional()

/** Settings that every service has. */
export const RUNTIME_SETTINGS = {
  brokers: {
    env: 'KAFKA_BROKERS',
    schema: z.string().default('127.0.0.1:19092'),
    about: 'Kafka bootstrap addresses, separated by commas.',
  },
  kafkaSsl: { env: 'KAFKA_SSL', schema: flag(false), about: 'Speak TLS to Kafka.' },
  kafkaSslCa: { env: 'KAFKA_SSL_CA', schema: optional, about: 'File with the certificate authority of the brokers (PEM).' },
  kafkaSaslMechanism: {
    env: 'KAFKA_SASL_MECHANISM',
    schema: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
    about: 'SASL mechanism for Kafka.',
  },
  kafkaUser: { env: 'KAFKA_USER', schema: optional, about: 'SASL user for Kafka.' },
  kafkaPassword: { env: 'KAFKA_PASSWORD', schema: optional, about: 'SASL password for Kafka.', secret: true },
  sessionTimeoutMs: {
    env: 'KAFKA_SESSION_TIMEOUT_MS',
    schema: number(10_000),
    about: 'How long a member of a consumer group may be silent before its partitions go to others, milliseconds.',
  },
  registryUrl: {
    env: 'SCHEMA_REGISTRY_URL',
    schema: z.string().default('http://127.0.0.1:18081/apis/ccompat/v7'),
    about: "Schema registry (Confluent's API).",
  },
  dataPartitions: {
    env: 'AEGIS_DATA_PARTITIONS',
    schema: number(6),
    about: 'Partitions of streams keyed by entity or trace. Raise only while the pipeline is empty: keys move.',
  },
  environmentPartitions: {
    env: 'AEGIS_ENVIRONMENT_PARTITIONS',
    schema: number(3),
    about: 'Partitions of streams keyed by environment.',
  },
  batchRecords: { env: 'AEGIS_BATCH_RECORDS', schema: number(5000), about: 'Most records in one transaction.' },
  batchBytes: { env: 'AEGIS_BATCH_BYTES', schema: number(8 * 1024 * 1024), about: 'Most bytes of input in one transaction.' },
  batchWaitMs: {
    env: 'AEGIS_BATCH_WAIT_MS',
    schema: number(10),
    about: 'How long a batch may wait for more records, milliseconds.',
  },
  snapshotEveryMs: {
    env: 'AEGIS_SNAPSHOT_EVERY_MS',
    schema: number(15_000),
    about: 'Milliseconds between snapshots of a stage that can replay.',
  },
  snapshotEveryRecords: {
    env: 'AEGIS_SNAPSHOT_EVERY_RECORDS',
    schema: number(100_000),
    about: 'Records between snapshots of a stage that can replay.',
  },
  deadLettersInARow: {
    env: 'AEGIS_DEAD_LETTERS_IN_A_ROW',
    schema: number(1000),
    about: 'Dead letters in a row on one partition after which the service stops: more likely a bad deploy than bad data.',
  },
  retries: { env: 'AEGIS_RETRIES', schema: number(3), about: 'Times a batch is tried again whole before it is halved.' },
  host: { env: 'AEGIS_HOST', schema: z.string().default('127.0.0.1'), about: 'Address the health and API server listens on.' },
  port: { env: 'AEGIS_PORT', schema: number(0), about: 'Port of the health and API server; 0 picks a free one.' },
  collectGarbageMs: {
    env: 'AEGIS_COLLECT_GARBAGE_MS',
    schema: number(60_000),
    about: 'Milliseconds between full collections of the heap, more if they take long; 0 leaves it to the engine.',
  },
  logLevel: {
    env: 'LOG_LEVEL',
    schema: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
    about: 'Least level that is logged.',
  },
  tracesEndpoint: {
    env: 'AEGIS_TRACES_ENDPOINT',
    schema: optional,
    about: 'OTLP/HTTP endpoint for the spans of Aegis itself; empty: none are recorded.',
  },
} as const satisfies Settings
export type RuntimeConfig = Config<typeof RUNTIME_SETTINGS>

/** Reads and checks settings. Throws one CONFIG_INVALID that names every bad setting, where it came from and what it may be. */
export const readConfig = <S extends Settings>(
  settings: S,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Config<S> => {
  let file: Record<string, unknown> = {}
  const path = env.AEGIS_CONFIG
  if (path) {
    if (!existsSync(path)) throw new FatalError('CONFIG_INVALID', `AEGIS_CONFIG names ${path}, which does not exist`)
    try {
      file = (parse(readFileSync(path, 'utf8')) as Record<string, unknown>) ?? {}
    } catch (error) {
      throw new FatalError('CONFIG_INVALID', `${path} is not YAML or JSON: ${(error as Error).message}`)
    }
  }
  const problems: string[] = []
  const config: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(settings)) {
    const given = env[setting.env]
    const value = given !== undefined && given !== '' ? given : (file[setting.env] ?? file[name])
    const parsed = setting.schema.safeParse(value)
    if (parsed.success) config[name] = parsed.data
    else {
      const from = given !== undefined ? 'environment' : value !== undefined ? String(path) : 'not set'
      problems.push(
        `${setting.env} (${from}${setting.secret || value === undefined ? '' : `: ${JSON.stringify(value)}`}): ${parsed.error.issues.map(i => i.message).join('; ')} — ${setting.about}`,
      )
    }
  }
  if (problems.length > 0) throw new FatalError('CONFIG_INVALID', `bad settings:\n  ${problems.join('\n  ')}`)
  return config as Config<S>
}
