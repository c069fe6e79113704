/**
 * The simple learners beside rule table and shipped PPO on simulated incidents: the epsilon-greedy policy gradient and the contextual bandit learn
 * online from so many incidents, acting on the first suspect, then all play the same held-out ones without exploring.
 *
 * `node lab/bench/remediation-learners.ts [--incidents 3000] [--episodes 1000] [--seed-base 1000000]`; ten seconds of CPU time.
 */
import { ACTIONS, type Policy, seededRandom } from '@aegis/domain'
import { shippedIncidentModel } from '@aegis/remediation/shipped-model'
import { ContextualBandit } from '../remediation/contextual-bandit.ts'
import { IncidentSim } from '../remediation/incident-sim.ts'
import type { Experience, Learner } from '../remediation/learner.ts'
import { type IncidentPlayer, modelPlayer, playIncidents, rulesPlayer, situationOf } from '../remediation/play-incidents.ts'
import { EpsilonGreedyPolicyGradient } from '../remediation/policy-gradient.ts'

const number = (name: string, otherwise: number): number =>
  process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : otherwise
const [incidents, episodes, seedBase] = [
  number('--incidents', 3000),
  number('--episodes', 1000),
  number('--seed-base', 1_000_000),
]
const ACTION_NAMES = Object.keys(ACTIONS)
const BATCH = 20
const REWARD_SCALE = 0.1

/** What may be done to the first suspect: these learners know actions, not targets. */
const firstSuspect = (sim: IncidentSim) => {
  const situation = situationOf(sim)
  return { ...situation, options: situation.options.slice(0, ACTION_NAMES.length) }
}

async function taught(learner: Policy & Learner): Promise<IncidentPlayer> {
  const random = seededRandom(1)
  const sim = new IncidentSim()
  let experiences: Experience[] = []
  for (let seed = 0; seed < incidents; seed++) {
    sim.reset(seed)
    while (!sim.done) {
      const situation = firstSuspect(sim)
      const choice = learner.choose(situation, random)
      const reward = REWARD_SCALE * sim.step(situation.options.findIndex(o => o.action === choice.action))
      experiences.push({ situation, choice, reward, done: sim.done })
    }
    if (seed % BATCH !== BATCH - 1) continue
    await learner.update(experiences)
    experiences = []
  }
  return playing => {
    const situation = firstSuspect(playing)
    const { candidates } = learner.choose(situation, random)
    const best = candidates.reduce((a, b) => (b.probability > a.probability ? b : a))
    return situation.options.findIndex(o => o.action === best.action)
  }
}

const features = 128
const players: Readonly<Record<string, () => IncidentPlayer | Promise<IncidentPlayer>>> = {
  'rule table': rulesPlayer,
  'epsilon-greedy policy gradient': () => taught(new EpsilonGreedyPolicyGradient(features, ACTION_NAMES, { seed: 1 })),
  'contextual bandit': () => taught(new ContextualBandit(features)),
  'PPO as shipped': () => modelPlayer(shippedIncidentModel()),
}
console.log(`${episodes} incidents from seed ${seedBase}; the simple learners learned from ${incidents}`)
console.log('policy                           return  healed  first  disruptive/100  unsafe/100  paged')
for (const [name, create] of Object.entries(players)) {
  const f = playIncidents(await create(), seedBase, episodes)
  console.log(
    `${name.padEnd(31)} ${f.return.toFixed(2).padStart(7)} ${f.healed_share.toFixed(3).padStart(7)} ${f.healed_first.toFixed(3).padStart(6)} ${f.disruptive_per_100.toFixed(1).padStart(15)} ${f.unsafe_per_100.toFixed(1).padStart(11)} ${f.paged_share.toFixed(3).padStart(6)}`,
  )
}
