/** A score per option to a choice among those allowed: the best, or with probability `epsilon` any; probabilities and runner-up included. */
import type { Choice, Situation } from '@aegis/domain'

export function choiceOf(
  situation: Situation,
  scores: readonly number[],
  epsilon: number,
  random: () => number,
  why: (action: string, value: number) => string,
): Choice {
  const allowed = situation.options.map((o, i) => ({ ...o, value: scores[i] })).filter(o => o.allowed)
  if (allowed.length === 0) throw new RangeError('no action is allowed')
  const ranked = allowed.sort((a, b) => b.value - a.value)
  const probability = (i: number) => epsilon / ranked.length + (i === 0 ? 1 - epsilon : 0)
  return drawn(
    ranked.map((o, i) => ({ action: o.action, target: o.target, value: o.value, probability: probability(i) })),
    random,
    chosen =>
      chosen === 0
        ? why(ranked[0].action, ranked[0].value)
        : `${ranked[chosen].action} was drawn to learn something; ${ranked[0].action} is liked best`,
  )
}

/** Draws one of the candidates by their probabilities, which add up to 1. */
export function drawn(candidates: Choice['candidates'], random: () => number, why: (chosen: number) => string): Choice {
  let left = random()
  let chosen = 0
  for (let i = 0; i < candidates.length && left >= 0; i++) {
    if (candidates[i].probability === 0) continue
    chosen = i
    left -= candidates[i].probability
  }
  const { action, target, probability } = candidates[chosen]
  return { action, target, propensity: probability, candidates, explanation: why(chosen) }
}
