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

main(process.argv.slice(2)).catch((error: Error & { code?: unknown }) => {
  // An error with one of our codes was written for the reader; anything else is a defect and shows where it came from.
  const expected =
    typeof error.code === 'string' && error.name.endsWith('Error') && error.name !== 'Error' && error.name !== 'TypeError'
  console.error(expected ? `aegis: ${error.message}` : error)
  process.exitCode = 1
})
