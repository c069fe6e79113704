import type { Choice, GuardFacts, Incident } from '@aegis/domain'

export type PolicyAnswer = NonNullable<GuardFacts['policyService']>
export type AskPolicyService = (choice: Choice, incident: Incident, signal: AbortSignal) => Promise<PolicyAnswer>

/**
 * Asks an external policy service whether an action may be done: `POST` with `{action, resource, type, context: {userId, role, metadata}}`, answered
 * by `{allowed, reason?}`. Never throws: no answer in time, an error, or an answer without `allowed` is "not answered", and the guard decides
 * what that means. The answer is kept with the decision, so that a replay asks nobody.
 */
export const askPolicyService =
  (url: string, timeoutMs: number): AskPolicyService =>
  async ({ action, target }, incident, signal) => {
    const silent = (reason: string): PolicyAnswer => ({ asked: true, answered: false, allowed: false, reason })
    const cause = incident.causes.find(c => c.entity === target)
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          action,
          resource: target,
          type: 'remediation',
          context: {
            userId: 'aegis',
            role: 'remediator',
            metadata: {
              environment: incident.environment,
              incident: incident.id,
              severity: incident.severity,
              faultKind: cause?.fault_kind ?? 'unknown',
              confidence: cause?.confidence ?? 0,
            },
          },
        }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      })
      if (!response.ok) return silent(`it answered ${response.status}`)
      const { allowed, reason } = (await response.json()) as { allowed?: unknown; reason?: unknown }
      if (typeof allowed !== 'boolean') return silent('its answer has no word on "allowed"')
      return { asked: true, answered: true, allowed, reason: typeof reason === 'string' ? reason : '' }
    } catch (error) {
      return silent(
        error instanceof DOMException && error.name === 'TimeoutError' ? `nothing within ${timeoutMs} ms` : reasonOf(error),
      )
    }
  }
const reasonOf = (error: unknown): string => {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}
