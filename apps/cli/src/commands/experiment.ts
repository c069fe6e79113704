import { AegisError, type Control, type Decision, type Outcome } from '@aegis/domain'
import {
  completeExperiment,
  createExperiment,
  type Experiment,
  experimentResults,
  pauseExperiment,
  recordOutcome,
  resumeExperiment,
} from '@aegis/remediation'
import { Command } from 'commander'
import { endings, readDecisions } from '../policy/decision-log.ts'
import { ask } from './incidents.ts'

const path = (environment: string) => `/api/v1/controls/${encodeURIComponent(environment)}`
const running = async (environment: string): Promise<Experiment | undefined> => {
  const control = await ask<Partial<Control>>(path(environment))
  return control.experiment ? ((JSON.parse(control.experiment) as Experiment | null) ?? undefined) : undefined
}
const put = (environment: string, { name, state, arms }: Experiment) =>
  ask(path(environment), {
    method: 'PUT',
    body: JSON.stringify({ experiment: { name, state, arms } }),
  })

export const experimentCommand = (): Command => {
  const command = new Command('experiment').addHelpText(
    'after',
    '\nEach incident falls to an arm by a hash of its id, so nothing is kept but the experiment itself, on the controls stream; results are counted from the topics.\nThe gateway is found by AEGIS_GATEWAY_URL, the broker by KAFKA_BROKERS.',
  )
  const inEnvironment = (c: Command) => c.option('--environment <name>', 'where it runs', 'default')
  inEnvironment(command.command('create'))
    .argument('<name>')
    .description('let two or more policies share the incidents')
    .requiredOption('--arm <name=policy:share...>', 'such as a=rules:50 b=learned:50; shares in percent')
    .action(async (name: string, { arm, environment }: { arm: string[]; environment: string }) => {
      const created = createExperiment(name, arm.map(armOf))
      const now = await running(environment)
      if (now && now.state !== 'completed')
        throw new AegisError('INPUT_INVALID', `experiment ${now.name} is ${now.state} in ${environment}: complete it first`)
      await put(environment, created)
      console.log(`experiment ${name} runs in ${environment}`)
    })
  const moved = (verb: string, about: string, move: (e: Experiment) => Experiment) =>
    inEnvironment(command.command(verb))
      .description(about)
      .action(async ({ environment }: { environment: string }) => {
        const now = await running(environment)
        if (!now) throw new AegisError('INPUT_INVALID', `there is no experiment in ${environment}`)
        const next = move(now)
        await put(environment, next)
        console.log(`experiment ${next.name} is ${next.state}`)
      })
  moved('pause', 'the policy in charge decides alone, for now', pauseExperiment)
  moved('resume', 'go on', resumeExperiment)
  moved('complete', 'end it; results stay', completeExperiment)
  inEnvironment(command.command('results'))
    .argument('[name]', 'the present one unless told')
    .description('success of each arm, with intervals, and what may be concluded however often you look')
    .action(results)
  return command
}

export const armOf = (text: string) => {
  const m = /^([^=]+)=(rules|learned):(\d+(?:\.\d+)?)$/.exec(text)
  if (!m) throw new AegisError('INPUT_INVALID', `--arm ${text}: write name=policy:share, with policy rules or learned`)
  return { name: m[1], policy: m[2], share: Number(m[3]) }
}

/** First decisions of the experiment's incidents with how they ended: health back by the first action is success. */
export function countOutcomes(experiment: Experiment, made: readonly Decision[], ended: readonly Outcome[]): Experiment {
  const arms = new Map<string, string>()
  for (const d of made)
    for (const reason of d.attempt === 0 && d.status === 'decided' ? d.reasons : [])
      for (const { name } of experiment.arms)
        if (reason === `experiment ${experiment.name}: arm ${name}`) arms.set(d.decision, name)
  let counted = experiment
  for (const [decision, status] of endings(ended)) {
    const arm = arms.get(decision)
    if (arm) counted = recordOutcome(counted, arm, status === 'done')
  }
  return counted
}

async function results(name: string | undefined, { environment }: { environment: string }): Promise<void> {
  const now = await running(environment)
  if (!now || (name && name !== now.name))
    throw new AegisError(
      'INPUT_INVALID',
      `there is no experiment ${name ?? ''} in ${environment}; the last one is ${now?.name ?? 'none'}`,
    )
  const { connectClient } = await import('@aegis/stack/pipeline/client')
  const client = await connectClient()
  const { made, ended } = await readDecisions(client, environment).finally(() => client.close())
  const empty = { ...now, counts: now.arms.map(() => ({ outcomes: 0, successes: 0 })) }
  console.log(`experiment ${now.name} in ${environment}, ${now.state}`)
  console.log('arm             policy    share  outcomes  healed by the first action   verdict')
  for (const [i, r] of experimentResults(countOutcomes(empty, made, ended)).entries()) {
    const { policy, share } = now.arms[i]
    const percent = (x: number) => `${(100 * x).toFixed(0)} %`
    const rate = r.outcomes === 0 ? '–' : `${percent(r.rate)} (95 %: ${percent(r.low)} to ${percent(r.high)})`
    const verdict = r.pValue === undefined ? r.verdict : `${r.verdict}, p ${r.pValue.toFixed(3)}`
    console.log(
      `${r.arm.padEnd(15)} ${policy.padEnd(9)} ${`${share} %`.padStart(5)}  ${String(r.outcomes).padStart(8)}  ${rate.padEnd(27)}  ${verdict}`,
    )
  }
}
