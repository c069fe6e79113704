/** What was done according to tickets, for which incident, and whether it helped; what is left out, and why. */
import { redact } from '@aegis/log-mining'
import { type Said, type Step, stepsIn } from './commands-in.ts'
import { type KnownIncident, matchIncident } from './match-incident.ts'
import type { Ticket } from './read-tickets.ts'

export type { KnownIncident } from './match-incident.ts'

export interface Found {
  readonly incident: string
  /** Without its secrets. */
  readonly command: string
  readonly success: boolean
  /** When it was done, or the ticket ended: microseconds since the epoch. */
  readonly time?: number
  readonly note: string
  /** Where it comes from and what it is held to be about. */
  readonly heading: string
}
export interface TicketOptions {
  /** All tickets are about the one incident that is known. */
  readonly all: boolean
  /** Says of every command whether it helped; undefined where the tickets say. */
  readonly success: boolean | undefined
  readonly note: string
}

export function fixesInTickets(
  tickets: readonly Ticket[],
  known: readonly KnownIncident[],
  options: TicketOptions,
): { found: Found[]; leftOut: string[] } {
  const found: Found[] = []
  const leftOut: string[] = []
  for (const ticket of tickets) {
    const title = redact(ticket.title)
    const name = `${ticket.id} (${ticket.place})${title ? ` "${title.slice(0, 80)}"` : ''}`
    const steps = ticket.texts.flatMap(t => stepsIn(t.text).map(step => ({ ...step, time: t.time ?? ticket.ended })))
    const reason = (text: string) => leftOut.push(`${name}: ${text}`)
    if (steps.length === 0) {
      reason('no command that changes what runs')
      continue
    }
    if (options.success === undefined && !ticket.resolved) {
      reason(`not resolved (${ticket.state}), so nothing is known to have helped`)
      continue
    }
    const match = options.all ? { incident: known[0], why: 'as told' } : matchIncident(ticket, known)
    if ('reason' in match) {
      reason(`${match.reason}; --incident ID --ticket ${ticket.id} says which`)
      continue
    }
    const { id, environment, started } = match.incident
    const heading = `${name} → incident ${id} in ${environment}, ${new Date(started / 1000).toISOString().slice(0, 19)}Z: ${match.why}`
    const words = verdicts(steps, options.success)
    const taken = new Set<string>()
    const backwards: Found[] = []
    // The last word on a command counts.
    for (const [n, step] of [...steps.entries()].reverse()) {
      for (const raw of step.commands) {
        const command = redact(raw)
        if (taken.has(command)) continue
        taken.add(command)
        const word = words[n]
        if (word === 'helped' || word === 'did not help')
          backwards.push({
            incident: id,
            command,
            success: word === 'helped',
            ...(step.time !== undefined && { time: step.time }),
            note: options.note || redact(`${ticket.id}: ${ticket.title}`),
            heading,
          })
        else
          reason(
            `"${command}" ${word === 'not done' ? 'was advised or planned, not done' : 'was tried before, and nothing says whether it helped'}`,
          )
      }
    }
    found.push(...backwards.reverse())
  }
  return { found, leftOut }
}

/** Of a resolved ticket the last thing that was done helped, unless it is said that it did not. */
function verdicts(steps: readonly Step[], told: boolean | undefined): Said[] {
  const last = steps.findLastIndex(s => s.said !== 'not done')
  return steps.map(({ said }, n) => {
    if (said === 'not done') return said
    if (told !== undefined) return told ? 'helped' : 'did not help'
    return said ?? (n === last ? 'helped' : undefined)
  })
}
