/**
 * For the guard's tests: situations on both sides of every limit, and a judge that knows the rules and nothing of the guard's code.
 *
 * The judge asks each rule on its own how far it would let the action go, and takes the lowest answer. It is slow and plain on purpose.
 */
import type { Choice, GuardFacts, Mode } from '@aegis/domain'

const NOW = 1_700_000_000_000_000
const MINUTE = 60_000_000
const RANKS: readonly Mode[] = ['refuse', 'observe', 'shadow', 'suggest', 'approve', 'canary', 'act']
export interface GuardCase {
  readonly choice: Choice
  readonly facts: GuardFacts
  readonly now: number
}

export function guardCase(random: () => number): GuardCase {
  const chance = (p: number) => random() < p
  const pick = <T>(...items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  /** Just below, at, or just above. */
  const near = (limit: number, step: number) => limit + pick(-step, 0, 0, step)
  const action = pick('restart', 'scale_out', 'rollback_deploy', 'page', 'constructor')
  const target = pick('cart', 'payment')
  const cooldownMs = pick(0, 60_000, 300_000)
  const minimumConfidence = pick(0, 0.5, 0.8)
  const minimumEvidence = pick(0, 1, 3)
  const errorBudgetFloor = pick(0, 0.1)
  const deed = () => ({
    action: pick(action, action, 'restart', 'clean_disk'),
    target: pick(target, target, 'orders'),
    time: pick(near(NOW - 60 * MINUTE, 1), near(NOW - cooldownMs * 1000, 1), NOW - Math.floor(random() * 90 * MINUTE)),
    disruptive: chance(0.6),
    finished: chance(0.85),
  })
  const window = () => {
    const from = pick(near(NOW, 1), NOW - 10 * MINUTE, NOW + 5 * MINUTE)
    return { from, to: pick(near(NOW, 1), from + 20 * MINUTE), reason: 'upgrade', entities: pick([], [target], ['orders']) }
  }
  const facts: GuardFacts = {
    environment: 'shop',
    killSwitch: chance(0.1),
    ladder: chance(0.5) ? { [action]: pick(...RANKS) } : {},
    defaultMode: chance(0.7) ? 'act' : pick(...RANKS),
    allow: pick([], [], [], [action], ['clean_disk']),
    deny: pick([], [], [], [], [action], ['clean_disk']),
    protectedEntities: pick([], [], [], [target], ['orders']),
    maintenance: Array.from({ length: pick(0, 0, 1, 2) }, window),
    recent: Array.from({ length: pick(0, 1, 2, 3, 5) }, deed),
    limits: {
      disruptivePerHour: pick(0, 1, 2, 3),
      concurrent: pick(0, 1, 2, 3),
      cooldownMs,
      minimumConfidence,
      minimumEvidence,
      errorBudgetFloor,
    },
    errorBudgetLeft: pick(undefined, near(errorBudgetFloor, 0.01), 0.5),
    confidence: chance(0.02) ? Number.NaN : pick(near(minimumConfidence, 0.01), 0.95),
    evidenceCount: pick(near(minimumEvidence, 1), 5),
    disruptive: chance(0.6),
    policyService: pick(undefined, undefined, {
      asked: chance(0.8),
      answered: chance(0.6),
      allowed: chance(0.5),
      reason: 'as it said',
    }),
  }
  return { choice: { action, target, propensity: 1, candidates: [], explanation: '' }, facts, now: NOW }
}

type Rule = (c: GuardCase) => Mode
/** Each rule of the guard, alone. */
export const RULES: Readonly<Record<string, Rule>> = {
  killSwitch: c => (c.facts.killSwitch ? 'observe' : 'act'),
  denyList: c => (c.facts.deny.some(name => name === c.choice.action) ? 'refuse' : 'act'),
  allowList: c => {
    if (c.facts.allow.length === 0) return 'act'
    for (const name of c.facts.allow) if (name === c.choice.action) return 'act'
    return 'refuse'
  },
  protectedEntity: c => (c.facts.protectedEntities.some(name => name === c.choice.target) ? 'refuse' : 'act'),
  confidence: c => (c.facts.confidence >= c.facts.limits.minimumConfidence ? 'act' : 'suggest'),
  evidence: c => (c.facts.evidenceCount >= c.facts.limits.minimumEvidence ? 'act' : 'suggest'),
  sameTarget: c => (c.facts.recent.some(r => !r.finished && r.target === c.choice.target) ? 'refuse' : 'act'),
  concurrency: c => {
    let underWay = 0
    for (const r of c.facts.recent) underWay += r.finished ? 0 : 1
    return underWay + 1 <= c.facts.limits.concurrent ? 'act' : 'suggest'
  },
  cooldown: c => {
    for (const r of c.facts.recent)
      if (r.action === c.choice.action && r.target === c.choice.target && (c.now - r.time) / 1000 < c.facts.limits.cooldownMs)
        return 'suggest'
    return 'act'
  },
  blastRadius: c => {
    if (!c.facts.disruptive) return 'act'
    let lately = 0
    for (const r of c.facts.recent) if (r.disruptive && c.now - r.time < 3600e6) lately++
    return lately + 1 <= c.facts.limits.disruptivePerHour ? 'act' : 'suggest'
  },
  maintenance: c => {
    if (!c.facts.disruptive) return 'act'
    for (const w of c.facts.maintenance) {
      const concerned = w.entities.length === 0 || w.entities.some(name => name === c.choice.target)
      if (concerned && w.from <= c.now && c.now < w.to) return 'suggest'
    }
    return 'act'
  },
  errorBudget: c => {
    if (!c.facts.disruptive || c.facts.errorBudgetLeft === undefined) return 'act'
    return c.facts.errorBudgetLeft >= c.facts.limits.errorBudgetFloor ? 'act' : 'suggest'
  },
  policyServiceSilent: c =>
    c.facts.disruptive && c.facts.policyService?.asked === true && !c.facts.policyService.answered ? 'refuse' : 'act',
  policyServiceSaidNo: c => (c.facts.policyService?.answered === true && !c.facts.policyService.allowed ? 'refuse' : 'act'),
}

const ladder = (c: GuardCase): Mode => {
  for (const [name, mode] of Object.entries(c.facts.ladder)) if (name === c.choice.action) return mode
  return c.facts.defaultMode
}

export function judge(c: GuardCase): Mode {
  if (c.choice.action === 'page') return ladder(c) === 'refuse' || c.facts.deny.some(name => name === 'page') ? 'refuse' : 'act'
  const answers = [ladder(c), ...Object.values(RULES).map(rule => rule(c))]
  return RANKS.find(mode => answers.includes(mode)) as Mode
}
