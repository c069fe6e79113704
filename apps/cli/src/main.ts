#!/usr/bin/env node
import { Command } from 'commander'

interface Verb {
  readonly name: string
  readonly description: string
  /** Loaded only when asked for, so that `aegis --help` and small verbs start at once. */
  readonly load: () => Promise<Command>
}

const verbs: readonly Verb[] = [
  {
    name: 'demo',
    description: 'break a real system and watch it being healed',
    load: async () => (await import('./commands/demo.ts')).demoCommand(),
  },
  {
    name: 'stack',
    description: 'the local servers: up, down, status, logs, reset, env',
    load: async () => (await import('./commands/stack.ts')).stackCommand(),
  },
  {
    name: 'up',
    description: 'run the whole pipeline here: servers and services, until Ctrl-C',
    load: async () => (await import('./commands/up.ts')).upCommand(),
  },
  {
    name: 'packs',
    description: 'what is known of kinds of systems: rules, formats, meanings, settings',
    load: async () => (await import('./commands/packs.ts')).packsCommand(),
  },
  {
    name: 'tune',
    description: 'thresholds that people’s word on past incidents speaks for, as a change to approve',
    load: async () => (await import('./commands/tune.ts')).tuneCommand(),
  },
  {
    name: 'ingest',
    description: 'produce a log file or a table of metrics onto the topics',
    load: async () => (await import('./commands/ingest.ts')).ingestCommand(),
  },
  {
    name: 'replay',
    description: 'play a recorded case through the pipeline',
    load: async () => (await import('./commands/replay.ts')).replayCommand(),
  },
  {
    name: 'simulate',
    description: 'a failure on a described system, through the pipeline',
    load: async () => (await import('./commands/simulate.ts')).simulateCommand(),
  },
  {
    name: 'tail',
    description: 'print decoded records of a topic',
    load: async () => (await import('./commands/tail.ts')).tailCommand(),
  },
  {
    name: 'dlq',
    description: 'dead letters: list, show, put back',
    load: async () => (await import('./commands/dlq.ts')).dlqCommand(),
  },
  {
    name: 'eval',
    description: 'run the algorithms over labelled data',
    load: async () => (await import('./commands/eval.ts')).evalCommand(),
  },
  {
    name: 'incident',
    description: 'incidents: list, confirm a cause',
    load: async () => (await import('./commands/incidents.ts')).incidentCommand(),
  },
  {
    name: 'explain',
    description: 'an incident in words: cause, evidence, timeline, decisions',
    load: async () => (await import('./commands/incidents.ts')).explainCommand(),
  },
  {
    name: 'replay-decision',
    description: 'decide once more from what was recorded, and compare byte by byte',
    load: async () => (await import('./commands/replay-decision.ts')).replayDecisionCommand(),
  },
  {
    name: 'approve',
    description: 'approve or reject a decision that waits',
    load: async () => (await import('./commands/incidents.ts')).approveCommand(),
  },
  {
    name: 'kill',
    description: 'the kill switch of an environment',
    load: async () => (await import('./commands/incidents.ts')).killCommand(),
  },
  {
    name: 'keys',
    description: 'API keys of the gateway: add, list, rotate, revoke',
    load: async () => (await import('./commands/keys.ts')).keysCommand(),
  },
  {
    name: 'environments',
    description: 'the environments there are: list, add, remove',
    load: async () => (await import('./commands/environments.ts')).environmentsCommand(),
  },
  {
    name: 'audit',
    description: 'who approved, set and stopped what, and when',
    load: async () => (await import('./commands/audit.ts')).auditCommand(),
  },
  {
    name: 'ladder',
    description: 'how far actions may go in an environment',
    load: async () => (await import('./commands/ladder.ts')).ladderCommand(),
  },
  {
    name: 'fix',
    description: 'record what people did by hand, to be suggested when it looks like that again',
    load: async () => (await import('./commands/fix.ts')).fixCommand(),
  },
  {
    name: 'experiment',
    description: 'A/B experiments between policies',
    load: async () => (await import('./commands/experiment.ts')).experimentCommand(),
  },
  {
    name: 'policy',
    description: 'train, judge, promote, roll back and explain remediation policies',
    load: async () => (await import('./commands/policy.ts')).policyCommand(),
  },
  {
    name: 'logs',
    description: 'what a log file says: templates, when, how severe, what stands out',
    load: async () => (await import('./commands/logs.ts')).logsCommand(),
  },
  {
    name: 'ci',
    description: 'why a build failed: from a log, or for a pull request on GitHub',
    load: async () => (await import('./commands/ci.ts')).ciCommand(),
  },
  {
    name: 'drift',
    description: 'infrastructure that is not as its code says: what is real, who, why, how bad, what to do',
    load: async () => (await import('./commands/drift.ts')).driftCommand(),
  },
  {
    name: 'metrics',
    description: 'plot a table of metrics with bands, scores and anomalies',
    load: async () => (await import('./commands/metrics.ts')).metricsCommand(),
  },
  {
    name: 'models',
    description: 'models of the detectors: list, go back to an earlier one, export',
    load: async () => (await import('./commands/models.ts')).modelsCommand(),
  },
  {
    name: 'watch',
    description: 'tell Aegis what a running Kubernetes says: crash loops, failed probes, releases, settings',
    load: async () => (await import('./commands/watch.ts')).watchCommand(),
  },
  {
    name: 'discover',
    description: 'what runs on this machine and who calls whom, as a topology to say yes or no to',
    load: async () => (await import('./commands/discover.ts')).discoverCommand(),
  },
  {
    name: 'capacity',
    description: 'how many instances and partitions a load takes, from what one core was measured to do',
    load: async () => (await import('./commands/capacity.ts')).capacityCommand(),
  },
  {
    name: 'preflight',
    description: 'before an upgrade: do the topics and schemas that stand fit this version?',
    load: async () => (await import('./commands/preflight.ts')).preflightCommand(),
  },
  {
    name: 'topology',
    description: 'the service graph: import, show, export',
    load: async () => (await import('./commands/topology.ts')).topologyCommand(),
  },
]

async function main(args: readonly string[]): Promise<void> {
  const program = new Command('aegis').description('A self-healing system on a stream.').showHelpAfterError()
  const wanted = args.find(arg => !arg.startsWith('-'))
  const asked = wanted === 'help' ? args[args.indexOf('help') + 1] : wanted
  for (const { name, description, load } of verbs) {
    program.addCommand(name === asked ? (await load()).description(description) : new Command(name).description(description))
  }
  await program.parseAsync(args, { from: 'user' })
}

// Whoever reads what is printed may stop early: `aegis logs FILE | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

main(process.argv.slice(2)).catch((error: Error & { code?: unknown }) => {
  // An error with one of our codes was written for the reader; anything else is a defect and shows where it came from.
  const expected =
    typeof error.code === 'string' && error.name.endsWith('Error') && error.name !== 'Error' && error.name !== 'TypeError'
  // The client's own words name an address and no way out.
  const way = /ECONNREFUSED|ENOTFOUND|ETIMEDOUT/.test(error.message)
    ? '; is it running? "aegis stack up" starts one here, KAFKA_BROKERS and SCHEMA_REGISTRY_URL name others'
    : ''
  console.error(expected ? `aegis: ${error.message}${way}` : error)
  process.exitCode = 1
})
