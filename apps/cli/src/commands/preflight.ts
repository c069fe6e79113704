/** `aegis preflight`: whether this version can run on the topics and schemas that stand. */
import { AegisError } from '@aegis/domain'
import { connect, preflight, RUNTIME_SETTINGS, readConfig, silentLog } from '@aegis/runtime'
import { Command } from 'commander'

export const preflightCommand = (): Command =>
  new Command('preflight')
    .option('--ready', 'every topic and schema must stand already')
    .addHelpText(
      'after',
      '\nReads KAFKA_BROKERS, SCHEMA_REGISTRY_URL and the numbers of partitions as the services do; changes nothing.',
    )
    .action(async ({ ready }: { ready?: boolean }) => {
      const config = readConfig(RUNTIME_SETTINGS)
      const infrastructure = connect(config, 'aegis-preflight', silentLog())
      const spread = { data: config.dataPartitions, environment: config.environmentPartitions }
      const problems = await preflight(infrastructure, spread, { mustStand: ready }).finally(() => infrastructure.broker.close())
      if (problems.length > 0) throw new AegisError('INPUT_INVALID', `not fit for this version:\n  ${problems.join('\n  ')}`)
      console.log('topics and schemas fit this version')
    })
