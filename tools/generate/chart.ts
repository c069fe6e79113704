/** What the Helm chart, compose and `.env.example` know of the services: made from their definitions, so that none of them can lag behind. */

import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { ServiceDefinition, Settings } from '@aegis/runtime'
import { parseAllDocuments, stringify } from 'yaml'
import { z } from 'zod'
import { rightsOfAll } from './permissions.ts'

/** Where the API of a service listens when it is not 8080. */
const PORTS: Readonly<Record<string, number>> = { api: 8000 }
export const portOf = (service: string): number => PORTS[service] ?? 8080

/** Set by the chart and the images themselves: nobody chooses them. */
const OWN = new Set(['AEGIS_HOST', 'AEGIS_PORT', 'AEGIS_AUTHORITY_FOLDER'])

interface Chosen {
  readonly env: string
  readonly about: string
  readonly secret: boolean
  readonly schema: z.ZodType
}
const chosen = (settings: Settings): Chosen[] =>
  Object.values(settings).map(s => ({ env: s.env, about: s.about, secret: s.secret ?? false, schema: s.schema }))

export interface ServiceFacts {
  readonly about: string
  readonly port: number
  /** Settings it reads, by their names in the environment. */
  readonly settings: readonly string[]
  readonly secrets: readonly string[]
  /** Servers it speaks to beside Kafka and the schema registry. */
  readonly needs: readonly string[]
  /** Whether others call it: it answers more than its health. */
  readonly api: boolean
  /** Whether it holds a key of its own. */
  readonly signs: boolean
  /** Groups and the topics they take up: what an autoscaler measures. */
  readonly triggers: readonly { group: string; topic: string; partitions: string }[]
  readonly acls: readonly { resource: { type: string; name: string; patternType: string }; operations: readonly string[] }[]
}

const runtimeSettings = async () => chosen((await import('@aegis/runtime/config')).RUNTIME_SETTINGS)

export const factsOfAll = async (): Promise<Record<string, ServiceFacts>> => {
  const common = await runtimeSettings()
  const facts: Record<string, ServiceFacts> = {}
  const listed = await catalogue()
  const isSecret = (env: string) => listed.get(env)?.secret ?? false
  for (const [name, { definition, parts, permissions }] of Object.entries(await rightsOfAll())) {
    const all = [...common, ...chosen(definition.settings)]
    const envs = [...new Set(all.filter(s => !OWN.has(s.env)).map(s => s.env))].sort()
    facts[name] = {
      about: definition.about,
      port: portOf(name),
      settings: envs.filter(env => !isSecret(env)),
      secrets: envs.filter(isSecret),
      needs: [...(envs.includes('NEO4J_URI') ? ['neo4j'] : []), ...(envs.includes('REDIS_URL') ? ['redis'] : [])],
      api: parts.http !== undefined,
      signs: all.some(s => s.env === 'AEGIS_AUTHORITY_FOLDER'),
      triggers: parts.stages.flatMap(stage =>
        stage.reads.map(s => ({ group: `${name}-${stage.name}`, topic: s.name, partitions: s.spread })),
      ),
      acls: permissions.map(p => ({
        resource: {
          type: p.resource === 'transactional-id' ? 'transactionalId' : p.resource,
          name: p.name,
          patternType: p.pattern === 'prefixed' ? 'prefix' : 'literal',
        },
        operations: p.operations,
      })),
    }
  }
  return facts
}

const defaultOf = (schema: z.ZodType): unknown => {
  const parsed = schema.safeParse(undefined)
  return parsed.success ? parsed.data : undefined
}

type Listed = Omit<Chosen, 'secret'> & {
  /** What is a secret to one service is one to all of them. */
  secret: boolean
  /** Services that read it, or "every service". */
  readonly by: string[]
  /** How each of those that read it takes it. */
  readonly readings: Map<string, Chosen>
  /** False for a name that two services read differently: it can be set for each of them alone. */
  shared: boolean
}
/** Every setting there is, once, in the order of the services. */
const catalogue = async (): Promise<Map<string, Listed>> => {
  const found = new Map<string, Listed>()
  const add = (s: Chosen, by: string) => {
    const known = found.get(s.env)
    if (!known) found.set(s.env, { ...s, by: [by], readings: new Map([[by, s]]), shared: true })
    else {
      known.by.push(by)
      known.readings.set(by, s)
      known.secret ||= s.secret
      if (String(defaultOf(known.schema)) !== String(defaultOf(s.schema))) known.shared = false
    }
  }
  for (const s of await runtimeSettings()) add(s, 'every service')
  for (const [name, { definition }] of Object.entries(await rightsOfAll()))
    for (const s of chosen((definition as ServiceDefinition).settings)) add(s, name)
  return found
}

/** The JSON schema of one setting in values: what the environment takes, as text or as the thing itself. */
const settingSchema = ({ about, schema }: Pick<Chosen, 'about' | 'schema'>): object => {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>
  const closed = Array.isArray(json.enum) ? json.enum.filter(v => typeof v === 'string') : undefined
  const shared = { description: about }
  if (closed?.length) return { ...shared, enum: [...closed, ''] }
  const fallback = defaultOf(schema)
  if (typeof fallback === 'boolean')
    return { ...shared, anyOf: [{ type: 'boolean' }, { enum: ['true', 'false', 'on', 'off', 'yes', 'no', '1', '0'] }] }
  if (typeof fallback === 'number')
    return { ...shared, anyOf: [{ type: 'number' }, { type: 'string', pattern: String.raw`^-?[0-9]*\.?[0-9]*$` }] }
  return { ...shared, type: ['string', 'number', 'boolean'] }
}

const object = (properties: object, more: object = {}) => ({ type: 'object', additionalProperties: false, properties, ...more })
const text = { type: 'string' }
const flag = { type: 'boolean' }
const count = { type: 'integer', minimum: 0 }
const any = { type: 'object' }
const many = (items: object) => ({ type: 'array', items })
const secretRef = object({ name: { ...text, minLength: 1 }, key: { ...text, minLength: 1 } }, { required: ['name', 'key'] })

const valuesSchema = async (facts: Readonly<Record<string, ServiceFacts>>): Promise<object> => {
  const all = await catalogue()
  const plain = (names: readonly string[], by = '') =>
    Object.fromEntries(names.map(env => [env, settingSchema(all.get(env)?.readings.get(by) ?? (all.get(env) as Listed))]))
  const secret = (names: readonly string[]) =>
    Object.fromEntries(names.map(env => [env, { ...secretRef, description: (all.get(env) as Chosen).about }]))
  const everyPlain = [...all.values()].filter(s => !s.secret && s.shared && !OWN.has(s.env)).map(s => s.env)
  const everySecret = [...all.values()].filter(s => s.secret && !OWN.has(s.env)).map(s => s.env)
  const scaling = object({
    kind: { enum: ['none', 'hpa', 'keda'] },
    min: { ...count, minimum: 1 },
    max: { ...count, minimum: 1 },
    cpu: { ...count, minimum: 1, maximum: 100 },
    lag: { ...count, minimum: 1 },
  })
  const perService = {
    replicas: count,
    resources: any,
    autoscaling: scaling,
    nodeSelector: any,
    tolerations: many(any),
    affinity: any,
    podAnnotations: any,
    podLabels: any,
  }
  const peers = object({ ports: many(count), to: many(any) })
  const service = (name: string, f: ServiceFacts) =>
    object(
      {
        enabled: flag,
        ...perService,
        image: text,
        gpu: flag,
        settings: object(plain(f.settings, name)),
        secrets: object(secret(f.secrets)),
        files: { type: 'object', additionalProperties: text },
        ports: many(
          object(
            { name: { ...text, maxLength: 15 }, port: count, protocol: { enum: ['TCP', 'UDP'] } },
            { required: ['name', 'port'] },
          ),
        ),
        persistence: object({ enabled: flag, size: text, storageClass: text, path: text }),
        authoritySecret: text,
        volumes: many(any),
        volumeMounts: many(any),
        egress: many(any),
        serviceAccountAnnotations: any,
      },
      { description: f.about },
    )
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $comment: 'Generated by npm run generate from the settings of the services.',
    title: 'Values of the Aegis chart',
    ...object({
      global: any,
      nameOverride: text,
      image: object({
        repository: text,
        tag: text,
        digests: any,
        pullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] },
        pullSecrets: many(any),
      }),
      settings: object(plain(everyPlain), { description: 'For every service that reads them.' }),
      secrets: object(secret(everySecret), { description: 'For every service that reads them.' }),
      defaults: object(perService),
      services: object(Object.fromEntries(Object.entries(facts).map(([name, f]) => [name, service(name, f)]))),
      gpu: object({ resource: text, count, tagSuffix: text, nodeSelector: any, tolerations: many(any), runtimeClassName: text }),
      priorityClassName: text,
      terminationGracePeriodSeconds: { ...count, minimum: 10 },
      podDisruptionBudget: object({ enabled: flag, maxUnavailable: { type: ['integer', 'string'] } }),
      networkPolicy: object({
        enabled: flag,
        dns: peers,
        kafka: peers,
        registry: peers,
        neo4j: peers,
        redis: peers,
        kubernetes: peers,
        callers: many(any),
        monitoring: many(any),
      }),
      monitoring: object({
        podMonitor: flag,
        interval: text,
        rules: flag,
        runbooks: text,
        dashboards: flag,
        labels: any,
      }),
      kafka: object({
        strimzi: object({
          enabled: flag,
          cluster: text,
          topics: flag,
          users: flag,
          replicas: { ...count, minimum: 1 },
          minInSync: { ...count, minimum: 1 },
        }),
      }),
      externalSecrets: object({
        enabled: flag,
        store: object({ name: text, kind: { enum: ['SecretStore', 'ClusterSecretStore'] } }),
        prefix: text,
        refreshInterval: text,
      }),
      csi: object({ secretProviderClass: text, mountPath: text }),
      rbac: object({
        executor: object({ namespaces: many(text), clusterWide: flag, nodes: flag }),
        watch: object({ namespaces: many(text), clusterWide: flag, cluster: flag }),
      }),
      preflight: object({ enabled: flag, timeoutSeconds: count }),
    }),
  }
}

/** Names that mean the same to every service that reads them. */
export const sharedNames = async (): Promise<ReadonlySet<string>> =>
  new Set([...(await catalogue()).values()].filter(s => s.shared).map(s => s.env))

/** The name in `.env` of a setting that two services read differently; docker-compose.yml hands it to the one. */
export const ownName = (service: string, env: string): string => `${service.toUpperCase().replaceAll('-', '_')}_${env}`

const envExample = async (): Promise<string> => {
  const lines = [
    '# Generated by "npm run generate". Copy to .env and set the passwords before "docker compose up"; every other line may stay as it is.',
    '# What stands behind a # is the default. Nothing here is a secret that is used anywhere.',
    '',
    '# Passwords of the servers that docker-compose.yml starts.',
    'NEO4J_PASSWORD=change-me-please',
    'REDIS_PASSWORD=change-me-please',
    '',
    '# Ports on this machine; change one when it is taken.',
    ...Object.entries({
      KAFKA: 19092,
      REGISTRY: 18081,
      NEO4J_BOLT: 17687,
      NEO4J_HTTP: 17474,
      REDIS: 16379,
      GATEWAY: 18080,
      API: 8000,
    }).map(([name, port]) => `${name}_PORT=${port}`),
  ]
  lines.push(
    '',
    '# What docker compose builds from: tag of the images, base image, and wasm, native or gpu (deploy/Dockerfile).',
    '#AEGIS_VERSION=local',
    '#AEGIS_BASE=node:24-bookworm-slim',
    '#AEGIS_TENSORFLOW=wasm',
    '# Servers elsewhere, instead of those that docker-compose.yml starts.',
    '#KAFKA_BROKERS=kafka:9092',
    '#SCHEMA_REGISTRY_URL=http://registry:8080/apis/ccompat/v7',
    '#NEO4J_URI=bolt://neo4j:7687',
    '#NEO4J_USER=neo4j',
    '# Prometheus asked for the history of series (AEGIS_HISTORY_URL of the gateway).',
    '#PROMETHEUS_URL=',
  )
  /** Wired by docker-compose.yml itself, to the servers it starts. */
  const wired = new Set([
    ...OWN,
    'NEO4J_PASSWORD',
    'KAFKA_BROKERS',
    'SCHEMA_REGISTRY_URL',
    'NEO4J_URI',
    'NEO4J_USER',
    'REDIS_URL',
    'AEGIS_HISTORY_URL',
  ])
  let section = ''
  for (const { env, about, schema, secret, by, shared, readings } of (await catalogue()).values()) {
    if (wired.has(env)) continue
    const title = by.length > 3 ? 'every service' : by.join(', ')
    if (title !== section) {
      section = title
      lines.push('', `# --- ${title}`)
    }
    const shown = (setting: z.ZodType): string => {
      const fallback = secret ? '' : (defaultOf(setting) ?? '')
      return typeof fallback === 'object' ? '' : String(fallback)
    }
    if (shared) lines.push(`# ${about}`, `#${env}=${shown(schema)}`)
    else
      for (const [service, reading] of readings)
        lines.push(`# ${service} alone: ${reading.about}`, `#${ownName(service, env)}=${shown(reading.schema)}`)
  }
  return `${lines.join('\n')}\n`
}

/** Topics as the runtime makes them, for those who declare them (Strimzi). */
const topics = async (facts: Readonly<Record<string, ServiceFacts>>) => {
  const { allTopics, snapshotSpec } = await import('@aegis/runtime/topics')
  const { streams } = await import('@aegis/domain')
  const spread = { data: -2, environment: -3 }
  const word = (n: number) => (n === -2 ? 'data' : n === -3 ? 'environment' : String(n))
  const groups = new Map(Object.values(facts).flatMap(f => f.triggers.map(t => [t.group, t.partitions] as const)))
  return [
    ...allTopics(spread),
    ...[...groups].map(([group, s]) => snapshotSpec(group, s === 'one' ? 1 : spread[s as 'data'])),
    ...(streams.some(s => s.ticks) ? [{ topic: 'aegis.leader.clock', partitions: 1, config: {} }] : []),
  ].map(t => ({ name: t.topic, partitions: word(t.partitions), config: t.config }))
}

/** The rules of the manifests for those without Helm, which explain each: of one namespace, and of the cluster. */
const rights = (root: string) =>
  Object.fromEntries(
    ['executor', 'watch'].map(who => {
      const manifests = parseAllDocuments(readFileSync(path.join(root, `deploy/kubernetes/${who}-rbac.yaml`), 'utf8')).map(d =>
        d.toJS(),
      ) as { kind: string; rules: object[] }[]
      const rules = (kind: string) => manifests.find(m => m.kind === kind)?.rules
      return [who, { namespace: rules('Role'), cluster: rules('ClusterRole') }]
    }),
  )

const head = '# Generated by "npm run generate" from the definitions of the services.\n'
export const chartFiles = async (root: string): Promise<Record<string, string>> => {
  const facts = await factsOfAll()
  const yaml = (value: unknown) => head + stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
  return {
    'deploy/helm/aegis/files/services.generated.yaml': yaml(facts),
    'deploy/helm/aegis/files/topics.generated.yaml': yaml({ topics: await topics(facts) }),
    'deploy/helm/aegis/files/rbac.generated.yaml': yaml(rights(root)),
    'deploy/helm/aegis/values.schema.json': `${JSON.stringify(await valuesSchema(facts), null, 2)}\n`,
    '.env.example': await envExample(),
  }
}
