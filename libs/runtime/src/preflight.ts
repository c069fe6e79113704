/**
 * Whether this version can run on what stands: `node libs/runtime/src/preflight.ts`, before an install or an upgrade. Reads only.
 * With --ready every topic and schema must be there already: what holds once the services have started.
 */
import { fileURLToPath } from 'node:url'
import { type Stream, streams } from '@aegis/domain'
import type { Broker } from './broker.ts'
import { type schemaOf as SchemaOf, schemaOf } from './codec.ts'
import { RUNTIME_SETTINGS, readConfig } from './config.ts'
import { makeLog } from './log.ts'
import type { Registry } from './registry.ts'
import { connect } from './service.ts'
import { partitionsOf, type Spread } from './topics.ts'

/** Undefined where there is no such topic. */
const widthOf = async (broker: Broker, topic: string): Promise<number | undefined> => {
  try {
    return (await broker.partitions(topic)) || undefined
  } catch (error) {
    const { type, code } = error as { type?: string; code?: string }
    if (
      type === 'UNKNOWN_TOPIC_OR_PARTITION' ||
      code === 'TOPIC_UNKNOWN' ||
      /does not exist|not host this topic/i.test(String(error))
    )
      return undefined
    throw error
  }
}

/** What stands in the way, a sentence each; nothing is changed. */
export async function preflight(
  { broker, registry }: { broker: Pick<Broker, 'partitions'>; registry: Registry },
  spread: Spread,
  { mustStand = false, schemas = schemaOf }: { mustStand?: boolean; schemas?: typeof SchemaOf } = {},
): Promise<string[]> {
  if (!(await registry.healthy()))
    return ['the schema registry does not answer: is SCHEMA_REGISTRY_URL right, and may this pod reach it?']
  const found = await Promise.all(
    streams.map(async (stream: Stream<never>) => {
      const width = await widthOf(broker as Broker, stream.name)
      const wanted = partitionsOf(stream, spread)
      const problems: string[] = []
      if (width === undefined && mustStand) problems.push(`topic ${stream.name} does not stand yet: have the services started?`)
      if (width !== undefined && width !== wanted)
        problems.push(
          `topic ${stream.name} has ${width} partitions and the settings say ${wanted}: keys would move away from their state. Set ${stream.spread === 'data' ? 'AEGIS_DATA_PARTITIONS' : 'AEGIS_ENVIRONMENT_PARTITIONS'} to ${width}, or widen it while the pipeline is empty.`,
        )
      const reason = await registry.incompatible(`${stream.name}-value`, schemas(stream))
      if (reason) problems.push(`schema of ${stream.name} is not compatible with what is registered: ${reason}`)
      return problems
    }),
  )
  return found.flat()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const config = readConfig(RUNTIME_SETTINGS)
  const infrastructure = connect(config, 'aegis-preflight', makeLog('preflight', 'warn'))
  const spread = { data: config.dataPartitions, environment: config.environmentPartitions }
  const problems = await preflight(infrastructure, spread, { mustStand: process.argv.includes('--ready') }).catch(
    (error: Error) => [`Kafka at ${config.brokers} or the registry at ${config.registryUrl} does not answer: ${error.message}`],
  )
  await infrastructure.broker.close()
  for (const problem of problems) console.error(problem)
  if (problems.length === 0) console.log('topics and schemas fit this version')
  process.exitCode = problems.length === 0 ? 0 : 1
}
