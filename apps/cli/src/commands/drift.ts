import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { AegisError } from '@aegis/domain'
import { analyzeReading, type DriftAnalysis, joinAlike } from '@aegis/drift-analysis/analyze-drift'
import { isObject, type Json } from '@aegis/drift-analysis/noise/same-value'
import { type DriftReading, hideSecrets } from '@aegis/drift-analysis/sources/finding'
import { documentsOf, readDrift } from '@aegis/drift-analysis/sources/read-drift'
import { identitiesIn } from '@aegis/drift-analysis/sources/terraform'
import { readAuditEvent } from '@aegis/drift-analysis/who/audit-event'
import { AuditTrail } from '@aegis/drift-analysis/who/find-maker'
import { redact } from '@aegis/log-mining'
import { Command } from 'commander'
import { parseAllDocuments } from 'yaml'
import { driftLearnCommand } from './drift-learn.ts'

interface Options {
  state?: string
  audit?: string[]
  git?: string
  desired?: string
  hours: string
  noise?: boolean
  json?: boolean
}

export const driftCommand = (): Command =>
  new Command('drift')
    .argument(
      '[file]',
      'plan (terraform show -json), CloudFormation drift, Pulumi refresh or live objects (kubectl get -o yaml); .gz too, or -',
    )
    .option('--desired <file>', 'manifests that live objects of Kubernetes are held against')
    .option('--state <file>', 'state that tells which identifier belongs to which address')
    .option('--audit <files...>', 'audit log, JSON or JSON lines: CloudTrail, Google Cloud, Azure, Kubernetes')
    .option('--git <folder>', 'repository of the code: recent commits are heard for why')
    .option('--hours <n>', 'how far back the audit log is asked', '168')
    .option('--noise', 'also what was looked at and is no drift, with the reason')
    .option('--json', 'the whole analysis as JSON')
    .addHelpText(
      'after',
      '\nSecrets are told as changed and never shown.\nExit codes: 0 the file was read, whatever it says; 1 it could not be read.' +
        '\n\n  terraform plan -refresh-only -out p && terraform show -json p > plan.json\n  aegis drift plan.json --audit trail.json.gz --git .',
    )
    .action(run)
    .addCommand(driftLearnCommand())

const yaml = (text: string): unknown[] =>
  parseAllDocuments(text, { merge: true }).flatMap(d => {
    if (d.errors.length > 0) throw d.errors[0]
    return [d.toJS() as unknown]
  })
const read = (file: string): Json[] => {
  let text: string
  try {
    const bytes = readFileSync(file === '-' ? 0 : file)
    text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8')
  } catch (error) {
    throw new AegisError('INPUT_INVALID', `${file} cannot be read: ${(error as Error).message}`)
  }
  try {
    return documentsOf(text, yaml)
  } catch (error) {
    throw new AegisError('INPUT_INVALID', `${file}: ${(error as Error).message}`)
  }
}

async function run(file: string | undefined, options: Options): Promise<void> {
  if (!file)
    throw new AegisError(
      'INPUT_INVALID',
      'name a file: a plan, CloudFormation drift, Pulumi refresh or live objects; see aegis drift --help',
    )
  const hours = Number(options.hours)
  if (!(hours > 0)) throw new AegisError('INPUT_INVALID', `--hours ${options.hours} is no number above 0`)
  const documents = read(file)
  let reading: DriftReading
  try {
    reading = readDrift(documents, options.desired ? read(options.desired) : [])
  } catch (error) {
    throw new AegisError('INPUT_INVALID', `${file}: ${(error as Error).message}`)
  }
  if (reading.format === 'kubernetes' && !options.desired)
    throw new AegisError('INPUT_INVALID', `${file} holds live objects; name what the code wants with --desired manifests.yaml`)
  const events = (options.audit ?? []).flatMap(f => read(f).flatMap(eventsIn)).flatMap(raw => readAuditEvent(raw) ?? [])
  const [state] = options.state ? read(options.state) : []
  const to = Math.max(timeOf(documents[0]) ?? 0, ...events.map(e => e.time)) || Date.now()
  const commits = options.git ? commitsIn(options.git) : undefined
  const analyses = analyzeReading(reading, {
    window: { from: to - hours * 3_600_000, to },
    ...(events.length > 0 ? { trail: new AuditTrail(events) } : {}),
    ...(isObject(state) ? { identities: identitiesIn(state) } : {}),
    ...(commits ? { context: { commits } } : {}),
  })
  const out = options.json
    ? JSON.stringify(
        {
          format: reading.format,
          ...(reading.resources === undefined ? {} : { resources: reading.resources }),
          ...(options.noise ? { noise: reading.noise } : {}),
          drifts: analyses.map(plain),
        },
        null,
        2,
      )
    : textOf(reading, analyses, options.noise === true)
  console.log(out)
}

/** Audit logs come as lines, lists, or wrapped as CloudTrail keeps them. */
const eventsIn = (d: Json): readonly Json[] =>
  Array.isArray(d)
    ? d
    : isObject(d) && Array.isArray(d.Records)
      ? d.Records
      : isObject(d) && Array.isArray(d.value)
        ? d.value
        : [d]
const timeOf = (d: Json | undefined): number | undefined =>
  isObject(d) && typeof d.timestamp === 'string' ? Date.parse(d.timestamp) || undefined : undefined
const commitsIn = (folder: string): { time: number; subject: string }[] => {
  try {
    const log = execFileSync('git', ['-C', folder, 'log', '-n', '50', '--format=%ct %s'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return log
      .split('\n')
      .filter(Boolean)
      .map(line => ({ time: Number(line.slice(0, line.indexOf(' '))) * 1000, subject: line.slice(line.indexOf(' ') + 1) }))
  } catch {
    throw new AegisError('INPUT_INVALID', `--git ${folder} is no git repository with commits`)
  }
}
const plain = ({ finding, made, cause, severity, advice, action, codify, explanation }: DriftAnalysis) => ({
  address: finding.address,
  type: finding.type,
  attributes: finding.attributes,
  changes: hideSecrets(finding.changes, redact),
  ...(made
    ? {
        made: {
          event: hideSecrets(made.found?.event.raw ?? null, redact),
          actor: made.found?.actor ?? null,
          channel: made.found?.channel ?? null,
          confidence: made.confidence,
          others: made.others.map(o => o.event.id),
        },
      }
    : {}),
  cause: cause.abstain ? null : cause.cause,
  probabilities: cause.probabilities,
  severity,
  advice,
  action,
  ...(codify ? { codify } : {}),
  explanation,
})

/** The findings in a few plain lines each. */
export const textOf = (reading: DriftReading, analyses: readonly DriftAnalysis[], withNoise = false): string => {
  const out: string[] = []
  if (reading.resources !== undefined) out.push(`${reading.resources} managed resources.`)
  if (analyses.length === 0 && reading.resources === undefined) out.push('No drift: nothing was changed outside the code.')
  for (const { first, addresses } of joinAlike(analyses)) {
    if (out.length > 0) out.push('')
    const { severity: s } = first
    out.push(...first.explanation)
    if (addresses.length > 1)
      out.push(
        `The same in ${addresses.length - 1} more: ${addresses.slice(1, 5).join(', ')}${addresses.length > 5 ? ', …' : ''}`,
      )
    for (const c of first.finding.changes.slice(0, 6)) {
      const shown = (v: Json | undefined) => (v === undefined ? 'nothing' : redact(JSON.stringify(v)).slice(0, 80))
      if (c.path !== '(resource)')
        out.push(
          `  ${c.path}: ${c.hidden ? 'changed (hidden)' : `${shown(c.before)} -> ${shown(c.after)}`}${c.owners ? `   owned by ${c.owners.join(', ')}` : ''}`,
        )
    }
    out.push(
      `Severity: security ${s.security.toFixed(2)}  performance ${s.performance.toFixed(2)}  cost ${s.cost.toFixed(2)}  compliance ${s.compliance.toFixed(2)}`,
    )
    if (first.made?.found)
      out.push(`Audit entry: ${JSON.stringify(hideSecrets(first.made.found.event.raw, redact)).slice(0, 400)}`)
    if (first.codify) out.push('Code that keeps it:', ...first.codify.split('\n').map(l => `  ${l}`))
  }
  if (withNoise && reading.noise.length > 0) {
    out.push('', 'Looked at, and no drift:')
    for (const n of reading.noise) out.push(`  ${n.address} ${n.path}: ${n.why}`)
  }
  return out.join('\n')
}
