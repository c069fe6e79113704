/**
 * A/B experiments between policies: who gets which arm, and what may be concluded, however often one looks.
 *
 * An arm is given by a hash of experiment and context, so the same context always meets the same arm and nothing needs to be stored. Shares of
 * success carry Wilson's interval (1927). The comparison with the first arm is a mixture sequential probability ratio test (Robbins 1970; Johari et
 * al., "Peeking at A/B Tests", 2017): its p-value may be looked at after every outcome without raising the chance of a false alarm; several arms
 * share that chance by Bonferroni; an arm that does more harm than the first is stopped by the same test. Under 30 outcomes an arm is said to have too few. An experiment is a plain value that survives as JSON.
 */
import { AegisError, hash32 } from '@aegis/domain'
import { wilson } from '@aegis/learning/wilson'

export interface Arm {
  readonly name: string
  readonly policy: string
  /** Percent of the traffic. */
  readonly share: number
}
export interface Experiment {
  readonly name: string
  readonly state: 'running' | 'paused' | 'completed'
  readonly arms: readonly Arm[]
  /** Outcomes and successes of each arm, in the order of `arms`. */
  readonly counts: readonly { readonly outcomes: number; readonly successes: number }[]
}
export const FEWEST_OUTCOMES = 30
/** Chance of a false alarm over the whole experiment. */
const ALPHA = 0.05
/** Spread of differences thought likely beforehand: the mixture's standard deviation. */
const LIKELY_DIFFERENCE = 0.1

export function createExperiment(name: string, arms: readonly Arm[]): Experiment {
  const wrong = (why: string) => new AegisError('INPUT_INVALID', `experiment ${name}: ${why}`)
  if (arms.length < 2) throw wrong('two arms at least')
  if (new Set(arms.map(a => a.name)).size < arms.length) throw wrong('two arms have the same name')
  if (arms.some(a => !(a.share > 0))) throw wrong('every share must be above 0')
  const sum = arms.reduce((s, a) => s + a.share, 0)
  if (Math.abs(sum - 100) > 1e-9) throw wrong(`the shares add up to ${sum}, not to 100`)
  return { name, state: 'running', arms, counts: arms.map(() => ({ outcomes: 0, successes: 0 })) }
}
const moved = (e: Experiment, from: readonly Experiment['state'][], to: Experiment['state']): Experiment => {
  if (!from.includes(e.state)) throw new AegisError('INPUT_INVALID', `experiment ${e.name} is ${e.state} and cannot become ${to}`)
  return { ...e, state: to }
}
export const pauseExperiment = (e: Experiment): Experiment => moved(e, ['running'], 'paused')
export const resumeExperiment = (e: Experiment): Experiment => moved(e, ['paused'], 'running')
export const completeExperiment = (e: Experiment): Experiment => moved(e, ['running', 'paused'], 'completed')

/** The arm for a context (an incident, an entity); undefined while the experiment does not run. */
export function assignArm(e: Experiment, context: string): Arm | undefined {
  if (e.state !== 'running') return undefined
  let at = scramble(hash32(`${e.name}\n${context}`)) / 4294967296
  at *= 100
  for (const arm of e.arms) {
    if (at < arm.share) return arm
    at -= arm.share
  }
  return e.arms.at(-1)
}
/** The name's hash alone is uneven for names that differ in their last letters only. */
const scramble = (x: number): number => {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

export function recordOutcome(e: Experiment, arm: string, success: boolean): Experiment {
  const at = e.arms.findIndex(a => a.name === arm)
  if (at < 0) throw new AegisError('INPUT_INVALID', `experiment ${e.name} has no arm ${arm}`)
  const counts = e.counts.map((c, i) => (i === at ? { outcomes: c.outcomes + 1, successes: c.successes + (success ? 1 : 0) } : c))
  return { ...e, counts }
}

export interface ArmResult {
  readonly arm: string
  readonly outcomes: number
  readonly rate: number
  readonly low: number
  readonly high: number
  /** Against the first arm; absent for it, and while there are too few outcomes. */
  readonly difference?: number
  readonly pValue?: number
  readonly verdict: 'baseline' | 'not enough data' | 'no difference shown' | 'better' | 'worse'
}

export function experimentResults(e: Experiment): readonly ArmResult[] {
  const [base] = e.counts
  const alpha = ALPHA / (e.arms.length - 1)
  return e.arms.map(({ name: arm }, i) => {
    const { outcomes, successes } = e.counts[i]
    const rate = outcomes > 0 ? successes / outcomes : 0
    const head = { arm, outcomes, rate, ...wilson(successes, outcomes) }
    if (i === 0) return { ...head, verdict: outcomes < FEWEST_OUTCOMES ? 'not enough data' : 'baseline' }
    if (outcomes < FEWEST_OUTCOMES || base.outcomes < FEWEST_OUTCOMES) return { ...head, verdict: 'not enough data' }
    const difference = rate - base.successes / base.outcomes
    const pValue = alwaysValid(difference, base, { outcomes, successes })
    const shown = pValue < alpha
    return { ...head, difference, pValue, verdict: !shown ? 'no difference shown' : difference > 0 ? 'better' : 'worse' }
  })
}

/** Acts of an arm before its guard speaks. */
const FEWEST_ACTS = 10
/**
 * Arms that do more harm than the first: an experiment stops giving them anything, whatever else it finds. The same test as for success, so that it may be asked after every
 * act.
 * @param harms acts of each arm and how many of them did harm, in the order of `arms`
 */
export function stoppedArms(
  e: Pick<Experiment, 'arms'>,
  harms: readonly { readonly acts: number; readonly harmful: number }[],
): readonly string[] {
  const [base] = harms
  if (!base) return []
  const count = ({ acts, harmful }: (typeof harms)[number]) => ({ outcomes: acts, successes: harmful })
  return e.arms.flatMap(({ name }, i) => {
    const own = harms[i]
    if (i === 0 || !own || own.acts < FEWEST_ACTS || base.acts < FEWEST_ACTS) return []
    const more = own.harmful / own.acts - base.harmful / base.acts
    return more > 0 && alwaysValid(more, count(base), count(own)) < ALPHA / (e.arms.length - 1) ? [name] : []
  })
}

/** p-value of the mixture test, for shares with a half success and failure added to keep their spread above zero. */
function alwaysValid(difference: number, a: Experiment['counts'][number], b: Experiment['counts'][number]): number {
  const spread = ({ outcomes, successes }: typeof a) => {
    const p = (successes + 0.5) / (outcomes + 1)
    return (p * (1 - p)) / outcomes
  }
  const v = spread(a) + spread(b)
  const t = LIKELY_DIFFERENCE ** 2
  const ratio = Math.sqrt(v / (v + t)) * Math.exp((difference * difference * t) / (2 * v * (v + t)))
  return Math.min(1, 1 / ratio)
}
