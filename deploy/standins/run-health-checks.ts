// Runs the health checks of docker-compose.yml in the running containers, for an engine that cannot run them itself (podman without
// systemd): each as often as its file says, until it passes. Prints a line a container; exit 1 when one never passes.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { parse } from 'yaml'

const run = promisify(execFile)
const project = process.argv[2]
if (!project) {
  console.error('run-health-checks.ts PROJECT   the project name given to docker compose -p')
  process.exit(2)
}
interface Check {
  readonly test: readonly string[]
  readonly interval: string
  readonly retries: number
}
const file = parse(readFileSync(resolve(import.meta.dirname, '../../docker-compose.yml'), 'utf8'), { merge: true })

async function passes(name: string, check: Check): Promise<string> {
  const { stdout } = await run('docker', ['ps', '-q', '--filter', `name=${project}[_-]${name}[_-]`])
  const container = stdout.trim().split('\n')[0]
  if (!container) return 'has no running container'
  const command = check.test[0] === 'CMD-SHELL' ? ['sh', '-c', check.test[1]] : check.test.slice(1)
  let last = ''
  for (let i = 1; i <= check.retries; i++) {
    try {
      await run('docker', ['exec', container, ...command], { timeout: 60_000 })
      return `healthy at check ${i}`
    } catch (error) {
      last = String((error as { stderr?: string }).stderr || error)
        .trim()
        .split('\n')
        .slice(-1)[0]
    }
    await sleep(Number.parseInt(check.interval, 10) * 1000)
  }
  return `not healthy after ${check.retries} checks: ${last}`
}

for (const [name, service] of Object.entries<{ healthcheck: Check }>(file.services)) {
  const answer = await passes(name, service.healthcheck)
  if (!answer.startsWith('healthy')) process.exitCode = 1
  console.log(`${name.padEnd(20)} ${answer}`)
}
