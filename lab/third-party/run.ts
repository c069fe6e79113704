/** `npm run bench -- third-party`: one Aegis beside a system that nobody here wrote, through faults one after the other and healthy minutes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, openSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { AegisError } from '@aegis/domain'
import { watch } from '../drill/watch.ts'
import { PORTS } from './configs.ts'
import { ADDRESSES, EDGES, FAULTS, SHORT, type ThirdPartyFault, type Tools } from './faults.ts'
import { healthyMinutes } from './healthy.ts'
import { judge, table, type Verdict } from './judge.ts'
import { Load } from './load.ts'
import { answers, sleep } from './programs.ts'
import { ThirdPartySystem } from './system.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
export const ENVIRONMENT = 'third-party'
const GATEWAY = `http://127.0.0.1:${PORTS.gateway}`

export const run = async (args: string[]): Promise<void> => {
  const { values } = parseArgs({
    args,
    options: {
      faults: { type: 'string' },
      short: { type: 'boolean', default: false },
      healthy: { type: 'string', default: '0' },
      seconds: { type: 'string', default: '75' },
      learn: { type: 'string', default: '90' },
      rate: { type: 'string', default: '10' },
      'no-topology': { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  })
  const names = values.faults === 'none' ? [] : (values.faults?.split(',') ?? (values.short ? SHORT : FAULTS.map(f => f.name)))
  const faults = names.map((name): ThirdPartyFault => {
    const fault = FAULTS.find(f => f.name === name)
    if (!fault) throw new AegisError('INPUT_INVALID', `"${name}" is no fault; known are ${FAULTS.map(f => f.name).join(', ')}`)
    return fault
  })
  const began = performance.now()
  const say = (line: string) => console.log(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${line}`)
  const system = new ThirdPartySystem(say)
  const out = values.out ?? path.join(ROOT, '.aegis', 'third-party-run')
  mkdirSync(out, { recursive: true })
  let aegis: ChildProcess | undefined
  let load: Load | undefined
  let heard: ReturnType<typeof watch> | undefined
  const stop = async () => {
    load?.stop()
    heard?.stop()
    aegis?.kill('SIGTERM')
    await system.stop()
  }
  const interrupted = () => void stop().finally(() => process.exit(130))
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  try {
    aegis = await startAegis(out)
    heard = watch(GATEWAY, ENVIRONMENT)
    await system.start()
    if (!values['no-topology']) await giveTopology()
    load = new Load(path.join(system.folder, 'ca.pem'), Number(values.rate))
    say(`the system runs; learning for ${values.learn} s`)
    await sleep(Number(values.learn) * 1000)
    const healthy = load.served(Date.now() / 1000 - 20)
    say(`customers: ${(100 * healthy.share).toFixed(1)} % well, p95 ${healthy.p95.toFixed(0)} ms`)
    if (healthy.share < 0.99)
      throw new AegisError('INPUT_INVALID', 'customers are not well before any fault; is the machine busy?')
    const tools: Tools = { system, tellChange }
    const verdicts: Verdict[] = []
    const save = () => writeFileSync(path.join(out, 'run.json'), JSON.stringify({ verdicts, heard: heard!.heard }, null, 1))
    for (const fault of faults) {
      const unless = fault.unless?.(system)
      if (unless) {
        say(`${fault.name} is left out: ${unless}`)
        continue
      }
      const from = Date.now()
      say(`FAULT ${fault.name}: ${fault.sentence}`)
      await fault.inject(tools)
      await sleep(Math.max(0, from + Number(values.seconds) * 1000 - Date.now()))
      const to = Date.now()
      const { share, p95 } = load.served(from / 1000 + 10)
      const verdict = judge(fault, heard.heard, from, to, `${(100 * share).toFixed(0)} % ${p95.toFixed(0)} ms`)
      await fault.restore(tools)
      await system.reviveApps()
      verdict.closed = await closed(heard.heard)
      verdicts.push(verdict)
      say(`  ${JSON.stringify(verdict)}`)
      save()
      await sleep(15_000)
    }
    if (Number(values.healthy) > 0) say(await healthyMinutes(Number(values.healthy), { tools, load, heard: heard.heard, say }))
    save()
    console.log(`\n${table(verdicts)}`)
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
    await stop()
  }
}

const startAegis = async (out: string): Promise<ChildProcess> => {
  const file = openSync(path.join(out, 'aegis.log'), 'w')
  const child = spawn(
    process.execPath,
    [path.join(ROOT, 'apps/cli/src/main.ts'), 'up', '--stack', 'embedded', '--port', String(PORTS.gateway)],
    {
      cwd: ROOT,
      stdio: ['ignore', file, file],
      env: {
        ...process.env,
        AEGIS_STATE_DIR: out,
        AEGIS_ENVIRONMENT: ENVIRONMENT,
        AEGIS_SYSLOG_PORT: String(PORTS.syslog),
        AEGIS_OTLP_GRPC_PORT: 'off',
      },
    },
  )
  for (let i = 0; i < 300; i++) {
    if (child.exitCode !== null) throw new AegisError('INPUT_INVALID', `aegis up ended; see ${out}/aegis.log`)
    if (await answers(PORTS.gateway)) return child
    await sleep(200)
  }
  throw new AegisError('INPUT_INVALID', `the gateway does not answer on ${PORTS.gateway}; see ${out}/aegis.log`)
}

const post = async (where: string, value: unknown): Promise<void> => {
  const response = await fetch(`${GATEWAY}${where}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  })
  if (!response.ok)
    throw new AegisError('INPUT_INVALID', `${where} answered ${response.status}: ${(await response.text()).slice(0, 200)}`)
}
const giveTopology = (): Promise<void> =>
  post('/api/v1/topology', {
    environment: ENVIRONMENT,
    entities: Object.entries(ADDRESSES).map(([name, addresses]) => ({ id: `service:${name}`, addresses })),
    edges: EDGES.map(([from, to]) => ({ from: `service:${from}`, to: `service:${to}` })),
  })
const tellChange: Tools['tellChange'] = (entity, kind, before, after) =>
  post('/api/v1/changes', { entity, kind, before, after, environment: ENVIRONMENT })

/** Seconds until nothing is open any more; null after 120. */
const closed = async (heard: ReturnType<typeof watch>['heard']): Promise<number | null> => {
  const from = Date.now()
  while (Date.now() - from < 120_000) {
    const state = new Map(heard.incidents.map(i => [i.value.id, i.value.state]))
    if ([...state.values()].every(s => s === 'closed' || s === 'merged')) return Math.round((Date.now() - from) / 100) / 10
    await sleep(500)
  }
  return null
}
