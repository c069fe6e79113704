import { AegisError, type ManualFix } from '@aegis/domain'
import { redact } from '@aegis/log-mining'
import { openFile } from '@aegis/recordings/open-file'
import { Command, Option } from 'commander'
import { changesInHistory } from '../fixes/commands-in.ts'
import { type Found, fixesInTickets, type KnownIncident } from '../fixes/fixes-in-tickets.ts'
import { offsetOf, readTickets } from '../fixes/read-tickets.ts'
import { Progress } from '../progress.ts'
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
interface ImportOptions extends Omit<Said, 'command' | 'incident'> {
  from: 'shell' | 'tickets'
  incident?: string
  ticket?: string[]
  zone?: string
  yes?: boolean
}
/** Longest command that the gateway takes. */
const LONGEST = 2000
/** Incidents that a ticket is held against: as many as the gateway keeps. */
const INCIDENTS = 2000

export const fixCommand = (): Command => {
  const command = new Command('fix').addHelpText(
    'after',
    '\nWhat helped once is suggested when it looks like that again: in decisions, in pages, in "aegis explain". Under a floor of likeness nothing is said.\nThe gateway is found by AEGIS_GATEWAY_URL.',
  )
  const about = (c: Command) =>
    c
      .option('--success', 'it helped')
      .option('--failure', 'it did not')
      .option('--target <kind:name>', 'entity acted on; the first suspect of the incident unless told')
      .option('--note <text>', 'anything else', '')
  about(command.command('record'))
    .description('record what you did by hand and whether it helped')
    .requiredOption('--incident <id>', 'the incident it was done for')
    .requiredOption('--command <text>', 'as you typed it; secrets are taken out')
    .option('--action <name>', 'action of Aegis that it stands for')
    .action(record)
  about(command.command('import'))
    .argument('<file>', 'a shell history, or an export of tickets; "-" is standard input')
    .description('commands that change what runs, from a shell history or from tickets; shown first, sent only with --yes')
    .addOption(new Option('--from <what>', 'what the file is').choices(['shell', 'tickets']).default('shell'))
    .option('--incident <id>', 'the incident it was done for; each ticket finds its own unless told')
    .option('--ticket <number...>', 'only these tickets')
    .option('--zone <offset>', 'zone of times that do not say theirs, such as +02:00; UTC unless told')
    .option('--yes', 'send what was shown')
    .addHelpText(
      'after',
      `
Tickets are CSV, JSON or JSON lines as Jira, GitHub (gh issue list --state all --json number,title,body,comments,state,stateReason,createdAt,closedAt,labels),
GitLab and ServiceNow export them. Commands are looked for in code blocks, inline code and lines that begin with a prompt. A ticket belongs to the
incident whose id it names, or whose entities it mentions and which was open at its time. Only of resolved tickets anything is taken: the last commands
helped unless the text says otherwise, earlier ones count only where the text says whether they helped. --success or --failure says it for all.
Importing a file twice records nothing twice where times are known.

  aegis fix import ~/.zsh_history --incident ID --success
  aegis fix import --from tickets jira.csv
  aegis fix import --from tickets issues.json --ticket 41 57 --yes`,
    )
    .action(importFixes)
  return command
}

/** Undefined where neither was said. */
const helped = ({ success, failure }: Pick<Said, 'success' | 'failure'>): boolean | undefined => {
  if (success && failure) throw new AegisError('INPUT_INVALID', 'say either --success or --failure')
  return success ? true : failure ? false : undefined
}
const saidHelped = (said: Pick<Said, 'success' | 'failure'>): boolean => {
  const word = helped(said)
  if (word === undefined) throw new AegisError('INPUT_INVALID', 'say either --success or --failure')
  return word
}
const send = ({ incident, ...fix }: Omit<Said, 'success' | 'failure'> & { success: boolean; time?: number }) =>
  ask<ManualFix>(`/api/v1/incidents/${encodeURIComponent(incident)}/fixes`, {
    method: 'POST',
    body: JSON.stringify(fix),
  })

async function record(said: Said): Promise<void> {
  const { command, incident, action, target, note } = said
  const fix = await send({ command, incident, action, target, note, success: saidHelped(said) })
  console.log(`recorded: "${fix.command}" ${fix.success ? 'helped' : 'did not help'} with ${fix.incident}`)
}

/** One way for all sources: find, show without secrets, send only what was shown and only with consent. */
async function importFixes(file: string, options: ImportOptions): Promise<void> {
  const { found, leftOut } = options.from === 'shell' ? await fromHistory(file, options) : await fromTickets(file, options)
  let heading: string | undefined
  for (const f of found) {
    if (f.heading !== heading) console.log(f.heading)
    heading = f.heading
    console.log(`  ${f.success ? 'helped      ' : 'did not help'}  ${f.command}`)
  }
  if (leftOut.length > 0) console.log(`left out\n${leftOut.map(l => `  ${l}`).join('\n')}`)
  const whom = [...new Set(found.map(f => f.incident))]
  if (found.length === 0) console.log(`nothing in ${file} is to be recorded`)
  else if (options.yes) {
    const progress = new Progress('recording', found.length)
    for (const [n, { heading: _, ...fix }] of found.entries()) {
      await send({ ...fix, target: options.target }).catch(error => {
        throw new AegisError('INPUT_INVALID', `${(error as Error).message} (${n} of ${found.length} were recorded before that)`)
      })
      progress.add(1)
    }
    progress.end()
    console.log(`${found.length} recorded for ${whom.join(', ')}`)
  } else console.log(`${found.length} found, none sent: add --yes to record them for ${whom.join(', ')}`)
}

const textOf = async (file: string): Promise<string> => {
  let text = ''
  const input = openFile(file, 'name a file in it')
  input.setEncoding('utf8')
  for await (const part of input) text += part
  return text
}

async function fromHistory(file: string, options: ImportOptions): Promise<{ found: Found[]; leftOut: string[] }> {
  const { incident, note } = options
  if (!incident)
    throw new AegisError('INPUT_INVALID', 'a shell history does not say what it was done for: name it with --incident ID')
  const success = saidHelped(options)
  const found = changesInHistory(await textOf(file)).map(({ command, time }) => ({
    incident,
    command: redact(command),
    success,
    note,
    ...(time !== undefined && { time }),
    heading: `${file} → incident ${incident}`,
  }))
  return withoutLong(found)
}

async function fromTickets(file: string, options: ImportOptions): Promise<{ found: Found[]; leftOut: string[] }> {
  const { incident, ticket: only, note } = options
  const { tickets, unread } = readTickets(await textOf(file), file, offsetOf(options.zone))
  const missing = only?.filter(id => !tickets.some(t => t.id === id)) ?? []
  if (missing.length > 0)
    throw new AegisError(
      'INPUT_INVALID',
      `${file} has no ticket ${missing.join(', ')}; it has ${tickets
        .slice(0, 8)
        .map(t => t.id)
        .join(', ')}`,
    )
  const known: readonly KnownIncident[] = incident
    ? [await ask<{ incident: KnownIncident }>(`/api/v1/incidents/${encodeURIComponent(incident)}`).then(whole => whole.incident)]
    : await ask<KnownIncident[]>(`/api/v1/incidents?limit=${INCIDENTS}`)
  const { found, leftOut } = fixesInTickets(only ? tickets.filter(t => only.includes(t.id)) : tickets, known, {
    all: incident !== undefined,
    success: helped(options),
    note,
  })
  const kept = withoutLong(found)
  return { found: kept.found, leftOut: [...leftOut, ...kept.leftOut, ...unread.map(u => `${u} (not read)`)] }
}

const withoutLong = (found: readonly Found[]): { found: Found[]; leftOut: string[] } => ({
  found: found.filter(f => f.command.length <= LONGEST),
  leftOut: found
    .filter(f => f.command.length > LONGEST)
    .map(f => `${f.command.slice(0, 60)}…: ${f.command.length} characters, and ${LONGEST} are taken`),
})
