/** Services run in the test's own process, on the real servers of the test stack, and how a test waits for what they do. */
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import {
  connect,
  type Infrastructure,
  RUNTIME_SETTINGS,
  type RunningService,
  readConfig,
  type ServiceDefinition,
  silentLog,
  startService,
} from '@aegis/runtime'
import { stackEnv } from './stack-env.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

export interface ServicesHere {
  readonly env: Readonly<Record<string, string>>
  /** @param more settings of this service alone */
  start(definition: ServiceDefinition, more?: Readonly<Record<string, string>>): Promise<RunningService>
  /** The command line on the same servers: what it prints. */
  cli(...args: string[]): string
  /** Newest first; those that a test stopped itself are left alone. */
  stop(): Promise<void>
}

/** @param own settings of all of them */
export const servicesHere = (own: Readonly<Record<string, string>> = {}): ServicesHere => {
  const env = { ...stackEnv(), AEGIS_DATA_PARTITIONS: '2', AEGIS_ENVIRONMENT_PARTITIONS: '1', AEGIS_PORT: '0', ...own }
  const running: RunningService[] = []
  const infrastructures: Infrastructure[] = []
  return {
    env,
    start: async (definition, more = {}) => {
      const all = { ...env, ...more }
      const runtime = readConfig(RUNTIME_SETTINGS, all)
      const infrastructure = connect(runtime, definition.name, silentLog())
      infrastructures.push(infrastructure)
      const service = await startService(definition, readConfig(definition.settings, all), runtime, infrastructure, silentLog())
      running.push(service)
      return service
    },
    cli: (...args) =>
      execFileSync(process.execPath, [path.join(ROOT, 'apps/cli/src/main.ts'), ...args], {
        cwd: ROOT,
        encoding: 'utf8',
        env: { ...process.env, ...env },
      }),
    stop: async () => {
      for (const service of running.reverse()) await service.stop()
      for (const { broker } of infrastructures) await broker.close()
    },
  }
}

/** Looks until there is something, for a minute. */
export const until = async <T>(what: string, look: () => T | undefined): Promise<T> => {
  for (let i = 0; i < 600; i++) {
    const found = look()
    if (found !== undefined) return found
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error(`${what} did not come within a minute`)
}
