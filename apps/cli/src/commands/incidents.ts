import {
  AegisError,
  type Anomaly,
  type Decision,
  type ErrorCode,
  type Feedback,
  feedback,
  type Incident,
  incidents,
  type Outcome,
  type Stream,
} from '@aegis/domain'
import { authorization } from '@aegis/stack/own-keys'
import { Command } from 'commander'
import { incidentChain, incidentChainText } from '../logs/read-incident-chain.ts'

const GATEWAY = () => (process.env.AEGIS_GATEWAY_URL ?? 'http://127.0.0.1:14318').replace(/\/$/, '')

const CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'NOT_AUTHENTICATED',
  403: 'NOT_ALLOWED',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  412: 'CONFLICT',
  429: 'TOO_MUCH',
  503: 'NOT_READY',
}
/** Asks the gateway; its error messages are passed on as they are. */
export const ask = async <T>(path: string, init: RequestInit = {}): Promise<T> => {
  const headers: Record<string, string> = { 'content-type': 'application/json', ...authorization(GATEWAY()) }
  let response: Response
  try {
    response = await fetch(`${GATEWAY()}${path}`, { ...init, headers, signal: AbortSignal.timeout(10_000) })
  } catch (error) {
    throw new AegisError(
      'BROKER_UNAVAILABLE',
      `the gateway at ${GATEWAY()} does not answer (${(error as Error).message}); set AEGIS_GATEWAY_URL`,
    )
  }
  const body = (await response.json()) as { message?: string }
  if (!response.ok)
    throw new AegisError(CODES[response.status] ?? 'INPUT_INVALID', body.message ?? `the gateway answered ${response.status}`)
  return body as T
}
const clock = (us: number) => new Date(us / 1000).toISOString().replace('T', ' ').slice(0, 19)

export const explain = (incident: Incident, decisions: readonly Decision[], outcomes: readonly Outcome[]): string => {
  const lines = [
    `${incident.state} ${incident.severity} incident ${incident.id} in ${incident.environment}, since ${clock(incident.started)}`,
    incident.explanation,
    '',
  ]
  for (const [n, c] of incident.causes.slice(0, 3).entries()) {
    lines.push(
      `${n > 0 ? 'Rejected' : incident.verdict === 'cause_named' ? 'Cause' : 'Strongest suspect'}: ${c.entity}, ${Math.round(c.confidence * 100)} %, ${c.fault_kind}. ${c.explanation}`,
    )
    if (n === 0) {
      if (c.path.length > 1) lines.push(`  path: ${c.path.join(' → ')}`)
      for (const e of c.evidence.slice(0, 6))
        lines.push(
          `  ${e.kind} ${clock(e.time).slice(11)}${(e.offset ?? -1) >= 0 ? ` ${e.stream}/${e.partition}/${e.offset}` : ''}  ${e.text.split('\n')[0]}`,
        )
    }
    for (const a of c.against) lines.push(`  ${n === 0 ? 'against' : 'because'}: ${a}`)
  }
  lines.push('', 'Timeline')
  for (const t of incident.timeline) lines.push(`  ${clock(t.time).slice(11)}  ${t.entity}: ${t.text.split('\n')[0]}`)
  for (const d of decisions) {
    lines.push('', `Decision: ${d.mode} ${d.action} ${d.target}. ${d.explanation}`)
    for (const r of d.reasons) lines.push(`  ${r}`)
    for (const f of d.suggestions ?? [])
      lines.push(
        `  helped before: ${f.command} (${f.worked} of ${f.tried} times, ${Math.round(f.likeness * 100)} % alike${
          f.predicted === null || f.predicted === undefined ? '' : `; learned chance ${Math.round(100 * f.predicted)} %`
        })`,
      )
    for (const o of outcomes.filter(x => x.decision === d.decision))
      lines.push(
        `  ${clock(o.time).slice(11)} ${o.status}${o.seconds_to_recover ? ` after ${Math.round(o.seconds_to_recover)} s` : ''}${o.error ? `: ${o.error}` : ''}`,
      )
  }
  return lines.join('\n')
}
interface Whole {
  incident: Incident
  anomalies: Anomaly[]
  decisions: Decision[]
  outcomes: Outcome[]
}

export const incidentCommand = (): Command => {
  const command = new Command('incident').addHelpText('after', '\nThe gateway is found by AEGIS_GATEWAY_URL.')
  command
    .command('list')
    .description('newest first')
    .option('--environment <name>')
    .action(async ({ environment }: { environment?: string }) => {
      const list = await ask<Incident[]>(
        `/api/v1/incidents${environment ? `?environment=${encodeURIComponent(environment)}` : ''}`,
      )
      for (const i of list)
        console.log(
          `${i.id}  ${i.state.padEnd(9)} ${i.severity.padEnd(8)} ${clock(i.started)}  ${i.environment}  ${i.explanation}`,
        )
      if (list.length === 0) console.log('no incidents')
    })
  command
    .command('confirm')
    .argument('<id>')
    .description('record the true cause; ranking learns from it')
    .requiredOption('--cause <service>', 'service, or kind:name')
    .option('--note <text>', 'anything else', '')
    .action(async (id: string, { cause, note }: { cause: string; note: string }) => {
      await ask(`/api/v1/incidents/${encodeURIComponent(id)}/cause`, {
        method: 'POST',
        body: JSON.stringify({ cause: cause.includes(':') ? cause : `service:${cause}`, note }),
      })
      console.log(`recorded: ${cause} caused ${id}`)
    })
  command
    .command('accuracy')
    .description('how often the named cause was the confirmed one, week by week')
    .option('--environment <name>')
    .action(async ({ environment }: { environment?: string }) => console.log(await accuracy(environment)))
  return command
}

/** Confirmed causes held against what was named, per week; read from the streams, so nothing else must be running. */
const accuracy = async (environment: string | undefined): Promise<string> => {
  const { connectClient } = await import('@aegis/stack/pipeline/client')
  const client = await connectClient()
  try {
    const named = new Map<string, { cause: string; confidence: number }>()
    const confirmed = new Map<string, Feedback>()
    await client.all([incidents, feedback] as unknown as Stream<never>[], decoded => {
      for (const { value, record } of decoded) {
        const v = value as { environment?: string } | undefined
        if (!v || (environment && v.environment !== environment)) continue
        if (record.topic === feedback.name) confirmed.set((v as Feedback).incident, v as Feedback)
        const i = v as Incident
        if (record.topic === incidents.name && i.verdict === 'cause_named')
          named.set(i.id, { cause: i.causes[0].entity, confidence: i.causes[0].confidence })
      }
    })
    return accuracyTable([...confirmed.values()], named)
  } finally {
    await client.close()
  }
}
export const accuracyTable = (
  confirmed: readonly Feedback[],
  named: ReadonlyMap<string, { readonly cause: string; readonly confidence: number }>,
): string => {
  if (confirmed.length === 0)
    return 'no incident was confirmed yet; record a true cause with "aegis incident confirm ID --cause SERVICE"'
  const weeks = new Map<string, { n: number; named: number; right: number; confidence: number }>()
  for (const f of confirmed) {
    const day = new Date(f.time / 1000)
    day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7))
    const key = day.toISOString().slice(0, 10)
    const w = weeks.get(key) ?? { n: 0, named: 0, right: 0, confidence: 0 }
    weeks.set(key, w)
    w.n++
    const said = named.get(f.incident)
    if (!said) continue
    w.named++
    w.confidence += said.confidence
    if (said.cause === f.cause) w.right++
  }
  const share = (a: number, n: number) => (n === 0 ? '–' : `${Math.round((100 * a) / n)} %`).padStart(11)
  return [
    'week of     confirmed  cause named  right first  confidence',
    ...[...weeks]
      .sort((a, b) => (a[0] < b[0] ? -1 : 1))
      .map(
        ([week, w]) =>
          `${week}  ${String(w.n).padStart(9)}  ${String(w.named).padStart(11)}  ${share(w.right, w.named)} ${share(w.confidence, w.named)}`,
      ),
  ].join('\n')
}

export const explainCommand = (): Command =>
  new Command('explain')
    .argument('<incident>')
    .option('--json', 'as data', false)
    .option('--no-chain', 'without the chain of log events, which is read from logs.parsed')
    .action(async (id: string, { json, chain: wanted }: { json: boolean; chain: boolean }) => {
      const whole = await ask<Whole>(`/api/v1/incidents/${encodeURIComponent(id)}`)
      const chain = wanted ? await incidentChain(whole.incident) : undefined
      if (json) console.log(JSON.stringify({ ...whole, ...(chain && { chain }) }, null, 2))
      else
        console.log(
          [explain(whole.incident, whole.decisions, whole.outcomes), ...(chain ? ['', incidentChainText(chain)] : [])].join('\n'),
        )
    })

export const approveCommand = (): Command =>
  new Command('approve')
    .argument('<decision>', 'id of a decision; "aegis explain INCIDENT --json" shows them')
    .option('--reject', 'reject it; said of what is under way, it stops it', false)
    .option('--note <text>', 'why', '')
    .addHelpText(
      'after',
      '\nThe same by REST: POST /api/v1/decisions/ID/approval; or a record on remediation.approvals. A decision that waits expires by itself.\nThe gateway is found by AEGIS_GATEWAY_URL.',
    )
    .action(async (id: string, { reject, note }: { reject: boolean; note: string }) => {
      await ask(`/api/v1/decisions/${encodeURIComponent(id)}/approval`, {
        method: 'POST',
        body: JSON.stringify({ approved: !reject, note }),
      })
      console.log(`${reject ? 'rejected' : 'approved'} ${id}`)
    })

export const killCommand = (): Command =>
  new Command('kill')
    .argument('<environment>')
    .option('--off', 'let it act again', false)
    .option('--wait <seconds>', 'how long to wait until the executor says that all stands still', '30')
    .addHelpText(
      'after',
      '\nTakes effect within a second: nothing new is acted on, what is under way is cut short; people are still called.\nIt ends when the executor has said that it stands still, and with exit 1 where it has not.\nThe gateway is found by AEGIS_GATEWAY_URL.',
    )
    .action(async (environment: string, { off, wait }: { off: boolean; wait: string }) => {
      await ask(`/api/v1/controls/${encodeURIComponent(environment)}`, {
        method: 'PUT',
        body: JSON.stringify({ kill_switch: !off }),
      })
      if (off) {
        console.log(`the kill switch of ${environment} is off`)
        return
      }
      console.log(`the kill switch of ${environment} is on: nothing new is acted on`)
      const until = performance.now() + Number(wait) * 1000
      const path = `/api/v1/controls/${encodeURIComponent(environment)}/standstill`
      for (;;) {
        const { stopped, still } = await ask<{ readonly stopped: boolean; readonly still: boolean }>(path)
        if (still) break
        if (!stopped) throw new AegisError('INPUT_INVALID', `somebody has let ${environment} act again meanwhile`)
        if (performance.now() >= until)
          throw new AegisError(
            'BROKER_UNAVAILABLE',
            `the executor of ${environment} has not said within ${wait} s that it stands still: look whether it runs, and what is under way ("aegis incidents")`,
          )
        await new Promise(resolve => setTimeout(resolve, 100))
      }
      console.log(`the executor of ${environment} stands still`)
    })
