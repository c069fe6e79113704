import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { kafkaAnswers } from '../health.ts'
import { java, serverFolder } from '../places.ts'
import { StackError } from '../stack-error.ts'
import { fastJvm, type ServerPlan } from './plan.ts'

/** One KRaft node, broker and controller at once. */
export const kafka: ServerPlan = {
  name: 'kafka',
  async prepare({ folder, ports }) {
    const jars = serverFolder('kafka')
    const data = join(folder, 'data', 'kafka')
    const config = join(folder, 'conf', 'kafka.properties')
    const logging = join(folder, 'conf', 'kafka-log4j2.xml')
    writeFileSync(config, properties(data, ports.kafka, ports.controller))
    writeFileSync(logging, log4j)
    const jvm = [...fastJvm, `-Dlog4j2.configurationFile=${logging}`, '-cp', join(jars, '*')]
    if (!existsSync(join(data, 'meta.properties'))) {
      rmSync(data, { recursive: true, force: true }) // a format that was cut short
      let id: string
      // As Kafka makes them: one that begins with a dash would be read as an option.
      do id = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')
      while (id.startsWith('-'))
      await promisify(execFile)(java(), ['-Xmx128m', ...jvm, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', config]).catch(
        cause => {
          throw new StackError('SERVER_EXITED', `Kafka could not format its data folder ${data}: ${firstLine(cause)}`, { cause })
        },
      )
    }
    return { file: java(), args: ['-Xms128m', '-Xmx512m', ...jvm, 'kafka.Kafka', config], cwd: folder }
  },
  probe: ({ ports }) => kafkaAnswers('127.0.0.1', ports.kafka),
}

const firstLine = (cause: { stderr?: string; message: string }) => (cause.stderr?.trim() || cause.message).split('\n')[0]

const properties = (data: string, port: number, controller: number) => `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=${data}
auto.create.topics.enable=false
message.max.bytes=33554432
replica.fetch.max.bytes=33554432
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
log.cleaner.dedupe.buffer.size=16777216
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
`

const log4j = `<Configuration status="WARN"><Appenders><Console name="out"><PatternLayout pattern="%d %p %m (%c)%n%throwable"/></Console></Appenders>
<Loggers><Logger name="kafka.server.KafkaRaftServer" level="INFO"/><Root level="WARN"><AppenderRef ref="out"/></Root></Loggers></Configuration>
`
