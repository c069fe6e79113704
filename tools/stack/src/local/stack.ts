import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { engineAnswers, projectOf, startContainers, stopContainers } from './by-docker.ts'
import { plans, startServers } from './by-jvm.ts'
import { withLock } from './lock.ts'
import { stopMlflow } from './mlflow.ts'
import { java, type ServerName, serverFolder, serverNames, servers, stateFolder } from './places.ts'
import { defaultPorts, isFree, type Ports, pickPorts } from './ports.ts'
import { isRunning, orphansOf, stop } from './processes.ts'
import { StackError } from './stack-error.ts'
import {
  forgetState,
  neo4jPassword,
  prepareFolder,
  type RunningServer,
  readPorts,
  readState,
  type StackState,
  writePorts,
  writePrivately,
  writeState,
} from './state.ts'
import { watchOver } from './watchdog.ts'

export type { ServerName } from './places.ts'
export { StackError } from './stack-error.ts'
export type { StackState } from './state.ts'

export interface UpOptions {
  /** `auto` (default): containers where an engine answers, else JVM processes. */
  readonly by?: 'auto' | 'docker' | 'jvm'
  /** True: the servers end with this process, however it ends. False (default): they stay until `down`. */
  readonly attached?: boolean
  readonly signal?: AbortSignal
  /** One line at a time, for a person. */
  readonly say?: (line: string) => void
  /** State folder; default `.aegis/stack` of the checkout, or AEGIS_STATE_DIR. */
  readonly folder?: string
  /** How long a server may take; default 120 s. */
  readonly readyWithinMs?: number
}

export interface Stack {
  readonly by: 'jvm' | 'docker'
  readonly ports: Ports
  /** What programs need to find the servers: KAFKA_BROKERS, SCHEMA_REGISTRY_URL, NEO4J_*, REDIS_URL. */
  readonly env: Readonly<Record<string, string>>
  readonly secondsToReady: number
  /** False when all four were already running: then `stop` leaves them be. */
  readonly startedHere: boolean
  stop(): Promise<void>
}

/** Brings up Kafka, the schema registry, Neo4j and Redis, and returns when all four answer. A failure leaves nothing behind. */
export async function up(options: UpOptions = {}): Promise<Stack> {
  const folder = options.folder ?? stateFolder()
  prepareFolder(folder)
  const waiting = (pid: number) => options.say?.(`another start of this stack is under way (process ${pid}); waiting for it`)
  return withLock(join(folder, 'lock'), () => upLocked(folder, options), { signal: options.signal, onWait: waiting })
}

async function upLocked(folder: string, options: UpOptions): Promise<Stack> {
  const began = performance.now()
  const { say = () => undefined, attached = false, readyWithinMs = 120_000 } = options
  const signal = options.signal ?? new AbortController().signal
  const by = await chooseMeans(options.by ?? 'auto', readState(folder))
  const password = neo4jPassword(folder)
  for (let attempt = 1; ; attempt++) {
    const running = runningOf(readState(folder))
    const whole = serverNames.every(name => running[name])
    const ports = await choosePorts(folder, by, running, say)
    const settings = { folder, ports, password }
    let state: StackState = {
      by,
      startedAt: new Date().toISOString(),
      ports,
      env: addresses(by, ports, password),
      processes: running,
      ...(by === 'docker' ? { project: projectOf(folder) } : {}),
    }
    writeState(folder, state)
    const watchdog = whole ? undefined : watchOver(folder, import.meta.url)
    const onReady = (name: ServerName, seconds: number) =>
      whole || say(`  ${servers[name].title.padEnd(18)} ready after ${seconds.toFixed(1)} s   ${addressOf(name, ports)}`)
    const onStart = (name: ServerName, server: RunningServer) => {
      state = { ...state, processes: { ...state.processes, [name]: server } }
      writeState(folder, state)
    }
    try {
      if (by === 'docker') await startContainers(settings, { signal, onReady, readyWithinMs })
      else await startServers(settings, running, { signal, onStart, onReady, readyWithinMs })
      if (signal.aborted) throw new StackError('INTERRUPTED', 'interrupted: what had been started was stopped again')
    } catch (error) {
      if (!whole) await down({ folder }).catch(() => undefined) // the first error is the one to show
      watchdog?.release()
      if (error instanceof StackError && error.code === 'PORT_TAKEN' && attempt < 3) {
        say('a port was taken by another program meanwhile; trying again with others')
        continue
      }
      throw error
    }
    writePrivately(
      join(folder, 'env'),
      Object.entries(state.env)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    )
    const stays = !attached || whole
    if (stays) watchdog?.release()
    return {
      by,
      ports,
      env: state.env,
      secondsToReady: (performance.now() - began) / 1000,
      startedHere: !whole,
      async stop() {
        if (whole) return
        await down({ folder })
        watchdog?.release()
      },
    }
  }
}

async function chooseMeans(wanted: 'auto' | 'docker' | 'jvm', before: StackState | undefined): Promise<'jvm' | 'docker'> {
  if (wanted === 'auto' && before && Object.keys(runningOf(before)).length > 0) return 'jvm' // some of it runs already
  if (wanted !== 'jvm' && (await engineAnswers())) return 'docker'
  if (wanted === 'docker')
    throw new StackError('DOCKER_MISSING', '"docker info" gets no answer: start the container engine, or use --by jvm')
  java()
  return 'jvm'
}

async function choosePorts(
  folder: string,
  by: 'jvm' | 'docker',
  running: Partial<Record<ServerName, RunningServer>>,
  say: (line: string) => void,
): Promise<Ports> {
  const wanted = readPorts(folder) ?? defaultPorts
  const ours = new Set(serverNames.filter(name => running[name]).flatMap(name => portsOf(name, wanted)))
  const alreadyUp = by === 'docker' && readState(folder)?.by === 'docker'
  const { ports, moved } = await pickPorts(wanted, async port => alreadyUp || ours.has(port) || (await isFree(port)))
  for (const { name, wanted: taken, given } of moved) say(`port ${taken} (${name}) is taken by another program; using ${given}`)
  writePorts(folder, ports)
  return ports
}

const runningOf = (state: StackState | undefined): Partial<Record<ServerName, RunningServer>> =>
  Object.fromEntries(Object.entries(state?.processes ?? {}).filter(([, server]) => isRunning(server)))

const portsOf = (name: ServerName, ports: Ports): number[] =>
  ({ kafka: [ports.kafka, ports.controller], registry: [ports.registry], neo4j: [ports.bolt, ports.http], redis: [ports.redis] })[
    name
  ]

export const addressOf = (name: ServerName, ports: Ports): string => `127.0.0.1:${portsOf(name, ports)[0]}`

/** Redis asks for the password in containers, where others may reach it. */
const addresses = (by: 'jvm' | 'docker', ports: Ports, password: string): Record<string, string> => ({
  KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
  SCHEMA_REGISTRY_URL: `http://127.0.0.1:${ports.registry}/apis/ccompat/v7`,
  NEO4J_URI: `bolt://127.0.0.1:${ports.bolt}`,
  NEO4J_USER: 'neo4j',
  NEO4J_PASSWORD: password,
  REDIS_URL: `redis://${by === 'docker' ? `:${password}@` : ''}127.0.0.1:${ports.redis}`,
})

/** Stops every server of this folder and forgets them; data stays. Says which there were. */
export async function down({ folder = stateFolder() }: { folder?: string } = {}): Promise<ServerName[]> {
  const state = readState(folder)
  const running = runningOf(state)
  if (state?.by === 'docker') await stopContainers({ folder, ports: state.ports, password: state.env.NEO4J_PASSWORD })
  await Promise.all([...Object.values(running).map(server => stop(server)), stopMlflow(folder)])
  await Promise.all(orphansOf(folder).map(server => stop(server)))
  forgetState(folder)
  return state?.by === 'docker' ? [...serverNames] : (Object.keys(running) as ServerName[])
}

export interface ServerStatus {
  readonly name: ServerName
  readonly title: string
  readonly state: 'ready' | 'not answering' | 'stopped'
  readonly address: string
  readonly pid?: number
}

export async function status({
  folder = stateFolder(),
}: {
  folder?: string
} = {}): Promise<{ by?: 'jvm' | 'docker'; servers: ServerStatus[]; env?: Record<string, string> }> {
  const state = readState(folder)
  const running = runningOf(state)
  const report = plans.map(async ({ name, probe }): Promise<ServerStatus> => {
    const facts = {
      name,
      title: servers[name].title,
      address: state ? addressOf(name, state.ports) : '',
      pid: running[name]?.pid,
    }
    if (!state || (state.by === 'jvm' && !running[name])) return { ...facts, state: 'stopped' }
    const settings = { folder, ports: state.ports, password: state.env.NEO4J_PASSWORD }
    const answers = await probe(settings)(AbortSignal.timeout(3_000)).then(
      () => true,
      () => false,
    )
    return { ...facts, state: answers ? 'ready' : 'not answering' }
  })
  return { by: state?.by, env: state?.env, servers: await Promise.all(report) }
}

export const logFile = (name: ServerName, folder = stateFolder()): string => {
  const file = join(folder, 'logs', `${name}.log`)
  if (!existsSync(file)) throw new StackError('NOT_RUNNING', `${servers[name].title} has no log yet (${file})`)
  return file
}

/** Stops everything and wipes data, logs, password and chosen ports. */
export async function reset({ folder = stateFolder() }: { folder?: string } = {}): Promise<void> {
  const state = readState(folder)
  if (state?.by === 'docker') await stopContainers({ folder, ports: state.ports, password: state.env.NEO4J_PASSWORD }, true)
  await down({ folder })
  rmSync(folder, { recursive: true, force: true })
}

/** Whether the real servers can be started here: by an engine, or as processes from what set-up has fetched. */
export async function canRunServers(): Promise<boolean> {
  const fetched = serverNames.every(name => name === 'redis' || existsSync(serverFolder(name)))
  if (!fetched) return engineAnswers()
  try {
    java()
    return true
  } catch {
    return engineAnswers()
  }
}
