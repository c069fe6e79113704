/**
 * `aegis eval remediation`: every policy on held-out episodes of the reference simulator, with what it did in each, to be replayed by anyone.
 *
 * Writes `remediation.json` (`policies.<name>` with return, score, unsafe_per_100, paged_share) and `actions.<name>.jsonl` (seed and actions). Score 0 is
 * the random player's return, 1 the full-information oracle's, over the same episodes. `ppo` is the policy that ships, at its shipped caution;
 * `ppo_caution_<n>` the same one at other settings of that dial, `ppo_unsafe_limit` with acts left out that it believes unsafe with more than 2 %: the
 * curve of score against unsafe acts.
 */
import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { AegisError } from '@aegis/domain'
import { LoadedModel } from '@aegis/remediation/ppo-model'
import { shippedModel } from '@aegis/remediation/shipped-model'
import { OraclePolicy, QmdpPolicy, type SimPolicy } from '../remediation/full-information.ts'
import { LearnedPlayer } from '../remediation/learned-player.ts'
import { type Played, play, scoreOf } from '../remediation/play.ts'
import { RandomPlayer, RunbookPlayer } from '../remediation/runbook.ts'

export interface RemediationEvalOptions {
  /** Folder to write to; made when missing. */
  readonly out: string
  /** First test seed, 1,000,000 unless told; training uses seeds below that. */
  readonly seedBase?: number | string
  /** Episodes per policy, 1,000 unless told. */
  readonly episodes?: number | string
  readonly progress?: (done: number, total: number, what: string) => void
}
const CAUTIONS = [0, 3, 10]

const whole = (value: number | string | undefined, otherwise: number, name: string): number => {
  const n = value === undefined ? otherwise : Number(value)
  if (!Number.isSafeInteger(n) || n < 0) throw new AegisError('INPUT_INVALID', `${name} must be a whole number, not ${value}`)
  return n
}

export async function evalRemediation(options: RemediationEvalOptions): Promise<string> {
  const { out, progress = () => {} } = options
  const seedBase = whole(options.seedBase, 1_000_000, '--seed-base')
  const episodes = whole(options.episodes, 1000, '--episodes')
  if (episodes === 0) throw new AegisError('INPUT_INVALID', '--episodes must be at least 1')
  if (seedBase + episodes > 2 ** 32) throw new AegisError('INPUT_INVALID', '--seed-base plus --episodes must stay below 2^32')
  const model = new LoadedModel(shippedModel())
  const players: Readonly<Record<string, SimPolicy>> = {
    random: new RandomPlayer(),
    rules: new RunbookPlayer(),
    qmdp: new QmdpPolicy(),
    oracle: new OraclePolicy(),
    ppo: new LearnedPlayer(model),
    ppo_unsafe_limit: new LearnedPlayer(model, { unsafeLimit: 0.02 }),
    ...Object.fromEntries(CAUTIONS.map(caution => [`ppo_caution_${caution}`, new LearnedPlayer(model, { caution })])),
  }
  await mkdir(out, { recursive: true })
  const played: Record<string, Played> = {}
  for (const [name, player] of Object.entries(players)) {
    const file = createWriteStream(join(out, `actions.${name}.jsonl`))
    let done = 0
    played[name] = play(player, seedBase, episodes, (seed, actions) => {
      file.write(`${JSON.stringify({ seed, actions })}\n`)
      progress(++done, episodes, name)
    })
    file.end()
    await finished(file)
  }
  const policies = Object.fromEntries(
    Object.entries(played).map(([name, p]) => [
      name,
      {
        episodes,
        return: p.return,
        score: scoreOf(p.return, played.random.return, played.oracle.return),
        unsafe_per_100: p.unsafePer100,
        paged_share: p.pagedShare,
        mean_steps: p.meanSteps,
      },
    ]),
  )
  await writeFile(join(out, 'remediation.json'), `${JSON.stringify({ seed_base: seedBase, episodes, policies }, null, 2)}\n`)
  const rows = Object.entries(policies).map(([name, p]) =>
    [
      name.padEnd(16),
      p.return.toFixed(2).padStart(8),
      p.score.toFixed(3).padStart(7),
      p.unsafe_per_100.toFixed(1).padStart(11),
      p.paged_share.toFixed(3).padStart(7),
    ].join(' '),
  )
  return [`${'policy'.padEnd(16)}   return   score  unsafe/100   paged`, ...rows].join('\n')
}
