import { existsSync, statSync } from 'node:fs'
import { AegisError } from '@aegis/domain'
import { Command } from 'commander'
import { Progress } from '../progress.ts'

/** What each evaluation is handed; `progress` is told of work done and, when known, of all there is. */
export interface EvalOptions {
  readonly data: string
  readonly out: string
  readonly progress: (done: number, total: number, what: string) => void
  readonly [option: string]: unknown
}
interface Evaluation {
  readonly about: string
  readonly needsData: boolean
  readonly options?: readonly (readonly [string, string])[]
  readonly load: () => Promise<(options: EvalOptions) => Promise<unknown>>
}

const EVALUATIONS: Readonly<Record<string, Evaluation>> = {
  'log-parsing': {
    about: 'templates of log files: D/parsing, D/parsing_mixed',
    needsData: true,
    load: async () => (await import('@aegis/lab/evaluation/log-parsing')).evalLogParsing as never,
  },
  'log-anomaly': {
    about: 'anomalous log units: every D/anomaly_*',
    needsData: true,
    load: async () => (await import('@aegis/lab/evaluation/log-anomaly')).evalLogAnomaly as never,
  },
  'metric-anomaly': {
    about: 'anomalies of metric tables: D/*/*/test.csv.gz',
    needsData: true,
    options: [
      ['--detector <name>', 'one detector instead of the ensemble, or an ensemble of several: ridge+sub-pca'],
      ['--alarms-per-day <number>', 'how many alarms an entity and day one is ready to look at, 0.5 unless told'],
    ],
    load: async () => (await import('@aegis/lab/evaluation/metric-anomaly')).evalMetricAnomaly as never,
  },
  'root-cause': {
    about: 'ranked causes of recorded cases: D/<case>/case.json, D/alerts',
    needsData: true,
    options: [
      ['--without <kind>', 'leave out logs, traces, edges, metrics or causality, several with commas'],
      ['--drop-edges <share>', 'leave out this share of the edges'],
      ['--untraced <share>', 'leave out the spans of this share of the services'],
      ['--draw <n>', 'which draw of the edges and services left out, 0 unless told'],
      ['--onset <how>', '"none": the onset is not told; "late": one step late'],
      ['--normal <n>', 'also n quiet windows from the history of each case that has one'],
    ],
    load: async () => (await import('@aegis/lab/evaluation/root-cause')).evalRootCause as never,
  },
  ci: {
    about: 'causes in logs of failed builds: D/<set>/cases.jsonl and the logs it names',
    needsData: true,
    load: async () => (await import('@aegis/lab/evaluation/ci')).evalCi as never,
  },
  drift: {
    about: 'drift of infrastructure: noise, who, plans, why, outcome, severity, cases; labels for learning in D/*/train_labels',
    needsData: true,
    options: [['--task <name>', 'one of them only']],
    load: async () => (await import('@aegis/lab/evaluation/drift')).evalDrift as never,
  },
  remediation: {
    about: 'policies on the reference simulator',
    needsData: false,
    options: [
      ['--seed-base <n>', 'first test seed'],
      ['--episodes <n>', 'episodes per policy'],
    ],
    load: async () => (await import('@aegis/lab/evaluation/remediation')).evalRemediation as never,
  },
}

export const evalCommand = (): Command => {
  const command = new Command('eval').addHelpText(
    'after',
    '\nThe same library code as in the services runs over a folder and writes predictions. Labels play no part in them;' +
      '\nlog-parsing and log-anomaly hold them, where there are any, against what was written, and print the figures.',
  )
  for (const [name, { about, needsData, options = [], load }] of Object.entries(EVALUATIONS)) {
    const one = command.command(name).description(about).requiredOption('--out <folder>', 'where the predictions go')
    if (needsData) one.requiredOption('--data <folder>', 'the data')
    for (const [flag, text] of options) one.option(flag, text)
    one.action(async (given: EvalOptions) => {
      if (needsData && !(existsSync(given.data) && statSync(given.data).isDirectory()))
        throw new AegisError('INPUT_INVALID', `--data ${given.data} is not a folder`)
      if (existsSync(given.out) && !statSync(given.out).isDirectory())
        throw new AegisError('INPUT_INVALID', `--out ${given.out} is a file; name a folder, there or not`)
      const bars = new Map<string, { bar: Progress; done: number }>()
      const progress = (done: number, total: number, what: string) => {
        const at = bars.get(what) ?? { bar: new Progress(what, total), done: 0 }
        bars.set(what, at)
        at.bar.add(done - at.done)
        at.done = done
      }
      const result = await (await load())({ ...given, progress })
      for (const { bar } of bars.values()) bar.end()
      if (typeof result === 'string') console.log(result)
      console.log(`predictions are in ${given.out}`)
    })
  }
  return command
}
