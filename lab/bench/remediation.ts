/**
 * The remediation learner on one core: training steps a CPU-second with the simulator in, the update alone, microseconds a choice, steps to
 * balance a pole, and the guard against its judge.
 *
 * The peer is SB3's MaskablePPO on the reference simulator (`maskable-ppo.py`). With `--python P` (an interpreter that has numpy, torch, gymnasium
 * and sb3-contrib) and `--reference F` (the simulator's Python file) it is measured in the same run, before ours and after it, and the faster of
 * the two counts; without them the figure recorded on an earlier machine is shown and marked as such. `--guard N` sets how many situations the
 * guard is asked about. Last accepted figures: remediation.json.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { seededRandom } from '@aegis/domain'
import { guard } from '@aegis/remediation/guard'
import { guardCase, judge, RULES } from '@aegis/remediation/guard.cases'
import { Ppo } from '@aegis/remediation/ppo'
import { LoadedModel } from '@aegis/remediation/ppo-model'
import { shippedModel } from '@aegis/remediation/shipped-model'
import { CartPole } from '../remediation/cart-pole.ts'
import { LearnedPlayer } from '../remediation/learned-player.ts'
import { RemediationEnvironment } from '../remediation/remediation-environment.ts'
import { RemSim } from '../remediation/remsim.ts'
import { CART_POLE_OPTIONS, CAUTIONS } from '../remediation/train-policy.ts'

/** Steps a CPU-second of the peer, and microseconds of its choice, as recorded with the reference simulator. */
const RECORDED_PEER = { stepsPerCpuSecond: 3100, choiceMicroseconds: { p50: 137 } }
/** Steps that the peer trains for, each time. */
const PEER_STEPS = 16_384

const cpu = (work: () => void): number => {
  const from = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1e6
}
const drain = (steps: Iterable<unknown>): void => {
  for (const _ of steps);
}

function trainingSpeed(belief: boolean): number {
  const ppo = new Ppo(() => new RemediationEnvironment({ cautions: belief ? CAUTIONS : [0], belief }), { seed: 1 })
  drain(ppo.train(10_240))
  const before = ppo.steps
  const seconds = cpu(() => drain(ppo.train(before + 51_200)))
  return (ppo.steps - before) / seconds
}

/** Samples a CPU-second of the update: what training costs beyond the same training without any epoch. */
function updateSpeed(): number {
  const steps = 40_960
  const training = (epochs?: number) => {
    const ppo = new Ppo(() => new RemediationEnvironment({ cautions: CAUTIONS, belief: true }), {
      seed: 1,
      ...(epochs === 0 && { epochs }),
    })
    drain(ppo.train(10_240))
    const before = ppo.steps
    const seconds = cpu(() => drain(ppo.train(before + steps)))
    return { seconds, samples: (ppo.steps - before) * ppo.options.epochs }
  }
  const whole = training()
  return whole.samples / (whole.seconds - training(0).seconds)
}

function choiceTimes(): { p50: number; p99: number } {
  const player = new LearnedPlayer(new LoadedModel(shippedModel()))
  const sim = new RemSim()
  const times: number[] = []
  for (let seed = 900_000; times.length < 12_000; seed++) {
    sim.reset(seed)
    player.reset()
    while (!sim.done) {
      sim.observe(player.seen)
      for (let a = 0; a < player.allowed.length; a++) player.allowed[a] = sim.allowed(a) ? 1 : 0
      const from = process.hrtime.bigint()
      const action = player.choose()
      times.push(Number(process.hrtime.bigint() - from) / 1000)
      sim.step(action)
    }
  }
  const warm = times.slice(2000).sort((a, b) => a - b)
  return { p50: warm[warm.length >> 1], p99: warm[Math.floor(warm.length * 0.99)] }
}

function poles(): { solved: number; steps: number[]; cpuSeconds: number[] } {
  const steps: number[] = []
  const cpuSeconds: number[] = []
  let solved = 0
  for (let seed = 0; seed < 5; seed++) {
    const ppo = new Ppo(() => new CartPole(), { ...CART_POLE_OPTIONS, seed })
    cpuSeconds.push(
      cpu(() => {
        for (const at of ppo.train(100_000)) if (at.solved) solved++
      }),
    )
    steps.push(ppo.steps)
  }
  return { solved, steps, cpuSeconds }
}

function guardAgainstJudge(cases: number): { cases: number; disagreements: number; rarestSide: number; rarest: string } {
  const random = seededRandom(2024)
  const names = Object.keys(RULES)
  const held = new Float64Array(names.length)
  let disagreements = 0
  for (let i = 0; i < cases; i++) {
    const c = guardCase(random)
    if (guard(c.choice, c.facts, c.now).mode !== judge(c)) disagreements++
    names.forEach((name, r) => {
      if (RULES[name](c) !== 'act') held[r]++
    })
  }
  const sides = names.map((name, r) => ({ name, share: Math.min(held[r], cases - held[r]) / cases }))
  const rarest = sides.reduce((a, b) => (b.share < a.share ? b : a))
  return { cases, disagreements, rarestSide: rarest.share, rarest: rarest.name }
}

interface Peer {
  readonly stepsPerCpuSecond: number
  readonly updateSamplesPerCpuSecond?: number
  readonly choiceMicroseconds: { readonly p50: number; readonly p99?: number }
  readonly versions?: Readonly<Record<string, string>>
}
/** Undefined without an interpreter and the simulator's file. */
function peer(args: readonly string[]): Peer | undefined {
  const [python, reference] = ['--python', '--reference'].map(argument(args))
  if (!python || !reference) return undefined
  const script = new URL('./maskable-ppo.py', import.meta.url).pathname
  const text = execFileSync(python, [script, reference, String(PEER_STEPS)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return JSON.parse(text.trim().split('\n').at(-1) as string)
}
const argument =
  (args: readonly string[]) =>
  (name: string): string | undefined =>
    args.includes(name) ? args[args.indexOf(name) + 1] : undefined

export async function run(args: readonly string[] = []) {
  const before = peer(args)
  const training = trainingSpeed(true)
  const withoutBelief = trainingSpeed(false)
  const update = updateSpeed()
  const choice = choiceTimes()
  const after = before && peer(args)
  const measured = before && after && (before.stepsPerCpuSecond > after.stepsPerCpuSecond ? before : after)
  const other: Peer = measured ?? RECORDED_PEER
  const figures = {
    peer: other,
    peerMeasuredInThisRun: measured !== undefined,
    peerBothTimes: [before, after].flatMap(p => p?.stepsPerCpuSecond ?? []),
    trainingStepsPerCpuSecond: Math.round(training),
    timesThePeer: training / other.stepsPerCpuSecond,
    withoutBeliefStepsPerCpuSecond: Math.round(withoutBelief),
    updateSamplesPerCpuSecond: Math.round(update),
    ...(other.updateSamplesPerCpuSecond !== undefined && { updateTimesThePeer: update / other.updateSamplesPerCpuSecond }),
    choiceMicroseconds: choice,
    cartPole: poles(),
    guard: guardAgainstJudge(Number(argument(args)('--guard') ?? 1_000_000)),
  }
  const where = measured ? `measured in this run, ${figures.peerBothTimes.join(' and ')}` : 'recorded earlier on another machine'
  console.log(
    `training with simulator   ${figures.trainingStepsPerCpuSecond} steps a CPU-second, ${figures.timesThePeer.toFixed(2)} times the peer's`,
  )
  console.log(`  peer                    ${other.stepsPerCpuSecond} (${where})`)
  console.log(`  without the belief      ${figures.withoutBeliefStepsPerCpuSecond}`)
  console.log(
    `update alone              ${figures.updateSamplesPerCpuSecond} samples a CPU-second${
      figures.updateTimesThePeer === undefined
        ? ''
        : `, ${figures.updateTimesThePeer.toFixed(2)} times the peer's ${other.updateSamplesPerCpuSecond} (two networks there, two shared layers here)`
    }`,
  )
  console.log(
    `choice                    p50 ${choice.p50.toFixed(1)} µs, p99 ${choice.p99.toFixed(1)} µs; the peer's p50 ${other.choiceMicroseconds.p50.toFixed(1)} µs`,
  )
  console.log(
    `CartPole-v1               ${figures.cartPole.solved} of 5 seeds, steps ${figures.cartPole.steps.join(', ')}, CPU-seconds ${figures.cartPole.cpuSeconds.map(s => s.toFixed(2)).join(', ')}`,
  )
  const g = figures.guard
  console.log(
    `guard                     ${g.disagreements} disagreements in ${g.cases} situations; rarest side ${(100 * g.rarestSide).toFixed(2)} % (${g.rarest})`,
  )
  if (args.includes('--accept'))
    writeFileSync(new URL('./remediation.json', import.meta.url), `${JSON.stringify(figures, null, 2)}\n`)
  return figures
}

if (import.meta.main) await run(process.argv.slice(2))
