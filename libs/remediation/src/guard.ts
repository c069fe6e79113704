/**
 * What no policy can overrule. A pure function: every limit, count and answer it looks at is in the facts it is handed, and the facts are
 * kept with the decision, so the verdict can be computed again. It starts from the mode the ladder allows and only ever lowers it.
 */
import { type Choice, type Guard, type GuardFacts, MODES, type Mode, type Verdict } from '@aegis/domain'

const HOUR_US = 3_600_000_000
const lower = (a: Mode, b: Mode): Mode => (MODES.indexOf(a) <= MODES.indexOf(b) ? a : b)
const seconds = (us: number): string => `${Math.ceil(us / 1e6)} s`

export const guard: Guard = (choice: Choice, facts: GuardFacts, now: number): Verdict => {
  const reasons: string[] = []
  // A word the ladder does not know, or a name every object happens to have, gives nobody any rights.
  const said = Object.hasOwn(facts.ladder, choice.action) ? facts.ladder[choice.action] : facts.defaultMode
  let mode: Mode = MODES.includes(said) ? said : 'refuse'
  reasons.push(`the ladder of ${facts.environment} allows ${mode} for ${choice.action}`)
  const limit = (to: Mode, reason: string) => {
    if (lower(mode, to) !== mode || mode === to) reasons.push(reason)
    mode = lower(mode, to)
  }
  // Paging a person is what is left when nothing else may be done; only the kill switch's silence and the ladder's own word hold it back.
  if (choice.action === 'page') {
    if (facts.deny.includes('page')) limit('refuse', 'page is on the deny list')
    else mode = mode === 'refuse' ? 'refuse' : 'act'
    return { mode, reasons }
  }
  if (facts.killSwitch) limit('observe', 'the kill switch is on')
  if (facts.deny.includes(choice.action)) limit('refuse', `${choice.action} is on the deny list`)
  if (facts.allow.length > 0 && !facts.allow.includes(choice.action)) limit('refuse', `${choice.action} is not on the allow list`)
  if (facts.protectedEntities.includes(choice.target)) limit('refuse', `${choice.target} is protected`)
  // Written so that what is not a number fails, here and below.
  if (!(facts.confidence >= facts.limits.minimumConfidence))
    limit('suggest', `confidence ${facts.confidence.toFixed(2)} is below ${facts.limits.minimumConfidence}`)
  if (!(facts.evidenceCount >= facts.limits.minimumEvidence))
    limit('suggest', `${facts.evidenceCount} pieces of evidence are fewer than ${facts.limits.minimumEvidence}`)

  const running = facts.recent.filter(r => !r.finished)
  if (running.some(r => r.target === choice.target)) limit('refuse', `another action on ${choice.target} is under way`)
  if (!(running.length < facts.limits.concurrent))
    limit('suggest', `${running.length} actions are under way, ${facts.limits.concurrent} at most`)
  const repeated = facts.recent.filter(r => r.target === choice.target && r.action === choice.action)
  const cool = Math.max(...repeated.map(r => r.time + facts.limits.cooldownMs * 1000 - now))
  if (repeated.length > 0 && !(cool <= 0))
    limit('suggest', `${choice.action} on ${choice.target} cools down for another ${seconds(cool)}`)

  if (facts.disruptive) {
    const done = facts.recent.filter(r => r.disruptive && !(r.time <= now - HOUR_US)).length
    if (!(done < facts.limits.disruptivePerHour))
      limit('suggest', `${done} disruptive actions in the last hour, ${facts.limits.disruptivePerHour} at most`)
    for (const w of facts.maintenance)
      if (now >= w.from && now < w.to && (w.entities.length === 0 || w.entities.includes(choice.target)))
        limit('suggest', `maintenance: ${w.reason}`)
    if (facts.errorBudgetLeft !== undefined && !(facts.errorBudgetLeft >= facts.limits.errorBudgetFloor))
      limit(
        'suggest',
        `${Math.round(facts.errorBudgetLeft * 100)} % of the error budget is left, below the floor of ${Math.round(facts.limits.errorBudgetFloor * 100)} %`,
      )
    if (facts.policyService?.asked && !facts.policyService.answered)
      limit('refuse', `the policy service did not answer (${facts.policyService.reason})`)
  }
  if (facts.policyService?.answered && !facts.policyService.allowed)
    limit('refuse', `the policy service said no: ${facts.policyService.reason}`)
  return { mode, reasons }
}
