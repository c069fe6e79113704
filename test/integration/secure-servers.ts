/** Kafka with TLS, SASL and an authorizer, Neo4j and Redis with TLS: real servers, made for one test and stopped with it. */
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { java, onPath, serverFolder } from '@aegis/stack/local/places'
import { anyFree } from '@aegis/stack/local/ports'
import { neo4j } from '@aegis/stack/local/servers/neo4j'
import { fastJvm } from '@aegis/stack/local/servers/plan'

export interface SecureServers {
  readonly folder: string
  /** File with the certificate authority, PEM. */
  readonly ca: string
  readonly kafka: string
  readonly neo4jUri: string
  readonly redisUrl: string
  stop(): Promise<void>
}
export interface Users {
  /** Passwords by user; `admin` may do everything. */
  readonly passwords: Readonly<Record<string, string>>
  readonly neo4jPassword: string
  readonly redisPassword: string
}

const openssl = (folder: string, ...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })

/** An authority of our own and a certificate of it for 127.0.0.1. */
function certificates(folder: string): void {
  const subject = (name: string) => ['-subj', `/CN=${name}`]
  openssl(
    folder,
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    ...subject('test-ca'),
  )
  openssl(folder, 'req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'server.key', '-out', 'server.csr', ...subject('127.0.0.1'))
  writeFileSync(join(folder, 'san.txt'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
  const sign = ['x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2']
  openssl(folder, ...sign, '-extfile', 'san.txt', '-out', 'server.pem')
  const chain = ['server.key', 'server.pem', 'ca.pem'].map(file => readFileSync(join(folder, file), 'utf8')).join('')
  writeFileSync(join(folder, 'keystore.pem'), chain, { mode: 0o600 })
}

const LISTENER = 'listener.name.secure'
const kafkaProperties = (
  folder: string,
  port: number,
  controller: number,
  passwords: Users['passwords'],
) => `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=SECURE://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=SECURE://127.0.0.1:${port}
listener.security.protocol.map=SECURE:SASL_SSL,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=SECURE
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=PLAIN
${LISTENER}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="${passwords.admin}" ${Object.entries(
  passwords,
)
  .map(([user, password]) => `user_${user}="${password}"`)
  .join(' ')};
${LISTENER}.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
${LISTENER}.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location=${folder}/keystore.pem
ssl.truststore.type=PEM
ssl.truststore.location=${folder}/ca.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin;User:ANONYMOUS
log.dirs=${folder}/kafka
auto.create.topics.enable=false
message.max.bytes=33554432
offsets.topic.replication.factor=1
offsets.topic.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.cleaner.dedupe.buffer.size=16777216
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
`

export async function startSecureServers({ passwords, neo4jPassword, redisPassword }: Users): Promise<SecureServers> {
  const folder = mkdtempSync(join(tmpdir(), 'aegis-secure-'))
  certificates(folder)
  const ports = {
    kafka: await anyFree(),
    controller: await anyFree(),
    bolt: await anyFree(),
    http: await anyFree(),
    redis: await anyFree(),
  }
  const children: ReturnType<typeof spawn>[] = []
  const run = (name: string, file: string, args: readonly string[], cwd = folder) => {
    const log = openSync(join(folder, `${name}.log`), 'a')
    children.push(spawn(file, args, { cwd, stdio: ['ignore', log, log] }))
    closeSync(log)
  }

  const jvm = [...fastJvm, '-cp', join(serverFolder('kafka'), '*')]
  const config = join(folder, 'kafka.properties')
  writeFileSync(config, kafkaProperties(folder, ports.kafka, ports.controller, passwords), { mode: 0o600 })
  const scram = Object.entries(passwords).flatMap(([user, password]) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(kind => ['--add-scram', `${kind}=[name=${user},password=${password}]`]),
  )
  const format = ['kafka.tools.StorageTool', 'format', '-t', 'c2VjdXJlLXRlc3Qta2Fma2E', '-c', config, ...scram]
  execFileSync(java(), ['-Xmx128m', ...jvm, ...format], { stdio: 'pipe' })
  run('kafka', java(), ['-Xms128m', '-Xmx512m', ...jvm, 'kafka.Kafka', config])

  const settings = { folder, ports: { ...ports, registry: 0 }, password: neo4jPassword }
  mkdirSync(join(folder, 'conf'), { recursive: true })
  const graph = await neo4j.prepare(settings)
  writeFileSync(
    join(folder, 'conf', 'neo4j', 'neo4j.conf'),
    `${readFileSync(join(folder, 'conf', 'neo4j', 'neo4j.conf'), 'utf8')}server.bolt.tls_level=REQUIRED
dbms.ssl.policy.bolt.enabled=true
dbms.ssl.policy.bolt.base_directory=${folder}
dbms.ssl.policy.bolt.private_key=server.key
dbms.ssl.policy.bolt.public_certificate=server.pem
dbms.ssl.policy.bolt.client_auth=NONE
`,
  )
  run('neo4j', graph.file, graph.args, graph.cwd)

  const redis = onPath('redis-server') ?? onPath('valkey-server') ?? join(serverFolder('redis'), 'redis-server')
  const tls = [
    '--tls-cert-file',
    'server.pem',
    '--tls-key-file',
    'server.key',
    '--tls-ca-cert-file',
    'ca.pem',
    '--tls-auth-clients',
    'no',
  ]
  const only = [
    '--port',
    '0',
    '--tls-port',
    String(ports.redis),
    '--bind',
    '127.0.0.1',
    '--requirepass',
    redisPassword,
    '--save',
    '',
  ]
  run('redis', redis, [...only, ...tls])

  return {
    folder,
    ca: join(folder, 'ca.pem'),
    kafka: `127.0.0.1:${ports.kafka}`,
    neo4jUri: `bolt+s://127.0.0.1:${ports.bolt}`,
    redisUrl: `rediss://:${redisPassword}@127.0.0.1:${ports.redis}`,
    stop: async () => {
      await Promise.all(
        children.map(
          child =>
            new Promise<void>(resolve => {
              if (child.exitCode !== null || child.signalCode !== null) return resolve()
              child.once('exit', () => resolve())
              child.kill('SIGKILL')
            }),
        ),
      )
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
