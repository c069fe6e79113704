/** Who decides, as versions on the models stream: a candidate is judged by the decisions of the present policy before it may take over. */
import { AegisError, type ModelVersion } from '@aegis/domain'
import { INCIDENT_ENCODING } from '@aegis/lab/remediation/play-incidents'
import { CANDIDATE_MODEL, earlierVersion, type ModelState, moved, POLICY_MODEL, RULES_VERSION } from '@aegis/model-registry'
import {
  estimateOffPolicy,
  type Judgement,
  judgeCandidate,
  type LoggedDecision,
  type OffPolicyEstimate,
} from '@aegis/remediation/off-policy'
import { OPTIONS } from '@aegis/remediation/options'
import { LoadedModel, type PpoModel } from '@aegis/remediation/ppo-model'
import { packPolicy } from '@aegis/remediator/policies'

/** A line of the log: a decision as it was written down, and the reward its outcome brought. */
interface LogLine {
  readonly situation: readonly number[]
  readonly action: string
  readonly target?: string
  readonly candidates: readonly { readonly action: string; readonly target?: string; readonly probability: number }[]
  readonly reward: number
}

/** Logged decisions beside what the candidate would have done, over the options either weighed. */
export function logFor(model: PpoModel, lines: readonly string[]): LoggedDecision[] {
  const loaded = new LoadedModel(model)
  return lines.map((text, i) => {
    let line: LogLine
    try {
      line = JSON.parse(text) as LogLine
    } catch {
      throw new AegisError('INPUT_INVALID', `line ${i + 1} of the log is not JSON`)
    }
    const { situation, action, target, candidates, reward } = line
    if (
      !Array.isArray(situation) ||
      situation.length !== model.features ||
      !Array.isArray(candidates) ||
      typeof reward !== 'number'
    )
      throw new AegisError(
        'INPUT_INVALID',
        `line ${i + 1} of the log needs situation (${model.features} numbers), action, candidates and reward`,
      )
    const chosen = candidates.findIndex(c => c.action === action && c.target === target)
    if (chosen < 0) throw new AegisError('INPUT_INVALID', `line ${i + 1} of the log: ${action} is not among its candidates`)
    // A page is about the first suspect; whatever else was weighed is the second.
    const first = candidates.find(c => c.action === 'page')?.target
    const at = model.actions.map(name => {
      const option = OPTIONS.find(o => o.name === name)
      return candidates.findIndex(c => c.action === option?.action && (c.target === first) === (option?.suspect === 0))
    })
    const best = loaded.consider(
      Float32Array.from(situation),
      at.map(c => c >= 0),
    )
    return {
      chosen,
      reward,
      logged: candidates.map(c => c.probability),
      candidate: candidates.map((_, c) => (at[best] === c ? 1 : 0)),
    }
  })
}

export interface Promotion {
  readonly estimate: OffPolicyEstimate
  readonly judgement: Judgement
  /** What is to be put on the models stream. */
  readonly publish: readonly ModelVersion[]
}
const presentOf = (versions: readonly ModelVersion[]): ModelVersion | undefined => versions.findLast(m => m.id === POLICY_MODEL)

const versionOf = (id: string, model: PpoModel, state: ModelState, time: number): ModelVersion => ({
  id,
  environment: '*',
  time,
  version: model.version,
  state,
  weights: packPolicy(model),
  metrics: { ...model.lineage.figures },
  lineage: {
    trained_on: model.lineage.trainedOn,
    command: model.lineage.command,
    seed: String(model.lineage.seed),
    steps: String(model.lineage.steps),
  },
})
const checked = (model: PpoModel): PpoModel => {
  if (model.encoding !== INCIDENT_ENCODING)
    throw new AegisError(
      'INPUT_INVALID',
      `${model.name} ${model.version} reads ${model.encoding}; a policy for incidents reads ${INCIDENT_ENCODING}: "aegis policy train --simulator incidents"`,
    )
  return model
}

/** The model speaks in the shadow of whoever decides. `time` in microseconds. */
export const inShadow = (model: PpoModel, time: number): ModelVersion =>
  versionOf(CANDIDATE_MODEL, checked(model), 'candidate', time)

/** Judges a model by the log; it takes over when its lower bound beats what was earned, else it stays or comes into the shadow. */
export function promote(versions: readonly ModelVersion[], model: PpoModel, lines: readonly string[], time: number): Promotion {
  const present = presentOf(versions)
  if (present?.version === checked(model).version)
    throw new AegisError('INPUT_INVALID', `${model.name} ${model.version} is in charge already`)
  if (lines.length === 0) throw new AegisError('INPUT_INVALID', 'the log holds no decisions')
  const estimate = estimateOffPolicy(logFor(model, lines))
  const judgement = judgeCandidate(estimate)
  if (judgement.verdict !== 'promote') return { estimate, judgement, publish: [inShadow(model, time)] }
  const taken = versionOf(POLICY_MODEL, model, 'active', time)
  const { value, low, high } = estimate.doublyRobust ?? estimate.snips
  return {
    estimate,
    judgement,
    publish: [
      {
        ...taken,
        metrics: { ...taken.metrics, estimate: value, estimate_low: low, estimate_high: high, decisions: estimate.decisions },
        lineage: {
          ...taken.lineage,
          took_over_from: present?.version ?? 'what AEGIS_POLICY says',
          reason: judgement.reasons.join('; '),
        },
      },
      { ...inShadow(model, time), state: 'retired', weights: null },
    ],
  }
}

/** The version before the present one, or the one asked for, to be put in charge again; before the first there is the rule table. */
export function rollback(versions: readonly ModelVersion[], reason: string, time: number, to?: string): ModelVersion {
  const present = presentOf(versions)
  if (!present || (to === undefined && present.version === RULES_VERSION))
    throw new AegisError(
      'INPUT_INVALID',
      present
        ? 'the rule table is in charge: there is nothing before it'
        : 'no policy was promoted yet; AEGIS_POLICY says who decides',
    )
  const floor: ModelVersion = { id: POLICY_MODEL, environment: '*', time, version: RULES_VERSION, state: 'held' }
  const found = moved(earlierVersion(versions, POLICY_MODEL, { to, floor }), 'held', time)
  return { ...found, lineage: { ...found.lineage, took_over_from: present.version, reason } }
}
