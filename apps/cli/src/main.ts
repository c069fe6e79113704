#!/usr/bin/env node
import type { ErrorCode } from '@aegis/domain'
import { EXIT, OTHERWISE } from '@aegis/domain/errors'
import { Command } from 'commander'
import packageOf from '../package.json' with { type: 'json' }

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
    name: 'doctor',
    description: 'what stands in the way of a working Aegis here, and what to do',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  },
  {
    name: 'completion',
    description: 'a script that completes commands and options in your shell',
    load: async () => (await import('./commands/completion.ts')).completionCommand(whole),
  },
  {
    name: 'topology',
    description: 'the service graph: import, show, export',
    load: async () => (await import('./commands/topology.ts')).topologyCommand(),
  },
]

/** Everything there is, each command loaded. */
const whole = async (): Promise<Command> => {
  const program = new Command('aegis').option('--version')
  for (const { load } of verbs) program.addCommand(await load())
  return program
}

/** Wrong use ends like any other wrong input; help and version end well. */
const endByKind = (command: Command): void => {
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT.INPUT_INVALID))
  for (const below of command.commands) endByKind(below)
}

async function main(args: readonly string[]): Promise<void> {
  const program = new Command('aegis')
    .description('A self-healing system on a stream.')
    .version(`aegis ${packageOf.version} on Node ${process.versions.node}`, '-V, --version')
    .showHelpAfterError()
  const wanted = args.find(arg => !arg.startsWith('-'))
  const asked = wanted === 'help' ? args[args.indexOf('help') + 1] : wanted
  for (const { name, description, load } of verbs) {
    program.addCommand(name === asked ? (await load()).description(description) : new Command(name).description(description))
  }
  endByKind(program)
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
  console.error(expected ? `aegis: ${error.message}` : error)
  process.exitCode = expected ? (EXIT[error.code as ErrorCode] ?? OTHERWISE) : OTHERWISE
})
