/** `npm run bench -- <name> [options]`: measurements beside a peer or a floor in the same run; the last accepted figures stand beside each script. */
import { AegisError } from '@aegis/domain'

const BENCHES: Readonly<Record<string, { about: string; load: () => Promise<{ run: (args: string[]) => Promise<unknown> }> }>> = {
  api: {
    about: 'latency and memory of the inference API on one core, event to page, size of the console',
    load: () => import('./api.ts') as never,
  },
  'kill-switch': {
    about: 'stops on real Kafka: many writers at once, and how fast under a flood',
    load: () => import('./kill-switch.ts') as never,
  },
  capacity: { about: 'what a record costs each stage, what a series weighs', load: () => import('./capacity.ts') as never },
  pipeline: {
    about: 'log lines a second through real Kafka, beside an identity stage',
    load: () => import('./pipeline.ts') as never,
  },
  'kafka-clients': {
    about: 'the client behind our broker port beside @platformatic/kafka',
    load: () => import('./kafka-clients.ts') as never,
  },
  'log-mining': { about: 'template miner beside Drain3', load: () => import('./log-mining.ts') as never },
  'metric-anomaly': { about: 'detectors, values and rows a CPU-second', load: () => import('./metric-anomaly.ts') as never },
  'metric-warm-up': {
    about: 'false alarms of healthy entities by how many rows they were learned from',
    load: () => import('./metric-warm-up.ts') as never,
  },
  'metric-cost': {
    about: 'processor time and bytes of the detectors of entities, while they watch',
    load: () => import('./metric-cost.ts') as never,
  },
  'root-cause': { about: 'ranking on large graphs', load: () => import('./root-cause.ts') as never },
  'root-cause-left-out': {
    about: 'what root cause learns, judged on the data set it did not learn from',
    load: () => import('./root-cause-left-out.ts') as never,
  },
  'root-cause-replay': {
    about: 'causes found by the services in recorded cases, beside the offline ranking',
    load: () => import('./root-cause-replay.ts') as never,
  },
  drift: {
    about: 'drift: a plan of 5,000 resources, a million audit entries, SHAP values',
    load: () => import('./drift.ts') as never,
  },
  learners: {
    about: 'boosting, forests and SHAP beside XGBoost, LightGBM, scikit-learn and shap',
    load: () => import('./learners.ts') as never,
  },
  'model-drift': {
    about: 'how soon a model that is given something else is noticed, and how often in vain',
    load: () => import('./model-drift.ts') as never,
  },
  promotion: {
    about: 'a thousand candidates, worse, poisoned, broken and better: which get in force',
    load: () => import('./promotion.ts') as never,
  },
  federated: {
    about: 'models trained by sites that keep their data, beside one that has all of it',
    load: () => import('./federated.ts') as never,
  },
  transfer: {
    about: 'how much of its own data a system needs that starts from the weights of others',
    load: () => import('./transfer.ts') as never,
  },
  remediation: { about: 'training steps and choices a CPU-second', load: () => import('./remediation.ts') as never },
  'third-party': {
    about: "a system of other people's software, its faults and healthy minutes",
    load: () => import('../third-party/run.ts') as never,
  },
  'shop-effects': {
    about: 'what each action does to each fault of the demo shop, measured; half an hour',
    load: () => import('./remediation-effects.ts') as never,
  },
  'shop-policies': {
    about: 'trained policy beside rule table on the demo shop, paired injections; an hour',
    load: () => import('./remediation-policies.ts') as never,
  },
}

const [name, ...args] = process.argv.slice(2)
const bench = BENCHES[name ?? '']
if (!bench) {
  console.log(
    `usage: npm run bench -- <name> [options]\n\n${Object.entries(BENCHES)
      .map(([n, b]) => `  ${n.padEnd(16)} ${b.about}`)
      .join('\n')}`,
  )
  process.exit(name && name !== '--help' ? 1 : 0)
}
await (await bench.load()).run(args).catch((error: Error) => {
  // An error with one of our codes was written for the reader; anything else is a defect and shows where it came from.
  console.error(error instanceof AegisError ? `bench: ${error.message}` : error)
  process.exitCode = 1
})
process.exit(process.exitCode ?? 0)
