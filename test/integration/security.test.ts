import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect as openSocket } from 'node:tls'
import { ciFailures, driftEvents, isStateful, type LogEvent, logsParsed, logsRaw } from '@aegis/domain'
import {
  allTopics,
  connect,
  type KafkaBroker,
  partitionsOf,
  RUNTIME_SETTINGS,
  readConfig,
  silentLog,
  snapshotSpec,
  snapshotTopic,
} from '@aegis/runtime'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { type Pipeline, startProcesses } from '@aegis/stack/pipeline/pipeline'
import { SERVICES } from '@aegis/stack/pipeline/services'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rightsOfAll, type ServiceRights } from '../../tools/generate/permissions.ts'
import { type SecureServers, startSecureServers } from './secure-servers.ts'
import { stackEnv } from './stack-env.ts'

/** Every secret there is, each one of its kind, so that it can be looked for. */
const secret = () => `s3cret-${randomBytes(9).toString('hex')}`
const users = ['admin', 'stranger', ...Object.keys(SERVICES)]
const passwords = Object.fromEntries(users.map(user => [user, secret()]))
const neo4jPassword = secret()
const redisPassword = secret()
const apiToken = secret()
const SPREAD = { data: 2, environment: 1 }

let servers: SecureServers
let pipeline: Pipeline
let rights: Record<string, ServiceRights>
const lost: string[] = []

const envFor = (user: string, mechanism = 'scram-sha-512', password = passwords[user]) => ({
  KAFKA_BROKERS: servers.kafka,
  KAFKA_SSL: 'true',
  KAFKA_SSL_CA: servers.ca,
  KAFKA_SASL_MECHANISM: mechanism,
  KAFKA_USER: user,
  KAFKA_PASSWORD: password,
  SCHEMA_REGISTRY_URL: stackEnv().SCHEMA_REGISTRY_URL,
})
const brokerFor = (...who: Parameters<typeof envFor>) =>
  connect(readConfig(RUNTIME_SETTINGS, envFor(...who)), `test-${who[0]}`, silentLog()).broker as KafkaBroker
const until = async (what: string, done: () => Promise<boolean>): Promise<void> => {
  const end = performance.now() + 90_000
  while (!(await done().catch(() => false))) {
    if (performance.now() > end) throw new Error(`${what}: not within 90 s; lost: ${lost.join('; ') || 'none'}`)
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}
const answers = (address: string, ca: string): Promise<boolean> =>
  new Promise(resolve => {
    const [host, port] = address.split(':')
    const socket = openSocket({ host, port: Number(port), ca: readFileSync(ca) }, () => resolve(socket.end() && true))
    socket.once('error', () => resolve(false))
  })

const groups = () =>
  Object.entries(rights).flatMap(([service, { stages }]) => stages.map(stage => ({ group: `${service}-${stage.name}`, stage })))

const RESOURCES = { topic: 2, group: 3, 'transactional-id': 5 } as const
const OPERATIONS = { Read: 3, Write: 4, Delete: 6, Describe: 8 } as const
async function grant(admin: kafkajs.Admin): Promise<void> {
  const acl = Object.entries(rights).flatMap(([service, { permissions }]) =>
    permissions.flatMap(({ resource, name, pattern, operations }) =>
      operations.map(operation => ({
        resourceType: RESOURCES[resource] as never,
        resourceName: name,
        resourcePatternType: (pattern === 'literal' ? 3 : 4) as never,
        principal: `User:${service}`,
        host: '*',
        operation: OPERATIONS[operation] as never,
        permissionType: 3 as never,
      })),
    ),
  )
  await admin.createAcls({ acl })
}

beforeAll(async () => {
  rights = await rightsOfAll()
  servers = await startSecureServers({ passwords, neo4jPassword, redisPassword })
  await until('Kafka', () => answers(servers.kafka, servers.ca))
  const admin = new kafkajs.Kafka({
    clientId: 'test-admin',
    brokers: [servers.kafka],
    ssl: { ca: readFileSync(servers.ca, 'utf8') },
    sasl: { mechanism: 'plain', username: 'admin', password: passwords.admin },
    logLevel: kafkajs.logLevel.NOTHING,
  }).admin()
  await until('the admin', async () => {
    await admin.connect()
    return true
  })
  const broker = brokerFor('admin')
  await broker.ensureTopics([
    ...allTopics(SPREAD),
    { topic: 'aegis.leader.clock', partitions: 1, config: {} },
    ...groups().map(({ group, stage }) => snapshotSpec(group, partitionsOf(stage.reads[0], SPREAD))),
  ])
  await grant(admin)
  await admin.disconnect()
  await broker.close()
  await until('Neo4j', () => answers(new URL(servers.neo4jUri).host, servers.ca))
  pipeline = await startProcesses({
    env: {
      ...envFor('admin'),
      NEO4J_URI: servers.neo4jUri,
      NEO4J_USER: 'neo4j',
      NEO4J_PASSWORD: neo4jPassword,
      REDIS_URL: servers.redisUrl,
      NODE_EXTRA_CA_CERTS: servers.ca,
      AEGIS_API_TOKEN: apiToken,
      AEGIS_DATA_PARTITIONS: String(SPREAD.data),
      AEGIS_ENVIRONMENT_PARTITIONS: String(SPREAD.environment),
      AEGIS_GATEWAY_PORT: '0',
      LOG_LEVEL: 'debug',
    },
    envOf: Object.fromEntries(Object.keys(SERVICES).map(name => [name, { KAFKA_USER: name, KAFKA_PASSWORD: passwords[name] }])),
    logFolder: join(servers.folder, 'services'),
    onLost: (service, how) => lost.push(`${service}: ${how}`),
  })
})
afterAll(async () => {
  await pipeline?.stop()
  await servers?.stop()
})

describe('TLS, SASL and an authorizer', () => {
  it('carries a line from the gateway to logs.parsed, and time through every stage, with the least of rights', async () => {
    const environment = randomUUID()
    const body = JSON.stringify([{ environment, entity: 'service:checkout', body: 'connection refused to 10.0.0.7:5432' }])
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${apiToken}` }
    const post = () => fetch(`${pipeline.gatewayUrl}/api/v1/logs`, { method: 'POST', body, headers })
    expect((await post()).status).toBe(202)
    const client = new StreamClient(connect(readConfig(RUNTIME_SETTINGS, envFor('admin')), 'test', silentLog()))
    const seen: LogEvent[] = []
    const tail = await client.tail([logsParsed as never], 'start', decoded => {
      for (const { value } of decoded) if ((value as LogEvent)?.environment === environment) seen.push(value as LogEvent)
    })
    await until('the parsed line', async () => seen.length === 1)
    expect(seen[0]).toMatchObject({ entity: 'service:checkout', fault_pattern: 'connection-refused' })
    // A record that cannot be read goes to its dead letters, which takes a right of its own.
    await (await client.broker.producer()).send([{ topic: logsRaw.name, key: 'x', value: Buffer.from('nonsense'), headers: {} }])
    const dead = async () => (await client.broker.end('logs.raw.dlq', 0)) + (await client.broker.end('logs.raw.dlq', 1))
    await until('the dead letter', async () => (await dead()) > 0)
    // Streams without ticks carry records alone.
    const issue = JSON.stringify([
      { environment, entity: 'service:checkout', kind: 'probe', name: 'ready', summary: 'no answer' },
    ])
    expect((await fetch(`${pipeline.gatewayUrl}/api/v1/issues`, { method: 'POST', body: issue, headers })).status).toBe(202)
    const failed = {
      environment,
      time: Date.now() * 1000,
      provider: 'file',
      run: '1',
      job: 'test',
      log: 'make: *** [all] Error 2\n',
    }
    await client.publish(
      ciFailures,
      // Some of these names fall on the first partition.
      Array.from({ length: 8 }, (_, i) => ({ ...failed, id: `${environment}-${i}`, repository: `shop/part-${i}` })),
    )
    const drifted = {
      time: Date.now() * 1000,
      state: 'open',
      started: Date.now() * 1000,
      tool: 'declared',
      address: 'queue.orders',
      type: 'queue',
      attributes: ['size'],
      changes: [],
    }
    await client.publish(
      driftEvents,
      Array.from({ length: 8 }, (_, i) => ({ ...drifted, id: `${environment}-${i}`, environment: `${environment}-${i}` })),
    )
    // Controls of several environments: some fall on the first partition.
    for (let i = 0; i < 8; i++) {
      const answer = await fetch(`${pipeline.gatewayUrl}/api/v1/controls/${environment}-${i}`, {
        method: 'PUT',
        body: JSON.stringify({ default_mode: 'observe' }),
        headers,
      })
      expect([answer.status, await answer.text()]).toEqual([202, expect.stringContaining('observe')])
    }
    for (const { group, stage } of groups()) {
      const topic = stage.reads[0].name
      await until(`${group} to be given something`, async () => (await client.broker.committed(group, [topic], 0))[topic] > 0)
      if (isStateful(stage.create(0)))
        await until(`${group} to write a snapshot`, async () => (await client.broker.end(snapshotTopic(group), 0)) > 0)
    }
    await tail.close()
    await client.close()
    expect(lost).toEqual([])
  })

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])('lets in by %s', async mechanism => {
    const broker = brokerFor('admin', mechanism)
    expect(await broker.partitions(logsRaw.name)).toBe(SPREAD.data)
    await broker.close()
  })

  it('keeps out a wrong password, and does not repeat it', async () => {
    const wrong = secret()
    const broker = brokerFor('log-parser', 'scram-sha-512', wrong)
    const refused = await broker.partitions(logsRaw.name).catch(error => error as Error)
    expect(refused).toBeInstanceOf(Error)
    expect(String((refused as Error).stack) + JSON.stringify(refused)).not.toContain(wrong)
    await broker.close().catch(() => undefined)
  })

  it.each([
    ['log-parser', 'remediation.decisions'],
    ['remediator', 'remediation.outcomes'],
    ['anomaly-detector', 'incidents'],
    ['stranger', 'logs.raw'],
  ])('does not let %s write to %s', async (user, topic) => {
    const broker = brokerFor(user)
    const producer = await broker.producer().catch(error => error as Error)
    const sent =
      producer instanceof Error
        ? producer
        : await producer.send([{ topic, key: 'k', value: Buffer.from('v') }]).catch(error => error as Error)
    expect(String(sent)).toMatch(/authoriz/i)
    await broker.close().catch(() => undefined)
  })

  it('writes no secret into any log', () => {
    const logs = join(servers.folder, 'services')
    expect(existsSync(logs)).toBe(true)
    const secrets = { ...passwords, neo4jPassword, redisPassword, apiToken }
    for (const file of readdirSync(logs)) {
      const text = readFileSync(join(logs, file), 'utf8')
      expect(text.length, file).toBeGreaterThan(0)
      for (const [name, value] of Object.entries(secrets)) expect(text.includes(value), `${name} in ${file}`).toBe(false)
    }
  })
})
