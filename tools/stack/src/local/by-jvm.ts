import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ServerName, servers } from './places.ts'
import { isRunning, start, stop } from './processes.ts'
import { kafka } from './servers/kafka.ts'
import { neo4j } from './servers/neo4j.ts'
import type { ServerPlan, Settings } from './servers/plan.ts'
import { redis } from './servers/redis.ts'
import { registry } from './servers/registry.ts'
import { StackError } from './stack-error.ts'
import type { RunningServer } from './state.ts'

export const plans: readonly ServerPlan[] = [kafka, registry, neo4j, redis]

export interface Watch {
  readonly signal: AbortSignal
  /** Called at once with each process begun, before anything else can go wrong. */
  readonly onStart: (name: ServerName, server: RunningServer) => void
  readonly onReady: (name: ServerName, seconds: number) => void
  readonly readyWithinMs: number
}

/** Starts the servers that are not running, all together, and waits until every one answers. On failure stops what it started. */
export async function startServers(
  settings: Settings,
  running: Partial<Record<ServerName, RunningServer>>,
  watch: Watch,
): Promise<Partial<Record<ServerName, RunningServer>>> {
  const began = performance.now()
  const started: Partial<Record<ServerName, RunningServer>> = {}
  const failed = new AbortController()
  const signal = AbortSignal.any([watch.signal, failed.signal])
  const bring = async (plan: ServerPlan) => {
    let server = running[plan.name]
    let exited: Promise<number | string> | undefined
    if (!server) {
      const command = await plan.prepare(settings)
      if (signal.aborted) throw interrupted()
      const begun = start(command, join(settings.folder, 'logs', `${plan.name}.log`), settings.folder)
      exited = begun.exited
      server = { pid: begun.pid, born: begun.born, log: begun.log }
      started[plan.name] = server
      watch.onStart(plan.name, server)
    }
    await untilReady(plan, settings, server, exited, signal, watch.readyWithinMs)
    watch.onReady(plan.name, (performance.now() - began) / 1000)
  }
  const results = await Promise.allSettled(
    plans.map(plan =>
      bring(plan).catch(error => {
        failed.abort()
        throw error
      }),
    ),
  )
  const errors = results.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
  if (errors.length === 0) return { ...running, ...started }
  await Promise.all(Object.values(started).map(server => stop(server)))
  throw errors.find(error => !(error instanceof StackError && error.code === 'INTERRUPTED')) ?? errors[0]
}

const interrupted = () => new StackError('INTERRUPTED', 'interrupted: what had been started was stopped again')

async function untilReady(
  plan: ServerPlan,
  settings: Settings,
  server: RunningServer,
  exited: Promise<number | string> | undefined,
  signal: AbortSignal,
  withinMs: number,
): Promise<void> {
  const probe = plan.probe(settings)
  const { title } = servers[plan.name]
  let code: number | string | undefined
  exited?.then(value => {
    code = value
  })
  let reason = 'no answer'
  for (const until = performance.now() + withinMs; performance.now() < until; await sleep(60)) {
    if (signal.aborted) throw interrupted()
    if (code !== undefined || !isRunning(server)) throw died(title, code, server.log, settings.folder)
    try {
      return await probe(AbortSignal.any([signal, AbortSignal.timeout(3_000)]))
    } catch (error) {
      reason = describe(error as Error)
    }
  }
  if (signal.aborted) throw interrupted()
  throw new StackError('NOT_READY', `${title} did not answer within ${withinMs / 1000} s (${reason}); its log is ${server.log}`)
}

const describe = (error: Error) => (error.cause instanceof Error ? error.cause.message : error.message) || error.name

/** Reads the end of the server's log for the two causes that have a remedy of their own. */
export function died(title: string, code: number | string | undefined, log: string, folder: string): StackError {
  const tail = lastBytes(log, 16_384)
  if (
    /address already in use|failed to bind|EADDRINUSE|could not create server tcp|port.* (is )?(already )?(in use|used)/i.test(
      tail,
    )
  )
    return new StackError('PORT_TAKEN', `${title} found its port taken; its log is ${log}`)
  if (/no space left on device/i.test(tail))
    return new StackError('NO_SPACE', `${title} stopped because the disk that holds ${folder} is full; its log is ${log}`)
  const lines = tail.trim().split('\n').slice(-5)
  return new StackError(
    'SERVER_EXITED',
    `${title} stopped while starting (${code ?? 'unknown exit'}); the end of ${log}:\n  ${lines.join('\n  ')}`,
  )
}

function lastBytes(file: string, count: number): string {
  if (!existsSync(file)) return ''
  const fd = openSync(file, 'r')
  try {
    const { size } = fstatSync(fd)
    const buffer = Buffer.alloc(Math.min(size, count))
    readSync(fd, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('utf8')
  } finally {
    closeSync(fd)
  }
}
