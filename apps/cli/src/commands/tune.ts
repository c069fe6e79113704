/** `aegis tune`: thresholds that people's word on past incidents speaks for, as a change to approve. */
import { type JudgedAnomaly, proposeThreshold } from '@aegis/anomaly-detection/propose-threshold'
import {
  AegisError,
  type Anomaly,
  anomalies,
  type Feedback,
  feedback,
  type Incident,
  incidents,
  type Stream,
} from '@aegis/domain'
import { connectClient } from '@aegis/stack/pipeline/client'
import { Command } from 'commander'

/** Setting behind each detector, and its default. Others are calibrated by AEGIS_ALARMS_PER_DAY, which is a wish and no threshold. */
const SETTING: Readonly<Record<string, readonly [name: string, standard: number]>> = {
  'robust-baseline': ['ANOMALY_THRESHOLD', 6],
  ensemble: ['AEGIS_DETECTOR_THRESHOLD', 12],
}

export const tuneCommand = (): Command =>
  new Command('tune')
    .option('--environment <name>', 'only what happened there')
    .option('--env', 'only the lines to put into the environment of the anomaly-detector')
    .description(
      'proposes thresholds from anomalies whose incidents people confirmed ("aegis incident confirm"); changes nothing',
    )
    .addHelpText('after', '\nOnly a higher threshold can be judged: what was never told leaves no trace.')
    .action(async ({ environment, env }: { environment?: string; env?: boolean }) => {
      const judged = await judgedAnomalies(environment)
      if (judged.size === 0)
        throw new AegisError('INPUT_INVALID', 'nobody has confirmed a cause yet: "aegis incident confirm" does')
      for (const line of proposals(judged, process.env, env === true)) console.log(line)
    })

/** Every anomaly of an incident that somebody has spoken on, by detector. */
async function judgedAnomalies(environment: string | undefined): Promise<ReadonlyMap<string, readonly JudgedAnomaly[]>> {
  const client = await connectClient()
  try {
    const found = new Map<string, Anomaly>()
    const of = new Map<string, readonly string[]>()
    const said = new Map<string, string>()
    const read = <T>(stream: Stream<T>, take: (value: T) => void) =>
      client.all([stream] as unknown as Stream<never>[], decoded => {
        for (const { value } of decoded)
          if (value && (environment === undefined || (value as { environment: string }).environment === environment))
            take(value as T)
      })
    // The highest score of each counts: that is what a threshold would have been held against.
    await read(anomalies, a => {
      if (a.score >= (found.get(a.id)?.score ?? Number.NEGATIVE_INFINITY)) found.set(a.id, a)
    })
    await read<Incident>(incidents, i => of.set(i.id, i.anomalies))
    await read<Feedback>(feedback, f => said.set(f.incident, f.cause))
    return judge(found, of, said)
  } finally {
    await client.close()
  }
}
export function judge(
  found: ReadonlyMap<string, Pick<Anomaly, 'detector' | 'score' | 'threshold'>>,
  of: ReadonlyMap<string, readonly string[]>,
  said: ReadonlyMap<string, string>,
): Map<string, JudgedAnomaly[]> {
  const judged = new Map<string, JudgedAnomaly[]>()
  for (const [incident, cause] of said)
    for (const id of new Set(of.get(incident) ?? [])) {
      const a = found.get(id)
      if (!a) continue
      const list = judged.get(a.detector) ?? []
      judged.set(a.detector, list)
      list.push({ score: a.score, threshold: a.threshold, right: cause !== '' })
    }
  return judged
}
/** What is proposed, as lines: the change, and what it would have spared and lost. */
export function proposals(
  judged: ReadonlyMap<string, readonly JudgedAnomaly[]>,
  now: Readonly<Record<string, string | undefined>>,
  onlyEnv = false,
): string[] {
  const lines: string[] = []
  for (const [detector, list] of judged) {
    const [name, standard] = SETTING[detector] ?? []
    const found = proposeThreshold(list)
    if (typeof found === 'string' || !name) {
      if (!onlyEnv) lines.push(`${detector}: ${typeof found === 'string' ? found : 'it has no threshold that is set'}`)
      continue
    }
    const present = Number(now[name] ?? standard)
    const next = Number((present * found.factor).toFixed(2))
    if (onlyEnv) lines.push(`${name}=${next}`)
    else
      lines.push(
        `${detector}:`,
        `- ${name}=${present}`,
        `+ ${name}=${next}`,
        `  of ${found.false} false ones ${found.falseSpared} less; of ${found.right} right ones ${found.rightLost} less (95 %: at most ${(100 * found.lostAtMost).toFixed(1)} in 100)`,
      )
  }
  return lines
}
