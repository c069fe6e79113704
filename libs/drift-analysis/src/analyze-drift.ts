/** From what a tool reports to what people want to know: real or not, who, why, how bad, what to do, and why we say so. */
import { type Advice, adviseChange, type DriftAction, overall } from './remedy/recommend.ts'
import { codifyTerraform } from './remedy/remedies.ts'
import { severityOfEvent } from './severity/event-severity.ts'
import { type Severity, severityOfAll } from './severity/severity.ts'
import type { DriftFinding, DriftReading } from './sources/finding.ts'
import type { AuditTrail, Finding as Made } from './who/find-maker.ts'
import type { CauseReading } from './why/causes.ts'
import { type DriftContext, driftFeatures } from './why/drift-features.ts'
import { whyDrift } from './why/why-drift.ts'

export interface DriftAnalysis {
  readonly finding: DriftFinding
  /** Who made it, when an audit log was given. */
  readonly made?: Made
  /** How bad the entry of the audit log is by itself, for security, 0 to 1. */
  readonly entrySeverity?: number
  readonly cause: CauseReading & { readonly because: readonly string[] }
  readonly severity: Severity
  readonly advice: readonly Advice[]
  readonly action: DriftAction
  /** Code that keeps what is to be kept. */
  readonly codify?: string
  readonly features: Readonly<Record<string, number>>
  /** A few plain sentences. */
  readonly explanation: readonly string[]
}
export interface AnalyzeOptions {
  readonly trail?: AuditTrail
  /** Identifiers by address, from a state. */
  readonly identities?: ReadonlyMap<string, string>
  /** Milliseconds since 1970: what happened before is asked for in the log. */
  readonly window: { readonly from: number; readonly to: number }
  readonly context?: Omit<DriftContext, 'time'>
}

export const analyzeReading = (reading: DriftReading, options: AnalyzeOptions): DriftAnalysis[] =>
  reading.findings.map(f => analyzeFinding(f, options))

export function analyzeFinding(
  finding: DriftFinding,
  { trail, identities, window, context = {} }: AnalyzeOptions,
): DriftAnalysis {
  const id = finding.id ?? identities?.get(finding.address)
  const made =
    trail && id
      ? trail.find({ type: finding.type, id, changed: finding.attributes, from: window.from, to: window.to })
      : undefined
  const severity = severityOfAll(
    finding.changes.map(c => ({
      type: finding.type,
      attribute: c.path,
      ...(c.before === undefined ? {} : { before: c.before }),
      ...(c.after === undefined ? {} : { after: c.after }),
    })),
  )
  const around: DriftContext = {
    ...context,
    time: made?.found?.event.time ?? window.to,
    timed: made?.found !== undefined,
    ...(made?.found ? { channel: made.found.channel } : {}),
    ...(trail && id && !context.earlierDrifts
      ? {
          earlierDrifts: trail
            .touching({ type: finding.type, id, changed: [], from: window.from, to: window.to })
            .filter(e => !e.denied && e !== made?.found?.event)
            .map(e => e.time),
        }
      : {}),
  }
  const features = driftFeatures(finding, severity, around)
  const cause = whyDrift(features, finding, around)
  const advice = finding.changes.map(c => adviseChange(finding, c, cause))
  const action = advice.length > 0 ? overall(advice) : 'manual_review'
  const codify = codifyTerraform(finding, advice)
  const raw = made?.found?.event.raw
  return {
    finding,
    ...(made ? { made } : {}),
    ...(typeof raw === 'object' && raw !== null
      ? { entrySeverity: severityOfEvent(raw as Record<string, unknown>).security }
      : {}),
    cause,
    severity,
    advice,
    action,
    ...(codify ? { codify } : {}),
    features,
    explanation: explain(finding, made, cause, severity, advice, action),
  }
}

const percent = (x: number) => `${Math.round(x * 100)} %`
function explain(
  finding: DriftFinding,
  made: Made | undefined,
  cause: DriftAnalysis['cause'],
  severity: Severity,
  advice: readonly Advice[],
  action: DriftAction,
): string[] {
  const out = [`${finding.address}: ${finding.attributes.join(', ')} changed outside the code.`]
  if (made?.found) {
    const { event, actor, channel } = made.found
    out.push(
      `${actor} did it by ${channel} with ${event.action} at ${new Date(event.time).toISOString()} (${percent(made.confidence)} sure).`,
    )
  } else if (made) out.push(`No entry of the audit log explains it (${percent(made.confidence)} sure).`)
  out.push(
    cause.abstain
      ? 'Nothing tells why.'
      : `Most likely ${cause.cause.replace(/_/g, ' ')} (${percent(cause.probabilities[cause.cause])})${cause.because.length > 0 ? `, because of ${cause.because.join(', ')}` : ''}.`,
  )
  const [worst] = severity.counted
  if (worst) out.push(`What counts most: ${worst.sign} (${worst.dimension} ${worst.weight.toFixed(2)}).`)
  const grave = advice.find(a => a.action === action)
  if (grave) out.push(`Advice: ${action} – ${grave.reason}.`)
  return out
}
/** One cause, one row: the same attributes of the same type by the same maker. */
export function joinAlike(
  analyses: readonly DriftAnalysis[],
): { readonly first: DriftAnalysis; readonly addresses: readonly string[] }[] {
  const rows = new Map<string, { first: DriftAnalysis; addresses: string[] }>()
  for (const a of analyses) {
    const key = [
      a.finding.type,
      [...a.finding.attributes].sort().join(),
      a.made?.found?.actor ?? '',
      a.cause.abstain ? '' : a.cause.cause,
      a.action,
    ].join('\0')
    const row = rows.get(key)
    if (row) row.addresses.push(a.finding.address)
    else rows.set(key, { first: a, addresses: [a.finding.address] })
  }
  return [...rows.values()]
}
