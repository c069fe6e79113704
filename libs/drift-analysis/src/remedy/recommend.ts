/** What to do about a change, attribute by attribute. What a controller owns is never taken back; what loosens security is never accepted. */
import { severityOfChange } from '../severity/severity.ts'
import type { Change, DriftFinding } from '../sources/finding.ts'
import { isController } from '../sources/kubernetes.ts'
import type { CauseReading } from '../why/causes.ts'

export const ACTIONS = ['auto_revert', 'codify_iac', 'escalate_review', 'accept_exception', 'manual_review'] as const
export type DriftAction = (typeof ACTIONS)[number]
export interface Advice {
  readonly path: string
  readonly action: DriftAction
  readonly reason: string
  /** Days until an exception must be looked at again. */
  readonly expiresInDays?: number
}
/** From this on a change loosens security. */
export const LOOSENS = 0.5

export function adviseChange(finding: DriftFinding, change: Change, cause: CauseReading & { readonly abstain: boolean }): Advice {
  const { path } = change
  const owners = change.owners ?? []
  if (owners.length > 0 && owners.every(manager => isController({ manager, subresource: '' })))
    return { path, action: 'accept_exception', reason: `${owners.join(', ')} keeps this field`, expiresInDays: 90 }
  const severity = severityOfChange({
    type: finding.type,
    attribute: path,
    ...(change.before === undefined ? {} : { before: change.before }),
    ...(change.after === undefined ? {} : { after: change.after }),
  })
  if (path === '(resource)')
    return { path, action: 'escalate_review', reason: 'the resource itself is gone; making it again may lose what it held' }
  const known = cause.abstain ? undefined : cause.cause
  if (change.hidden && severity.security >= 0.3)
    return { path, action: 'escalate_review', reason: 'a secret changed; whoever keeps it must say whether that was meant' }
  if (severity.security >= LOOSENS || severity.compliance >= 0.85) {
    if (known === 'security_response')
      return { path, action: 'escalate_review', reason: 'it answers a danger and weakens something: a person weighs it' }
    if (known === 'emergency_fix')
      return { path, action: 'escalate_review', reason: 'it helped in an emergency and weakens security or evidence' }
    return severity.security >= 0.85
      ? { path, action: 'auto_revert', reason: 'it opens what the code keeps closed' }
      : { path, action: 'escalate_review', reason: 'it weakens security or evidence' }
  }
  switch (known) {
    case 'emergency_fix':
    case 'security_response':
      return { path, action: 'codify_iac', reason: 'it helped: the next apply would take it back' }
    case 'automated_response':
      return { path, action: 'codify_iac', reason: 'a machine set it and will again; the code should leave it to it' }
    case 'intentional_override':
      return { path, action: 'accept_exception', reason: 'someone meant it and nothing speaks against it', expiresInDays: 30 }
    case 'configuration_error':
    case 'manual_troubleshooting':
      return {
        path,
        action: 'auto_revert',
        reason: known === 'configuration_error' ? 'a slip: the code says how it ought to be' : 'left over from a search',
      }
    default:
      return { path, action: 'manual_review', reason: 'nothing tells why it was made' }
  }
}

const ORDER: readonly DriftAction[] = ['escalate_review', 'auto_revert', 'manual_review', 'codify_iac', 'accept_exception']
/** The gravest of the advice on single attributes. */
export const overall = (advice: readonly Advice[]): DriftAction =>
  ORDER.find(a => advice.some(x => x.action === a)) ?? 'manual_review'
