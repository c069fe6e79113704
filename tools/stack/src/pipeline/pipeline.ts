/** The services together: as processes on real servers, or embedded in this process on the in-memory twins. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { AegisError } from '@aegis/domain'
import type { Infrastructure } from '@aegis/runtime'
import { HEAP_FLAGS } from '@aegis/runtime/collect-garbage'
import { SERVICES } from './services.ts'

const ROOT = path.resolve(import.meta.dirname, '../../../..')

export interface PipelineOptions {
  /** Settings on top of the environment, by their environment names. */
  readonly env: Readonly<Record<string, string>>
  /** Settings of single services on top of those, by service. */
  readonly envOf?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Where each service's log goes, when it is a process of its own. */
  readonly logFolder: string
  /** Least level that services in this process tell, on standard output; default error. LOG_LEVEL stands before it. */
  readonly logLevel?: string
  /** Told as each service becomes ready. */
  readonly onReady?: (service: string) => void
  /** Told when a service ends by itself, or does not end as it should when it is asked to. */
  readonly onLost?: (service: string, how: string) => void
}
export interface Pipeline {
  readonly gatewayUrl: string
  /** The API and the console. */
  readonly apiUrl: string
  readonly ports: Readonly<Record<string, number>>
  readonly pids: Readonly<Record<string, number>>
  /** Broker and registry, when they are in this process. */
  readonly infrastructure?: Infrastructure
  stop(): Promise<void>
}

/** What the service said last, for the message of the one who started it. */
const lastWords = (log: string): string => {
  const line = readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? ''
  try {
    return (JSON.parse(line) as { msg: string }).msg
  } catch {
    return line.slice(0, 300)
  }
}

/** Where those are found that people and programs call; the others take what is free. */
const portFor = (name: string, env: Readonly<Record<string, string | undefined>>): string =>
  (name === 'gateway' ? env.AEGIS_GATEWAY_PORT : name === 'api' ? env.AEGIS_API_PORT : undefined) ?? '0'

const READY_WITHIN_MS = 90_000
/** Time a service has to finish what it is at. */
const DRAIN_MS = 10_000

const ready = async (name: string, port: number, log: string, lost: () => string | undefined): Promise<void> => {
  const until = performance.now() + READY_WITHIN_MS
  let reason = 'no answer'
  while (performance.now() < until) {
    const gone = lost()
    if (gone) throw new AegisError('BROKER_UNAVAILABLE', `${name} ended while starting (${gone}): ${lastWords(log)}; see ${log}`)
    try {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(3000) })
      if (response.ok) return
      reason = (await response.text()).trim()
    } catch {
      // Not listening yet.
    }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new AegisError('BROKER_UNAVAILABLE', `${name} was not ready within ${READY_WITHIN_MS / 1000} s: ${reason}; see ${log}`)
}

/** Every service as its own process; all end with this one. */
export const startProcesses = async (options: PipelineOptions): Promise<Pipeline> => {
  mkdirSync(options.logFolder, { recursive: true })
  const children = new Map<string, ChildProcess>()
  const ports: Record<string, number> = {}
  let stopping = false
  const stop = async () => {
    stopping = true
    await Promise.all(
      [...children.values()].map(
        child =>
          new Promise<void>(resolve => {
            if (child.exitCode !== null || child.signalCode !== null) return resolve()
            const hard = setTimeout(() => child.kill('SIGKILL'), DRAIN_MS)
            child.once('exit', () => {
              clearTimeout(hard)
              resolve()
            })
            child.kill('SIGTERM')
          }),
      ),
    )
  }
  try {
    await Promise.all(
      Object.keys(SERVICES).map(async name => {
        const log = path.join(options.logFolder, `${name}.log`)
        const file = openSync(log, 'a')
        const child = spawn(process.execPath, [...HEAP_FLAGS, path.join(ROOT, 'services', name, 'src', 'main.ts')], {
          cwd: ROOT,
          stdio: ['pipe', file, file, 'ipc'],
          env: {
            NODE_COMPILE_CACHE: path.join(ROOT, '.aegis', 'compile-cache'),
            ...process.env,
            ...options.env,
            ...options.envOf?.[name],
            AEGIS_STOP_WITH_PARENT: '1',
            AEGIS_PORT: portFor(name, options.env),
          },
        })
        children.set(name, child)
        let lost: string | undefined
        child.on('exit', (code, signal) => {
          lost = signal ?? `exit code ${code}`
          if (stopping && signal === 'SIGKILL') lost = `killed, as it had not ended ${DRAIN_MS / 1000} s after it was asked to`
          if (!stopping || code !== 0) options.onLost?.(name, lost)
        })
        ports[name] = await new Promise<number>((resolve, reject) => {
          child.once('message', message => resolve((message as { port: number }).port))
          child.once('exit', () =>
            reject(new AegisError('BROKER_UNAVAILABLE', `${name} ended while starting (${lost}): ${lastWords(log)}; see ${log}`)),
          )
          child.once('error', reject)
        })
        await ready(name, ports[name], log, () => lost)
        options.onReady?.(name)
      }),
    )
  } catch (error) {
    await stop()
    throw error
  }
  return {
    gatewayUrl: `http://127.0.0.1:${ports.gateway}`,
    apiUrl: `http://127.0.0.1:${ports.api}`,
    ports,
    pids: Object.fromEntries([...children].map(([name, child]) => [name, child.pid!])),
    stop,
  }
}

/** Every service in this process, on the in-memory broker, registry, graph and leases; nothing survives it. */
export const startEmbedded = async (options: PipelineOptions): Promise<Pipeline> => {
  const { MemoryBroker, MemoryRegistry, makeLog, readConfig, RUNTIME_SETTINGS, startService } = await import('@aegis/runtime')
  const infrastructure = { broker: new MemoryBroker(), registry: new MemoryRegistry() }
  const env: Record<string, string | undefined> = { ...process.env, NEO4J_URI: 'memory', REDIS_URL: 'memory', ...options.env }
  const running: { name: string; port: number; stop(): Promise<void> }[] = []
  const stop = async () => {
    for (const service of running.reverse()) await service.stop()
    await infrastructure.broker.close()
  }
  try {
    for (const [name, load] of Object.entries(SERVICES)) {
      const definition = await load()
      const own: Record<string, string | undefined> = {
        ...env,
        ...options.envOf?.[name],
        AEGIS_PORT: portFor(name, env),
      }
      const service = await startService(
        definition,
        readConfig(definition.settings, own),
        readConfig(RUNTIME_SETTINGS, own),
        infrastructure,
        makeLog(name, own.LOG_LEVEL ?? options.logLevel ?? 'error'),
      )
      service.failed.catch(error => options.onLost?.(name, (error as Error).message))
      running.push(service)
      options.onReady?.(name)
    }
  } catch (error) {
    await stop()
    throw error
  }
  const ports = Object.fromEntries(running.map(s => [s.name, s.port]))
  return {
    gatewayUrl: `http://127.0.0.1:${ports.gateway}`,
    apiUrl: `http://127.0.0.1:${ports.api}`,
    ports,
    pids: {},
    infrastructure,
    stop,
  }
}
