/**
 * Why a policy chose what it chose: what each action is worth to it, which features moved it, and how close the runner-up came.
 *
 * A feature's influence is what its present value adds to the lead of the chosen action over the runner-up, against its usual value: the feature is
 * set to its mean over training, all else left as it is, and the change of the lead is its influence (occlusion, Zeiler and Fergus 2014). Groups of
 * features that mean one thing together may be occluded together.
 */
export interface ChoiceModel {
  /** Preference for each action; higher is better. Must not keep the array. */
  readonly preferences: (features: Float32Array) => ArrayLike<number>
  readonly actions: readonly string[]
  readonly featureNames: readonly string[]
  /** Usual values of the features. */
  readonly usual: ArrayLike<number>
  /** A feature's present value in words, against its usual one; the feature's name where it is left out. */
  readonly words?: (feature: string, value: number, usual: number) => string
}
export interface Influence {
  readonly feature: string
  readonly value: number
  readonly usual: number
  /** Positive: it spoke for the chosen action. */
  readonly influence: number
}
export interface ChoiceExplanation {
  readonly chosen: string
  readonly runnerUp?: string
  /** Lead of the chosen action over the runner-up, in the model's units. */
  readonly lead: number
  readonly values: readonly { readonly action: string; readonly value: number; readonly probability: number }[]
  readonly influences: readonly Influence[]
  readonly sentence: string
}

export function explainChoice(
  model: ChoiceModel,
  features: Float32Array,
  allowed: ArrayLike<number | boolean>,
  most = 5,
): ChoiceExplanation {
  const values = Array.from(model.preferences(features))
  const open = model.actions.map((_, a) => a).filter(a => allowed[a])
  if (open.length === 0) throw new RangeError('no action is allowed')
  const ranked = open.sort((a, b) => values[b] - values[a])
  const [best, second] = ranked
  const sum = ranked.reduce((s, a) => s + Math.exp(values[a] - values[best]), 0)
  const leadOf = (v: ArrayLike<number>) => (second === undefined ? v[best] : v[best] - v[second])
  const lead = leadOf(values)
  const probe = features.slice()
  const influences: Influence[] = []
  for (let i = 0; i < model.featureNames.length; i++) {
    if (features[i] === model.usual[i]) continue
    probe[i] = model.usual[i]
    influences.push({
      feature: model.featureNames[i],
      value: features[i],
      usual: model.usual[i],
      influence: lead - leadOf(model.preferences(probe)),
    })
    probe[i] = features[i]
  }
  influences.sort((a, b) => Math.abs(b.influence) - Math.abs(a.influence))
  const top = influences.slice(0, most)
  const list = (sign: number) =>
    top
      .filter(x => x.influence * sign > 0.01)
      .slice(0, 3)
      .map(x => model.words?.(x.feature, x.value, x.usual) ?? x.feature)
      // Of two features that say the same, the one that says more.
      .filter((said, i, all) => !all.some((other, j) => (other.includes(said) && other !== said) || (other === said && j < i)))
      .join(', ')
  const chosen = model.actions[best]
  const runnerUp = second === undefined ? undefined : model.actions[second]
  const against = list(-1)
  const sentence = [
    list(1) ? `${chosen}, because ${list(1)}` : chosen,
    against ? `although ${against}` : '',
    runnerUp
      ? `next best was ${runnerUp}, ${Math.round((100 * Math.exp(values[second] - values[best])) / sum)} % to ${Math.round(100 / sum)} %`
      : '',
  ]
    .filter(Boolean)
    .join('; ')
  return {
    chosen,
    runnerUp,
    lead,
    values: ranked.map(a => ({
      action: model.actions[a],
      value: values[a],
      probability: Math.exp(values[a] - values[best]) / sum,
    })),
    influences: top,
    sentence,
  }
}
