/**
 * `npm run bench -- kill-switch [--writes 10000] [--stops 100]`: the kill switch on real Kafka. First many writes of controls at once through two doors
 * (gateway and api), stops, changes of the ladder and takings back mixed: none may be lost, no stop undone by who has not seen it. Then stops while the
 * gateway is flooded: how long until the executor has said that it stands still.
 */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { type Control, type ControlWanted, controls, controlsWanted, seededRandom } from '@aegis/domain'
import { up } from '@aegis/stack/local/stack'
import { connectClient } from '@aegis/stack/pipeline/client'
import { startProcesses } from '@aegis/stack/pipeline/pipeline'

const AT_ONCE = 64
const ENVIRONMENT = 'shop'

export const run = async (args: string[]): Promise<void> => {
  const { values } = parseArgs({ args, options: { writes: { type: 'string' }, stops: { type: 'string' } } })
  const [writes, stops] = [Number(values.writes ?? 10_000), Number(values.stops ?? 100)]
  const base = path.resolve('.aegis', 'bench-kill-switch')
  mkdirSync(base, { recursive: true })
  const signal = new AbortController().signal
  const stack = await up({ attached: true, say: line => console.log(`  ${line}`), signal, folder: path.join(base, 'stack') })
  const pipeline = await startProcesses({
    env: {
      ...stack.env,
      AEGIS_AUTHENTICATION: 'off',
      AEGIS_DATA_PARTITIONS: '2',
      AEGIS_ENVIRONMENT_PARTITIONS: '1',
      LOG_LEVEL: 'warn',
    },
    logFolder: path.join(base, 'logs'),
    onLost: (service, how) => console.error(`${service} ended: ${how}`),
  })
  try {
    Object.assign(process.env, stack.env)
    await wishes([pipeline.gatewayUrl, pipeline.apiUrl], writes)
    await underFlood(pipeline.gatewayUrl, pipeline.apiUrl, stops)
  } finally {
    await pipeline.stop()
    await stack.stop()
  }
}

const put = async (door: string, change: object, headers: Record<string, string> = {}) => {
  const response = await fetch(`${door}/api/v1/controls/${ENVIRONMENT}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(change),
  })
  return { status: response.status, control: (await response.json()) as Control }
}

const wishes = async (doors: readonly string[], writes: number): Promise<void> => {
  const random = seededRandom(1)
  const answers: { readonly kind: string; readonly status: number; readonly control: Control }[] = []
  let [next, version] = [0, 0]
  const started = performance.now()
  const worker = async () => {
    for (let i = next++; i < writes; i = next++) {
      const kind = (['stop', 'resume', 'ladder', 'ladder', 'held'] as const)[Math.floor(random() * 5)]
      const change =
        kind === 'stop'
          ? { kill_switch: true }
          : kind === 'resume'
            ? { kill_switch: false }
            : { ladder: { [`action-${i % 40}`]: 'observe' } }
      const answer = await put(doors[i % doors.length], change, kind === 'held' ? { 'if-match': String(version) } : {})
      if (answer.status === 202) version = Math.max(version, answer.control.version)
      answers.push({ kind, ...answer })
      if (answers.length % 1000 === 0) console.log(`  ${answers.length} of ${writes} writes`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  const seconds = (performance.now() - started) / 1000
  const client = await connectClient()
  const told: Control[] = []
  const wanted = new Map<string, ControlWanted>()
  const tail = await client.tail([controls, controlsWanted] as never, 'start', list => {
    for (const { value, record } of list)
      if (record.topic === controls.name) told.push(value as Control)
      else wanted.set((value as ControlWanted).id, value as ControlWanted)
  })
  await tail.caughtUp
  await tail.close()
  await client.close()
  const of = (kind: string, ...status: number[]) => answers.filter(a => a.kind === kind && status.includes(a.status)).length
  const accepted = answers.filter(a => a.status === 202)
  // The topic keeps the newest of each environment at least; what compaction has not taken yet must be without gap.
  const kept = told.filter(c => c.environment === ENVIRONMENT)
  const ids = new Set(kept.map(c => c.wanted))
  const first = kept[0]?.version ?? 0
  const lost = accepted.filter(a => a.control.version >= first && !ids.has(a.control.wanted ?? ''))
  const gaps = kept.filter((c, i) => i > 0 && c.version !== kept[i - 1].version + 1)
  const undone = kept.filter((c, i) => {
    const before = kept[i - 1]
    if (!before?.kill_switch || c.kill_switch) return false
    const wish = wanted.get(c.wanted ?? '')
    return !wish || JSON.parse(wish.change).kill_switch !== false || wish.seen < (before.stopped_at ?? 0)
  })
  console.log(
    `${writes} writes through ${doors.length} doors, ${AT_ONCE} at once, ${Math.round(writes / seconds)}/s: ` +
      `${accepted.length} set, ${answers.filter(a => a.status === 412).length} refused as somebody came first, ${answers.filter(a => ![202, 412].includes(a.status)).length} other answers`,
  )
  console.log(
    `  stops: ${of('stop', 202)} set, ${of('stop', 412, 503)} refused; taken back: ${of('resume', 202)} set, ${of('resume', 412)} refused`,
  )
  console.log(
    `  ${lost.length} lost, ${gaps.length} gaps or doubles among ${kept.length} versions, ${undone.length} stops undone by who had not seen them`,
  )
  if (lost.length + gaps.length + undone.length + of('stop', 412, 503) > 0) process.exitCode = 1
}

/** Stops through both doors while one is flooded with lines. */
const underFlood = async (gateway: string, api: string, stops: number): Promise<void> => {
  let flooding = true
  let lines = 0
  const body = JSON.stringify(
    Array.from({ length: 500 }, (_, i) => ({
      environment: ENVIRONMENT,
      entity: `service:s${i % 20}`,
      body: `request ${i} of customer ${i * 7} served in ${i % 90} ms`,
    })),
  )
  const flood = Array.from({ length: 8 }, async () => {
    while (flooding) {
      const response = await fetch(`${gateway}/api/v1/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      await response.arrayBuffer()
      if (response.ok) lines += 500
      else await new Promise(resolve => setTimeout(resolve, 100))
    }
  })
  const started = performance.now()
  const took: Record<string, number[]> = { gateway: [], api: [] }
  for (let i = 0; i < stops; i++) {
    const [name, door] = i % 2 ? (['gateway', gateway] as const) : (['api', api] as const)
    const from = performance.now()
    const { status } = await put(door, { kill_switch: true })
    if (status !== 202) throw new Error(`a stop was answered with ${status}`)
    for (;;) {
      const { still } = (await (await fetch(`${api}/api/v1/controls/${ENVIRONMENT}/standstill`)).json()) as { still: boolean }
      if (still) break
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    took[name].push(performance.now() - from)
    await put(api, { kill_switch: false })
  }
  const seconds = (performance.now() - started) / 1000
  flooding = false
  await Promise.all(flood)
  for (const [name, list] of Object.entries(took)) {
    const sorted = list.toSorted((a, b) => a - b)
    const at = (q: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0)
    console.log(
      `stop through the ${name} under ${Math.round(lines / seconds)} lines/s until the executor stands still: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (${list.length})`,
    )
  }
}
