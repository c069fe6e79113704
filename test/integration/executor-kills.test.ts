/** The executor killed with SIGKILL at any point of an action: each action happens once or is reported unfinished; never twice, never for ever. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Decision, decisions, idOf, incidents, isFinal, type Outcome, outcomes, seededRandom } from '@aegis/domain'
import { connect, RUNTIME_SETTINGS, readConfig, silentLog } from '@aegis/runtime'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stackEnv } from './stack-env.ts'

/** AEGIS_KILLS=100 for the long form, AEGIS_KILLS_SEED for other moments. */
const KILLS = Number(process.env.AEGIS_KILLS ?? 10)
const SEED = Number(process.env.AEGIS_KILLS_SEED ?? 20_261_121)
/** Decisions under way around each kill, for each of the two executors. */
const EACH = 2
const root = path.resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(path.join(tmpdir(), 'aegis-executor-kills-'))
const effects = path.join(folder, 'effects')
const run = randomUUID().slice(0, 8)

let client: StreamClient
let env: NodeJS.ProcessEnv
let child: ChildProcess | undefined
let hook: Server
let ticking: NodeJS.Timeout
/** Keys whose work the webhook's receiver did; it keeps to the contract and does one key's work once. */
const hooked = new Set<string>()

const start = async (): Promise<void> => {
  child = spawn(process.execPath, [path.join(root, 'services/executor/src/main.ts')], {
    cwd: root,
    env,
    stdio: ['pipe', 'ignore', 'ignore', 'ipc'],
  })
  await new Promise((resolve, fail) => {
    child!.once('message', resolve)
    child!.once('exit', code => fail(new Error(`the executor ended with ${code} instead of starting`)))
  })
}
const kill = async (): Promise<void> => {
  child!.removeAllListeners('exit')
  const gone = new Promise(resolve => child!.once('exit', resolve))
  child!.kill('SIGKILL')
  await gone
}
const decisionOf = (environment: string, n: number): Decision => {
  const now = Date.now() * 1000
  const decision = idOf(run, environment, n)
  return {
    id: idOf(decision, 'decided'),
    environment,
    time: now,
    incident: idOf(decision, 'incident'),
    incident_revision: 1,
    attempt: 0,
    cause: `service:s${n}`,
    action: 'restart',
    target: `service:s${n}`,
    parameters: {},
    mode: 'act',
    status: 'decided',
    decision,
    candidates: [],
    propensity: 1,
    situation: [],
    facts: '{}',
    evidence: [],
    reasons: [],
    explanation: '',
    policy: 'rules',
    policy_version: '1',
    seed: 1,
  }
}

beforeAll(async () => {
  hook = createServer((request, response) => {
    const key = String(request.headers['idempotency-key'])
    request.resume().on('end', async () => {
      await sleep(120)
      hooked.add(key)
      await sleep(120)
      response.end('done')
    })
  })
  await new Promise<void>(resolve => hook.listen(0, '127.0.0.1', resolve))
  // The effect is an appended line: doing it twice shows. The program takes its time before and after it.
  const effect = 'sleep 0.12; echo "$1" >> "$0"; sleep 0.12'
  env = {
    ...process.env,
    ...stackEnv(),
    AEGIS_DATA_PARTITIONS: '2',
    AEGIS_ENVIRONMENT_PARTITIONS: '1',
    AEGIS_EXECUTORS: `${run}-command=command,${run}-webhook=webhook:http://127.0.0.1:${(hook.address() as AddressInfo).port}/`,
    AEGIS_COMMANDS: JSON.stringify({ restart: { argv: ['/bin/sh', '-c', effect, effects, '{id}'] } }),
    AEGIS_WEBHOOK_SECRET: randomUUID(),
    AEGIS_ACTION_TIMEOUT_MS: '10000',
    AEGIS_VERIFY_MS: '4000',
    KAFKA_SESSION_TIMEOUT_MS: '6000',
    AEGIS_STOP_WITH_PARENT: '1',
    LOG_LEVEL: 'warn',
  }
  client = new StreamClient(connect(readConfig(RUNTIME_SETTINGS, env), 'executor-kills', silentLog()))
})
afterAll(async () => {
  clearInterval(ticking)
  if (child && child.exitCode === null && child.signalCode === null) await kill()
  await client?.close()
  hook?.close()
  rmSync(folder, { recursive: true, force: true })
})

it(
  `does every action once, or says that it is unfinished, through ${KILLS} kills (seed ${SEED})`,
  async () => {
    const random = seededRandom(SEED)
    await start()
    const tick = () =>
      client
        .tick([decisions, incidents] as never, { environment: '*', time: Date.now() * 1000, versions: {} })
        .catch(() => undefined)
    ticking = setInterval(() => void tick(), 500)
    const words = new Map<string, Outcome[]>()
    const tail = await client.tail([outcomes as never], 'start', decoded => {
      for (const { value } of decoded) {
        const outcome = value as Outcome | undefined
        if (!outcome?.environment.startsWith(run)) continue
        words.set(outcome.decision, [...(words.get(outcome.decision) ?? []), outcome])
      }
    })
    const said = (decision: string, fits: (o: Outcome) => boolean) => words.get(decision)?.some(fits) ?? false
    const sent: Decision[] = []
    const within = async (ms: number, holds: () => boolean) => {
      for (const end = performance.now() + ms; !holds() && performance.now() < end; ) await sleep(10)
      return holds()
    }
    for (let n = 0; n < KILLS; n++) {
      const batch = Array.from({ length: EACH * 2 }, (_, i) => decisionOf(`${run}-${i % 2 ? 'webhook' : 'command'}`, n * 100 + i))
      await client.publish(decisions, batch)
      sent.push(...batch)
      // Two kills in three come once something has begun, so that they land inside it; the third comes whenever it comes.
      if (random() < 2 / 3) await within(20_000, () => batch.some(d => said(d.decision, o => o.status === 'started')))
      await sleep(random() * 450)
      await kill()
      await start()
      if (n % 10 === 9)
        console.log(
          `${n + 1} of ${KILLS} kills, ${sent.filter(d => said(d.decision, isFinal)).length} of ${sent.length} actions ended`,
        )
    }
    const open = () => sent.filter(d => !said(d.decision, isFinal))
    await within(90_000, () => open().length === 0)
    await tail.close()
    const happened = existsSync(effects) ? readFileSync(effects, 'utf8').split('\n').filter(Boolean) : []
    const times = (d: Decision) =>
      d.environment.endsWith('webhook') ? Number(hooked.has(d.decision)) : happened.filter(id => id === d.decision).length
    const figures = { once: 0, unfinishedAfterOnce: 0, unfinishedAndNot: 0, notDone: 0 }
    const wrong: string[] = []
    for (const d of sent) {
      const n = times(d)
      const carriedOut = said(d.decision, o => o.status === 'carried_out')
      const unfinished = said(d.decision, o => o.status === 'unfinished')
      if (n > 1) wrong.push(`${d.decision} happened ${n} times`)
      else if (carriedOut && n !== 1) wrong.push(`${d.decision} is said to be carried out and was not`)
      else if (!carriedOut && !unfinished && n > 0) wrong.push(`${d.decision} happened, and is said not to have`)
      if (carriedOut) figures.once++
      else if (unfinished) figures[n > 0 ? 'unfinishedAfterOnce' : 'unfinishedAndNot']++
      else figures.notDone++
    }
    console.log(`${KILLS} kills, ${sent.length} actions: ${JSON.stringify(figures)}`)
    expect({ wrong, forEver: open().map(d => words.get(d.decision)?.map(o => o.status)) }).toEqual({ wrong: [], forEver: [] })
    // Kills must have met actions half-way, and must not have kept all of them from happening.
    expect(figures.once).toBeGreaterThan(sent.length / 3)
  },
  120_000 + KILLS * 30_000,
)
