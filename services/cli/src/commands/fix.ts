import { existsSync, readFileSync } from 'node:fs'
import { AegisError, type ManualFix } from '@aegis/domain'
import { redact } from '@aegis/log-mining'
import { Command } from 'commander'
import { ask } from './incidents.ts'

interface Said {
  command: string
  incident: string
  success?: boolean
  failure?: boolean
  action?: string
  target?: string
  note: string
}
/** Programs that change what runs: what a history is searched for. */
const CHANGES =
  /^(?:sudo\s+)?(?:kubectl\s+(?:rollout|scale|delete|apply|patch|set|drain|cordon|uncordon)|systemctl\s+(?:re)?(?:start|stop|load)|docker\s+(?:re)?(?:start|stop|update)|helm\s+(?:rollback|upgrade)|service\s+\S+\s+(?:re)?start)\b/

export const fixCommand = (): Command => {
  const command = new Command('fix').addHelpText(
    'after',
    '\nWhat helped once is suggested when it looks like that again: in decisions, in pages, in "aegis explain". Under a floor of likeness nothing is said.\nThe gateway is found by AEGIS_GATEWAY_URL.',
  )
  const about = (c: Command) =>
    c
      .requiredOption('--incident <id>', 'the incident it was done for')
      .option('--success', 'it helped')
      .option('--failure', 'it did not')
      .option('--target <kind:name>', 'entity acted on; the first suspect of the incident unless told')
      .option('--note <text>', 'anything else', '')
  about(command.command('record'))
    .description('record what you did by hand and whether it helped')
    .requiredOption('--command <text>', 'as you typed it; secrets are taken out')
    .option('--action <name>', 'action of Aegis that it stands for')
    .action(record)
  about(command.command('import'))
    .argument('<history>', 'a shell history, one command a line (zsh time stamps are understood)')
    .description('the commands of a shell history that change what runs; shown first, sent only with --yes')
    .option('--yes', 'send them')
    .action(importHistory)
  return command
}

const helped = ({ success, failure }: Pick<Said, 'success' | 'failure'>): boolean => {
  if (Boolean(success) === Boolean(failure)) throw new AegisError('INPUT_INVALID', 'say either --success or --failure')
  return Boolean(success)
}
const send = ({ command, incident, action, target, note }: Said, success: boolean) =>
  ask<ManualFix>(`/api/v1/incidents/${encodeURIComponent(incident)}/fixes`, {
    method: 'POST',
    body: JSON.stringify({ command, success, action, target, note, who: process.env.USER ?? 'cli' }),
  })

async function record(said: Said): Promise<void> {
  const fix = await send(said, helped(said))
  console.log(`recorded: "${fix.command}" ${fix.success ? 'helped' : 'did not help'} with ${fix.incident}`)
}

/** Commands of a history that change what runs, secrets taken out, each once. */
export const changesIn = (history: string): string[] => [
  ...new Set(
    history
      .split('\n')
      .map(line => line.replace(/^: \d+:\d+;/, '').trim())
      .filter(line => CHANGES.test(line))
      .map(line => redact(line)),
  ),
]

async function importHistory(file: string, said: Omit<Said, 'command'> & { yes?: boolean }): Promise<void> {
  const success = helped(said)
  if (!existsSync(file)) throw new AegisError('INPUT_INVALID', `${file} does not exist`)
  const commands = changesIn(readFileSync(file, 'utf8'))
  for (const command of commands) console.log(`  ${command}`)
  if (commands.length === 0) console.log(`nothing in ${file} changes what runs`)
  else if (said.yes) {
    for (const command of commands) await send({ ...said, command }, success)
    console.log(`${commands.length} recorded for ${said.incident}`)
  } else console.log(`${commands.length} found, none sent: add --yes to record them for ${said.incident}`)
}
