import { collectGarbage } from './collect-garbage.ts'
import { RUNTIME_SETTINGS, readConfig, type Settings } from './config.ts'
import { makeLog } from './log.ts'
import { connect, type ServiceDefinition, startService } from './service.ts'
import { startTracing } from './tracing.ts'

const DRAIN_MS = 9_000

/** A service as a process: settings from the environment, Kafka and registry behind it, drained on SIGTERM in under ten seconds. */
export const runService = async <S extends Settings>(definition: ServiceDefinition<S>): Promise<void> => {
  // What is not a level is told of by the settings; until they are read it must not stop us. Empty is not set, as everywhere.
  const level = RUNTIME_SETTINGS.logLevel.schema.safeParse(process.env.LOG_LEVEL || undefined)
  const startLog = makeLog(definition.name, level.data ?? 'info')
  try {
    const runtime = readConfig(RUNTIME_SETTINGS)
    const config = readConfig(definition.settings)
    const log = makeLog(definition.name, runtime.logLevel)
    const stopTracing = await startTracing(definition.name, runtime.tracesEndpoint)
    const infrastructure = connect(runtime, `aegis-${definition.name}`, log)
    const service = await startService(definition, config, runtime, infrastructure, log)
    if (runtime.collectGarbageMs > 0) collectGarbage(runtime.collectGarbageMs)
    let stopping = false
    const stop = async (code: number, why: string) => {
      if (stopping) return
      stopping = true
      log.info({ why }, 'stopping')
      setTimeout(() => process.exit(code || 1), DRAIN_MS).unref()
      await service.stop()
      await infrastructure.broker.close()
      await stopTracing()
      process.exit(code)
    }
    process.once('SIGTERM', () => void stop(0, 'SIGTERM'))
    process.once('SIGINT', () => void stop(0, 'SIGINT'))
    service.failed.catch(error => {
      log.fatal({ err: error, code: error.code }, error.message)
      void stop(1, 'failure')
    })
    // A parent that holds our standard input open and dies takes us with it; the local stack and the demo rely on that.
    if (process.env.AEGIS_STOP_WITH_PARENT === '1') process.stdin.on('end', () => void stop(0, 'parent is gone')).resume()
    process.send?.({ ready: true, port: service.port })
  } catch (error) {
    startLog.fatal({ err: error, code: (error as { code?: string }).code }, (error as Error).message)
    process.exit(1)
  }
}
