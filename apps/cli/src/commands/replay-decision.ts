import { createHash } from 'node:crypto'
import {
  AegisError,
  type Anomaly,
  anomalies,
  type Decision,
  decisions,
  type Incident,
  incidents,
  type ModelVersion,
  models,
  type Policy,
  type Stream,
  streams,
} from '@aegis/domain'
import type { RawRecord } from '@aegis/runtime'
import { connectClient, type StreamClient } from '@aegis/stack/pipeline/client'
import { Command } from 'commander'
import { Progress } from '../progress.ts'
import { anomalyKey, detectAgain } from '../replay/detect-again.ts'
import { type Difference, differences } from '../replay/differences.ts'
import { rankAgain } from '../replay/rank-again.ts'

interface Options {
  detection: boolean
  json?: boolean
}
interface Found<T> {
  readonly value: T
  readonly record: RawRecord
}

export const replayDecisionCommand = (): Command =>
  new Command('replay-decision')
    .argument('<id>', 'a decision (its id, or the beginning of it), or "last"')
    .option('--no-detection', 'leave out detection, which reads all input that is retained')
    .option('--json', 'the result as JSON')
    .addHelpText(
      'after',
      '\nRanking, policy and guard run once more on what was written down, and the record is encoded again: the same bytes, or the fields that differ.' +
        '\nLog lines it rests on are looked up at their offsets; detection runs once more on the input that is still retained.' +
        '\nExit 0 when all is the same, 1 when something differs.',
    )
    .action(run)

async function run(id: string, options: Options): Promise<void> {
  const client = await connectClient()
  try {
    const found = await decisionNamed(client, id)
    const revisions = await collect<Incident>(client, incidents as Stream<Incident>, i => i.id === found.value.incident)
    const steps = [...(await again(client, found, revisions)), ...(await quoted(client, found.value))]
    if (options.detection) steps.push(await detection(client, found.value, revisions))
    report(found, steps, options.json === true)
    if (steps.some(s => s.differences.length > 0)) process.exitCode = 1
  } finally {
    await client.close()
  }
}

/** A retained decision by its id, the beginning of it, or "last". */
export async function decisionNamed(client: StreamClient, id: string): Promise<Found<Decision>> {
  const made = await collect<Decision>(client, decisions as Stream<Decision>, d => d.status === 'decided')
  const found =
    id === 'last'
      ? made.reduce<Found<Decision> | undefined>((a, b) => (a && a.value.time > b.value.time ? a : b), undefined)
      : made.find(d => d.value.decision.startsWith(id) || d.value.id.startsWith(id))
  if (found) return found
  throw new AegisError(
    'INPUT_INVALID',
    `no decision ${id} on ${decisions.name} (${made.length} are retained); "aegis tail ${decisions.name} --from start" lists them`,
  )
}

export interface Step {
  readonly name: string
  readonly result: string
  readonly differences: readonly Difference[]
}

/** Ranking, policy, guard and bytes, from the incident as it was and what was written down with the decision. */
async function again(
  client: StreamClient,
  { value, record }: Found<Decision>,
  revisions: readonly Found<Incident>[],
): Promise<Step[]> {
  const told = revisions.find(i => i.value.revision === value.incident_revision)
  if (!told)
    throw new AegisError(
      'INPUT_INVALID',
      `incident ${value.incident} revision ${value.incident_revision}, on which the decision rests, is no longer on ${incidents.name}`,
    )
  const incident = told.value
  // While an action is under way the ranking from before it is kept: it was made when those causes were first told.
  const first = revisions.find(i => differences(i.value.causes, incident.causes).length === 0) ?? told
  const ranked = await rankAgain(client, first.value, first.record.partition)
  // Through the schema and back, which fills in what a program may leave out.
  const written = await client.encode(incidents as Stream<Incident>, { ...first.value, causes: [...ranked.causes] })
  const [reread] = await client.decode([{ ...first.record, value: written }])
  const { makeDecision } = await import('@aegis/remediator/make-decision')
  const policy = await policyAsRecorded(client, value)
  const known = policy.version === value.policy_version
  const made = makeDecision(policy, incident, JSON.parse(value.facts))
  const bytes = await client.encode(decisions as Stream<Decision>, made)
  const same = bytes.equals(record.value as Buffer)
  const parts = (names: readonly (keyof Decision)[]) => names.flatMap(n => differences(value[n], made[n], n))
  const all = same ? [] : differences(value, made)
  const policyStep = parts(['action', 'target', 'candidates', 'propensity', 'situation', 'seed', 'policy', 'policy_version'])
  const guardStep = parts(['mode', 'reasons', 'facts'])
  return [
    {
      name: 'ranking',
      result: `${ranked.causes.map(c => `${c.entity} ${Math.round(c.confidence * 100)} %`).join(', ')}${first === told ? '' : `, kept since revision ${first.value.revision}`}`,
      differences: differences(first.value.causes, (reread.value as Incident).causes, 'causes'),
    },
    {
      name: 'policy',
      result: `${value.policy} ${value.policy_version}${known ? '' : ` (neither in this build, which has ${policy.version}, nor on ${models.name})`} chose ${made.action} ${made.target} out of ${made.candidates.length}`,
      differences: policyStep,
    },
    { name: 'guard', result: `${made.mode}: ${made.reasons.join('; ') || 'nothing against it'}`, differences: guardStep },
    {
      name: 'bytes',
      result: same
        ? `the same ${bytes.length} bytes, sha256 ${sha256(bytes)}`
        : `${record.value?.length} bytes recorded, ${bytes.length} now${all.length === 0 ? ': the schema differs, the fields do not' : ''}`,
      differences:
        all.length === 0 && !same ? [{ path: '(schema)', recorded: sha256(record.value as Buffer), now: sha256(bytes) }] : all,
    },
  ]
}
/** The policy of the version that decided: the rule table, the one that ships, or one from the models stream. */
export async function policyAsRecorded(client: StreamClient, { policy: name, policy_version }: Decision): Promise<Policy> {
  const { policyNamed, policyOf } = await import('@aegis/remediator/policies')
  const exploring = Number(/ exploring ([\d.]+)$/.exec(policy_version)?.[1] ?? 0)
  const shipped = await policyNamed(name === 'rules' ? 'rules' : 'learned', exploring)
  if (shipped.version === policy_version) return shipped
  const version = policy_version.replace(/ exploring .*$/, '')
  const found = await collect<ModelVersion>(client, models as Stream<ModelVersion>, m => m.version === version && !!m.weights)
  return found.length > 0 ? policyOf(found[0].value, exploring) : shipped
}
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16)

/** Each piece of evidence with a place in the log, against what stands there. */
async function quoted(client: StreamClient, { evidence }: Decision): Promise<Step[]> {
  const placed = evidence.filter(e => (e.offset ?? -1) >= 0 && e.stream)
  const wrong: Difference[] = []
  let gone = 0
  for (const e of placed) {
    const offset = e.offset as number
    let body: string | undefined
    const stream = streams.find(s => s.name === e.stream)
    if (stream)
      await client.read(stream, e.partition as number, offset, offset + 1, decoded => {
        body = (decoded.find(d => d.record.offset === offset)?.value as { body?: string } | undefined)?.body
      })
    const first = e.text.split('\n')[0].replace(/…$/, '')
    if (body === undefined) gone++
    else if (!body.includes(first)) wrong.push({ path: `${e.stream}/${e.partition}/${offset}`, recorded: e.text, now: body })
  }
  if (placed.length === 0) return []
  return [
    {
      name: 'evidence',
      result: `${placed.length - gone - wrong.length} of ${placed.length} quoted lines stand where it says${gone > 0 ? `; ${gone} no longer retained` : ''}`,
      differences: wrong,
    },
  ]
}

/** The incident's anomalies, found once more in the retained input. */
async function detection(client: StreamClient, decision: Decision, revisions: readonly Found<Incident>[]): Promise<Step> {
  const ids = new Set(revisions.filter(i => i.value.revision <= decision.incident_revision).flatMap(i => i.value.anomalies))
  const recorded = await collect<Anomaly>(client, anomalies as Stream<Anomaly>, a => ids.has(a.id) && a.time <= decision.time)
  const progress = new Progress('detection', 0)
  const found = await detectAgain(client, n => progress.add(n))
  progress.end()
  const wrong = recorded.flatMap(({ value }) => {
    const now = found.anomalies.get(anomalyKey(value))
    return differences(value, now ?? null, `anomaly ${value.id} ${value.state}`)
  })
  // From the middle of a series other baselines come; then a difference says nothing.
  const cut = found.cut.length > 0 ? `; not exact, no longer retained: ${found.cut.join(', ')}` : ''
  return {
    name: 'detection',
    result: `${recorded.length} records of ${ids.size} anomalies, from ${found.records} records of input${cut}`,
    differences: cut ? [] : wrong,
  }
}

async function collect<T>(client: StreamClient, stream: Stream<T>, wanted: (value: T) => boolean): Promise<Found<T>[]> {
  const found: Found<T>[] = []
  for (let p = 0; p < (await client.broker.partitions(stream.name)); p++)
    await client.read(stream as Stream<never>, p, 0, undefined, decoded => {
      for (const { value, record } of decoded)
        if (value !== undefined && wanted(value as T)) found.push({ value: value as T, record })
    })
  return found
}

function report({ value, record }: Found<Decision>, steps: readonly Step[], json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ decision: value, partition: record.partition, offset: record.offset, steps }, null, 2))
    return
  }
  console.log(
    `decision ${value.decision}: ${value.mode} ${value.action} ${value.target}, ${new Date(value.time / 1000).toISOString()}, ${decisions.name}/${record.partition}/${record.offset}`,
  )
  console.log(`incident ${value.incident} revision ${value.incident_revision} in ${value.environment}`)
  for (const step of steps) {
    console.log(`  ${step.name.padEnd(10)} ${step.differences.length === 0 ? 'same ' : 'DIFFERS'} ${step.result}`)
    for (const d of step.differences.slice(0, 12)) console.log(`    ${d.path}: recorded ${d.recorded}, now ${d.now}`)
    if (step.differences.length > 12) console.log(`    … ${step.differences.length - 12} more: --json`)
  }
}
