import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { plans } from './by-jvm.ts'
import { checkout, type ServerName, serverNames, servers } from './places.ts'
import type { Settings } from './servers/plan.ts'
import { StackError } from './stack-error.ts'

const run = promisify(execFile)

/** True when an engine answers, not merely when a client is installed. */
export async function engineAnswers(): Promise<boolean> {
  try {
    const { stdout } = await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 5_000 })
    return stdout.trim() !== ''
  } catch {
    return false
  }
}

/** `docker compose` where the plugin is, else the older program of its own. */
function compose(): readonly [string, ...string[]] {
  if (spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0) return ['docker', 'compose']
  if (spawnSync('docker-compose', ['version'], { stdio: 'ignore' }).status === 0) return ['docker-compose']
  throw new StackError(
    'DOCKER_MISSING',
    'a container engine answers but neither "docker compose" nor "docker-compose" is installed',
  )
}

/** Two checkouts on one machine have two projects, so two sets of containers and volumes. */
export const projectOf = (folder: string): string => `aegis-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`

const variables = ({ ports, password }: Settings): Record<string, string> => ({
  KAFKA_PORT: String(ports.kafka),
  REGISTRY_PORT: String(ports.registry),
  NEO4J_BOLT_PORT: String(ports.bolt),
  NEO4J_HTTP_PORT: String(ports.http),
  REDIS_PORT: String(ports.redis),
  NEO4J_PASSWORD: password,
  REDIS_PASSWORD: password,
})

/** Runs from the checkout without naming a file, so that COMPOSE_FILE can add an override as everywhere else. */
async function composing(settings: Settings, args: readonly string[], signal?: AbortSignal): Promise<string> {
  const [file, ...first] = compose()
  const env = { ...process.env, ...variables(settings) }
  try {
    const { stdout } = await run(file, [...first, '-p', projectOf(settings.folder), ...args], {
      cwd: checkout,
      env,
      signal,
      maxBuffer: 2 ** 26,
    })
    return stdout
  } catch (cause) {
    if (signal?.aborted) throw new StackError('INTERRUPTED', 'interrupted: what had been started was stopped again', { cause })
    const text = String((cause as { stderr?: string }).stderr ?? cause).trim()
    const code = /port is already allocated|address already in use/i.test(text) ? 'PORT_TAKEN' : 'SERVER_EXITED'
    throw new StackError(code, `${[file, ...first, args[0]].join(' ')} failed:\n  ${text.split('\n').slice(-5).join('\n  ')}`, {
      cause,
    })
  }
}

export async function startContainers(
  settings: Settings,
  watch: { signal: AbortSignal; onReady: (name: ServerName, seconds: number) => void; readyWithinMs: number },
): Promise<void> {
  const began = performance.now()
  try {
    await composing(settings, ['up', '-d', ...serverNames], watch.signal)
    await Promise.all(
      plans.map(async plan => {
        const probe = plan.probe(settings)
        for (const until = performance.now() + watch.readyWithinMs; ; await sleep(100)) {
          const answered = await probe(AbortSignal.any([watch.signal, AbortSignal.timeout(3_000)])).then(
            () => true,
            () => false,
          )
          if (answered) return watch.onReady(plan.name, (performance.now() - began) / 1000)
          if (watch.signal.aborted) throw new StackError('INTERRUPTED', 'interrupted: what had been started was stopped again')
          if (performance.now() > until)
            throw new StackError(
              'NOT_READY',
              `${servers[plan.name].title} did not answer within ${watch.readyWithinMs / 1000} s: see "npm run stack -- logs ${plan.name}"`,
            )
        }
      }),
    )
  } catch (error) {
    await composing(settings, ['down']).catch(() => undefined)
    throw error
  }
}

export const stopContainers = (settings: Settings, volumesToo = false): Promise<string> =>
  composing(settings, ['down', ...(volumesToo ? ['-v'] : [])])

export function containerLogs(settings: Settings, name: ServerName, follow: boolean, lines: number): void {
  const [file, ...first] = compose()
  const args = [...first, '-p', projectOf(settings.folder), 'logs', `--tail=${lines}`, ...(follow ? ['-f'] : []), name]
  execFileSync(file, args, { cwd: checkout, env: { ...process.env, ...variables(settings) }, stdio: 'inherit' })
}
