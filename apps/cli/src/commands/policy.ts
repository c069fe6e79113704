/** `aegis policy`: train policies on simulators, try them on held-out episodes, compare them, put them in charge and take them out. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AegisError } from '@aegis/domain'
import { LEARNED_PLAYER_DEFAULTS, LearnedPlayer, RAW_ENCODING } from '@aegis/lab/remediation/learned-player'
import { curveSvg, curveText } from '@aegis/lab/remediation/learning-curve'
import { play } from '@aegis/lab/remediation/play'
import { INCIDENT_ENCODING, modelPlayer, playIncidents, rulesPlayer } from '@aegis/lab/remediation/play-incidents'
import { SIMULATORS, type Trained, trainPolicy, validate } from '@aegis/lab/remediation/train-policy'
import { LoadedModel, type PpoModel } from '@aegis/remediation/ppo-model'
import { shippedIncidentModel, shippedModel } from '@aegis/remediation/shipped-model'
import { Command } from 'commander'
import { inShadow, promote, rollback } from '../policy/succession.ts'
import { Progress } from '../progress.ts'
import { withModels as withVersions } from './models.ts'

const count = (name: string) => (text: string) => {
  const n = Number(text)
  if (!Number.isSafeInteger(n) || n < 0) throw new AegisError('INPUT_INVALID', `${name} must be a whole number, not ${text}`)
  return n
}
const nowUs = (): number => Date.now() * 1000
const fixed = (x: number, digits = 3): string => x.toFixed(digits)

async function readModel(path: string): Promise<PpoModel> {
  if (path === 'shipped') return shippedModel()
  if (path === 'shipped-incidents') return shippedIncidentModel()
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) throw new AegisError('INPUT_INVALID', `no model can be read at ${path}`)
  try {
    const model = JSON.parse(text) as PpoModel
    new LoadedModel(model)
    return model
  } catch (cause) {
    throw new AegisError('INPUT_INVALID', `${path} is no model that "aegis policy train" wrote: ${(cause as Error).message}`, {
      cause,
    })
  }
}

interface TrainFlags {
  readonly simulator: string
  readonly steps: number
  readonly seed: number
  readonly seeds: number
  readonly raw?: boolean
  readonly resume?: string
  readonly patience: number
  readonly out: string
}
async function train(flags: TrainFlags): Promise<void> {
  const simulator = SIMULATORS.find(name => name === flags.simulator)
  if (!simulator) throw new AegisError('INPUT_INVALID', `--simulator is one of ${SIMULATORS.join(', ')}, not ${flags.simulator}`)
  const all: Trained[] = []
  for (let seed = flags.seed; seed < flags.seed + flags.seeds; seed++) {
    const bar = new Progress(`seed ${seed}`, flags.steps)
    let done = 0
    const trained = await trainPolicy({
      ...flags,
      simulator,
      raw: flags.raw ?? false,
      seed,
      progress: steps => {
        bar.add(steps - done)
        done = steps
      },
    })
    bar.end()
    all.push(trained)
    console.log(curveText({ name: `seed ${seed}: mean return of the last episodes`, points: trained.curve }))
    console.log(`${row(trained)}\n`)
  }
  await mkdir(flags.out, { recursive: true })
  const curves = all.map(t => ({ name: `seed ${t.seed}`, points: t.curve }))
  await writeFile(join(flags.out, 'curve.svg'), curveSvg(`PPO on ${flags.simulator}`, curves, 'mean return of the last episodes'))
  const names = Object.keys(all[0].model.lineage.figures)
  const report = [
    `# PPO on ${flags.simulator}`,
    '',
    `Trained by \`${all[0].model.lineage.command}\`${all.length > 1 ? ` and the ${all.length - 1} seeds after it` : ''}${simulator === 'cartpole' ? '' : '; figures are of validation seeds'}.`,
    '',
    '![learning curve](curve.svg)',
    '',
    `| seed | steps | steps a CPU-second | ${names.join(' | ')} |`,
    `| ${Array(names.length + 3)
      .fill('---')
      .join(' | ')} |`,
    ...all.map(
      t =>
        `| ${t.seed} | ${t.steps} | ${Math.round(t.stepsPerCpuSecond)} | ${names.map(n => fixed(t.model.lineage.figures[n])).join(' | ')} |`,
    ),
    '',
  ].join('\n')
  await writeFile(join(flags.out, 'report.md'), report)
  console.log(`models, learning curve and report are in ${flags.out}`)
}
const row = (t: Trained): string =>
  `seed ${t.seed}: ${t.steps} steps, ${Math.round(t.stepsPerCpuSecond)} a CPU-second${t.solved ? ', solved' : ''}${t.stoppedEarly ? ', stopped early' : ''}; ${Object.entries(
    t.model.lineage.figures,
  )
    .map(([k, v]) => `${k} ${fixed(v)}`)
    .join(', ')}`

interface JudgeFlags {
  readonly seedBase: number
  readonly episodes: number
  readonly caution: number
}
async function evaluate(path: string, flags: JudgeFlags): Promise<void> {
  const model = await readModel(path)
  if (model.encoding === INCIDENT_ENCODING) {
    const rows = { [model.name]: modelPlayer(model), rules: rulesPlayer() }
    for (const [name, player] of Object.entries(rows)) {
      console.log(name)
      for (const [k, v] of Object.entries(playIncidents(player, flags.seedBase, flags.episodes)))
        console.log(`  ${k.padEnd(20)}${fixed(v).padStart(9)}`)
    }
    return
  }
  const figures = validate(model, model.encoding === RAW_ENCODING, flags.seedBase, flags.episodes, flags.caution)
  console.log(`${model.name} ${model.version}, trained on ${model.lineage.trainedOn}`)
  for (const [name, value] of Object.entries(figures)) console.log(`  ${name.padEnd(16)}${fixed(value).padStart(9)}`)
}

/** Both play the same episodes, so the difference is taken episode by episode. */
async function compare(first: string, second: string, flags: JudgeFlags): Promise<void> {
  const models = await Promise.all([first, second].map(readModel))
  const [one, other] = models.map(m => (m.encoding === INCIDENT_ENCODING ? 'incidents' : 'remsim'))
  if (one !== other)
    throw new AegisError('INPUT_INVALID', `${first} plays ${one} and ${second} plays ${other}: they meet no common episodes`)
  const played = models.map(m => {
    if (one === 'incidents') {
      const returns: number[] = []
      const figures = playIncidents(modelPlayer(m), flags.seedBase, flags.episodes, earned => returns.push(earned))
      return { return: figures.return, unsafePer100: figures.unsafe_per_100, pagedShare: figures.paged_share, returns }
    }
    const player = new LearnedPlayer(new LoadedModel(m), { raw: m.encoding === RAW_ENCODING, caution: flags.caution })
    return play(player, flags.seedBase, flags.episodes)
  })
  const differences = Array.from(played[1].returns, (value, i) => value - played[0].returns[i])
  const mean = differences.reduce((a, b) => a + b, 0) / differences.length
  const spread = Math.sqrt(differences.reduce((s, d) => s + (d - mean) ** 2, 0) / Math.max(1, differences.length - 1))
  const half = (1.96 * spread) / Math.sqrt(differences.length)
  played.forEach((p, i) => {
    console.log(
      `${[first, second][i]}: return ${fixed(p.return)}, unsafe acts per 100 ${fixed(p.unsafePer100, 1)}, paged ${fixed(p.pagedShare)}`,
    )
  })
  const verdict = mean - half > 0 ? 'the second is better' : mean + half < 0 ? 'the first is better' : 'no difference is shown'
  console.log(`second minus first: ${fixed(mean)} (95 %: ${fixed(mean - half)} to ${fixed(mean + half)}): ${verdict}`)
}

export const policyCommand = (): Command => {
  const command = new Command('policy').addHelpText(
    'after',
    '\nA model is a file written by `train`, or the word "shipped" or "shipped-incidents". Who decides is kept on the models stream: "aegis models list remediation-policy". Training seeds lie below 900,000, validation from 950,000, test from 1,000,000.',
  )
  command
    .command('train')
    .description('train PPO on a simulator; writes models, a resumable state, a learning curve and a report')
    .requiredOption('--out <folder>', 'where they go')
    .option('--simulator <name>', SIMULATORS.join(', '), 'remsim')
    .option('--steps <n>', 'steps to train', count('--steps'), 300_000)
    .option('--seed <n>', 'first training seed', count('--seed'), 0)
    .option('--seeds <n>', 'how many seeds, one after another', count('--seeds'), 1)
    .option('--raw', 'without the belief: the policy sees only the present minute')
    .option('--resume <file>', 'a training-<seed>.json to go on from; --steps counts from its beginning')
    .option('--patience <n>', 'stop after this many validations without gain; 0 never', count('--patience'), 0)
    .action(train)
  const judged = (name: string, args: string, about: string) =>
    command
      .command(`${name} ${args}`)
      .description(about)
      .option('--seed-base <n>', 'first seed', count('--seed-base'), 1_000_000)
      .option('--episodes <n>', 'episodes', count('--episodes'), 1000)
      .option('--caution <x>', 'what an unsafe act is said to cost', count('--caution'), LEARNED_PLAYER_DEFAULTS.caution)
  judged('evaluate', '<model>', 'return, score, unsafe acts and pages of a model on held-out episodes').action(evaluate)
  judged('compare', '<first> <second>', 'two models on the same episodes, with an interval of the difference').action(compare)
  command
    .command('log')
    .description('decisions and the rewards their outcomes brought, from the topics, as `promote --log` reads them')
    .requiredOption('--out <file>', 'JSON lines')
    .option('--environment <name>', 'only this one')
    .action(async ({ out, environment }: { readonly out: string; readonly environment?: string }) => {
      const { connectClient } = await import('@aegis/stack/pipeline/client')
      const { loggedChoices, readDecisions } = await import('../policy/decision-log.ts')
      const client = await connectClient()
      const { made, ended } = await readDecisions(client, environment).finally(() => client.close())
      const log = loggedChoices(made, ended)
      await writeFile(out, log.map(line => `${JSON.stringify(line)}\n`).join(''))
      console.log(`${log.length} decisions with their rewards are in ${out}`)
    })
  command
    .command('explain <decision>')
    .description(
      'why a policy chose: values of all it weighed, features that moved it, the runner-up; an id, its beginning, or "last"',
    )
    .action(async (id: string) => {
      const { connectClient } = await import('@aegis/stack/pipeline/client')
      const { decisionNamed, policyAsRecorded } = await import('./replay-decision.ts')
      const { explainDecision } = await import('../policy/explain-decision.ts')
      const client = await connectClient()
      try {
        const { value } = await decisionNamed(client, id)
        for (const line of explainDecision(value, await policyAsRecorded(client, value))) console.log(line)
      } finally {
        await client.close()
      }
    })
  command
    .command('shadow <model>')
    .description('a candidate decides beside the policy in charge; what it would have done is written down, and nothing is done')
    .option('--end', 'the candidate in shadow leaves', false)
    .action(async (path: string, { end }: { readonly end: boolean }) => {
      const said = inShadow(await readModel(path), nowUs())
      await withVersions(async (_, publish) => publish(end ? { ...said, state: 'retired', weights: null } : said))
      console.log(`${said.version} ${end ? 'leaves the shadow' : 'runs in shadow'} from the next tick on`)
    })
  command
    .command('promote <model>')
    .description(
      'judge a candidate by logged decisions; it takes over if its lower bound beats the present policy, else it runs in shadow',
    )
    .requiredOption('--log <file>', 'decisions with their rewards, as "aegis policy log" writes them')
    .action(async (path: string, flags: { readonly log: string }) => {
      const model = await readModel(path)
      const text = await readFile(flags.log, 'utf8').catch(() => undefined)
      if (text === undefined) throw new AegisError('INPUT_INVALID', `no log can be read at ${flags.log}`)
      const lines = text.split('\n').filter(line => line.trim() !== '')
      const { estimate, judgement } = await withVersions(async (versions, publish) => {
        const promotion = promote(versions, model, lines, nowUs())
        for (const version of promotion.publish) await publish(version)
        return promotion
      })
      const { value, low, high } = estimate.doublyRobust ?? estimate.snips
      console.log(`estimate ${fixed(value)} (95 %: ${fixed(low)} to ${fixed(high)}), at present ${fixed(estimate.present.value)}`)
      console.log(`worth ${fixed(estimate.effectiveSampleSize, 0)} decisions, coverage ${fixed(estimate.coverage)}`)
      console.log(`${judgement.verdict}: ${judgement.reasons.join('; ')}`)
      console.log(
        judgement.verdict === 'promote'
          ? `${model.name} ${model.version} decides from the next tick on; "aegis policy rollback" takes it back`
          : `${model.name} ${model.version} runs in shadow from the next tick on`,
      )
    })
  command
    .command('rollback')
    .description('the policy before the present one decides again from the next tick on')
    .option('--to <version>', 'this version, or "rules" for the rule table')
    .option('--reason <text>', 'why', 'by hand')
    .action(async ({ to, reason }: { readonly to?: string; readonly reason: string }) => {
      const back = await withVersions(async (versions, publish) => {
        const version = rollback(versions, reason, nowUs(), to)
        await publish(version)
        return version
      })
      console.log(`${back.version} decides from the next tick on, in place of ${back.lineage?.took_over_from}`)
    })
  return command
}
