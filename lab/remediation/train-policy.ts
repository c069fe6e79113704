/** Trains PPO on a simulator with one seed, tries it on validation seeds, and writes what is needed to use it, judge it and go on. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AegisError, idOf } from '@aegis/domain'
import { OPTIONS } from '@aegis/remediation/options'
import { Ppo, type PpoCheckpoint, type PpoOptions } from '@aegis/remediation/ppo'
import {
  LoadedModel,
  modelOf,
  type PpoModel,
  resumeTraining,
  type SavedTraining,
  saveTraining,
} from '@aegis/remediation/ppo-model'
import { CartPole } from './cart-pole.ts'
import { OraclePolicy } from './full-information.ts'
import { IncidentSim } from './incident-sim.ts'
import { BELIEF_ENCODING, LEARNED_PLAYER_DEFAULTS, LearnedPlayer, RAW_ENCODING } from './learned-player.ts'
import type { CurvePoint } from './learning-curve.ts'
import { play, scoreOf } from './play.ts'
import { INCIDENT_ENCODING, modelPlayer, playIncidents } from './play-incidents.ts'
import { RemediationEnvironment } from './remediation-environment.ts'
import { SIM_ACTIONS } from './remsim.ts'
import { RandomPlayer } from './runbook.ts'

/** Neither training's (below 900,000) nor the test's (from 1,000,000). */
export const VALIDATION_SEEDS = 950_000
const VALIDATION_EPISODES = 1000
/** Prices of an unsafe act that training draws from, per episode. */
export const CAUTIONS = [0, 3, 10, 30]

/** Noisy features and no memory: more exploration, or some seeds settle for paging; rare features are clipped sooner. */
const RAW_OPTIONS: Partial<PpoOptions> = { observationClip: 3, entropy: 0.03, entropyEnd: 0.005 }

const ABOUT = {
  remsim: {
    name: 'remsim-ppo',
    encoding: BELIEF_ENCODING,
    actions: SIM_ACTIONS,
    trainedOn: 'RemSim-128/20, seeds below 900,000',
  },
  raw: { name: 'remsim-ppo-raw', encoding: RAW_ENCODING, actions: SIM_ACTIONS, trainedOn: 'RemSim-128/20, seeds below 900,000' },
  incidents: {
    name: 'incident-ppo',
    encoding: INCIDENT_ENCODING,
    actions: OPTIONS.map(o => o.name),
    trainedOn: 'simulated incidents, half of them of the demo shop, seeds below 900,000',
  },
  cartpole: { name: 'cartpole-ppo', encoding: 'cartpole', actions: ['left', 'right'], trainedOn: 'CartPole-v1' },
} as const

/** CartPole is small: shorter horizons and a smaller network learn it sooner. */
export const CART_POLE_OPTIONS: Partial<PpoOptions> = {
  hidden: 64,
  environments: 8,
  rollout: 64,
  minibatch: 128,
  epochs: 8,
  rate: 1e-3,
  discount: 0.98,
  lambda: 0.9,
  entropy: 0,
  entropyEnd: 0,
  valueWeight: 0.5,
  goal: 475,
}

export const SIMULATORS = ['remsim', 'incidents', 'cartpole'] as const
export type Simulator = (typeof SIMULATORS)[number]

export interface TrainOptions {
  readonly simulator: Simulator
  readonly seed: number
  readonly steps: number
  /** The policy sees the simulator's features as they are, without the belief. */
  readonly raw: boolean
  readonly out: string
  /** A `training.json` to go on from. */
  readonly resume?: string
  /** Validate this often, in updates, and stop when this many validations in a row were no better; 0: never. */
  readonly patience: number
  readonly progress: (steps: number) => void
}
export interface Trained {
  readonly seed: number
  readonly model: PpoModel
  readonly curve: readonly CurvePoint[]
  readonly stepsPerCpuSecond: number
  readonly cpuSeconds: number
  readonly steps: number
  readonly solved: boolean
  readonly stoppedEarly: boolean
}

export async function trainPolicy(options: TrainOptions): Promise<Trained> {
  const { simulator, seed, steps, raw, out, progress, patience } = options
  const cart = simulator === 'cartpole'
  const remsim = simulator === 'remsim'
  let from: PpoCheckpoint | undefined
  if (options.resume !== undefined) {
    const text = await readFile(options.resume, 'utf8').catch(() => undefined)
    if (text === undefined) throw new AegisError('INPUT_INVALID', `--resume ${options.resume} cannot be read`)
    from = resumeTraining(JSON.parse(text) as SavedTraining)
  }
  const create = () =>
    cart
      ? new CartPole()
      : remsim
        ? new RemediationEnvironment({ cautions: raw ? [0] : CAUTIONS, belief: !raw })
        : new IncidentSim()
  const ppo = new Ppo(create, { seed, ...(from ? {} : cart ? CART_POLE_OPTIONS : raw && remsim ? RAW_OPTIONS : {}) }, from)
  const model = (figures: Readonly<Record<string, number>>): PpoModel => {
    const made = modelOf(ppo.checkpoint(), {
      ...ABOUT[raw && remsim ? 'raw' : simulator],
      version: '',
      lineage: {
        trainedOn: ABOUT[simulator].trainedOn,
        command: `aegis policy train${remsim ? '' : ` --simulator ${simulator}`}${raw ? ' --raw' : ''} --seed ${seed} --steps ${steps}`,
        seed,
        steps: ppo.steps,
        figures,
      },
    })
    // Two trainings of one seed may differ in all else: the weights are part of the version.
    return { ...made, version: `${seed}.${ppo.steps}-${idOf(made.weights).slice(0, 8)}` }
  }
  const curve: CurvePoint[] = []
  const began = process.cpuUsage()
  let validating = 0
  let [best, since, updates] = [-Infinity, 0, 0]
  let [solved, stoppedEarly] = [false, false]
  for (const at of ppo.train(steps)) {
    curve.push({ steps: at.steps, value: at.meanReturn })
    progress(at.steps)
    solved = at.solved
    if (patience > 0 && remsim && ++updates % 10 === 0) {
      const paused = process.cpuUsage()
      const value = play(new LearnedPlayer(new LoadedModel(model({})), { raw }), VALIDATION_SEEDS, 300).return
      const spent = process.cpuUsage(paused)
      validating += spent.user + spent.system
      since = value > best + 0.05 ? 0 : since + 1
      best = Math.max(best, value)
      if (since >= patience) {
        stoppedEarly = true
        break
      }
    }
  }
  const used = process.cpuUsage(began)
  const cpuSeconds = (used.user + used.system - validating) / 1e6
  const made = ppo.steps - (from?.steps ?? 0)
  const figures = cart
    ? { meanReturn: curve.at(-1)?.value ?? 0 }
    : remsim
      ? validate(model({}), raw)
      : playIncidents(modelPlayer(model({})), VALIDATION_SEEDS, VALIDATION_EPISODES)
  const trained = model(figures)
  await mkdir(out, { recursive: true })
  await writeFile(join(out, `model-${seed}.json`), `${JSON.stringify(trained, null, 2)}\n`)
  await writeFile(join(out, `training-${seed}.json`), `${JSON.stringify(saveTraining(ppo.checkpoint(), trained))}\n`)
  return {
    seed,
    model: trained,
    curve,
    cpuSeconds,
    stepsPerCpuSecond: made / cpuSeconds,
    steps: ppo.steps,
    solved,
    stoppedEarly,
  }
}

/** Figures of a model on validation seeds. */
export function validate(
  model: PpoModel,
  raw: boolean,
  seedBase = VALIDATION_SEEDS,
  episodes = VALIDATION_EPISODES,
  caution = LEARNED_PLAYER_DEFAULTS.caution,
): Readonly<Record<'return' | 'score' | 'unsafe_per_100' | 'paged_share', number>> {
  const p = play(new LearnedPlayer(new LoadedModel(model), { raw, caution }), seedBase, episodes)
  const [random, oracle] = [new RandomPlayer(), new OraclePolicy()].map(player => play(player, seedBase, episodes).return)
  return {
    return: p.return,
    score: scoreOf(p.return, random, oracle),
    unsafe_per_100: p.unsafePer100,
    paged_share: p.pagedShare,
  }
}
