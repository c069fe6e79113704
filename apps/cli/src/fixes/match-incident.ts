/** Which incident of Aegis a ticket is about: what was done is worth remembering only beside what it looked like. */
import type { Incident } from '@aegis/domain'
import type { Ticket } from './read-tickets.ts'

export type KnownIncident = Pick<Incident, 'id' | 'environment' | 'started' | 'ended' | 'entities' | 'causes'>
export type Match = { readonly incident: KnownIncident; readonly why: string } | { readonly reason: string }

const MINUTE_US = 60e6
/** People write the ticket after the first sign. */
const BEFORE_US = 60 * MINUTE_US
/** An incident whose end is not known. */
const LENGTH_US = 60 * MINUTE_US
const CLOSE_US = 10 * MINUTE_US

/** By its id where the ticket names it, else by time and by the entities that the ticket mentions. */
export function matchIncident(ticket: Ticket, known: readonly KnownIncident[]): Match {
  const text = [ticket.title, ...ticket.about, ...ticket.texts.map(t => t.text)].join('\n').toLowerCase()
  const named = known.find(i => text.includes(i.id.toLowerCase()))
  if (named) return { incident: named, why: 'named by its id' }
  const { opened, ended } = ticket
  if (opened === undefined) return { reason: 'says neither an incident nor when it was opened' }
  const until = ended ?? opened
  const overlap = known.filter(i => i.started <= until && (i.ended ?? i.started + LENGTH_US) >= opened - BEFORE_US)
  const mentions = (entity: string): boolean => {
    const name = entity.slice(entity.indexOf(':') + 1).toLowerCase()
    const about = ticket.about.some(a => a.toLowerCase() === name)
    // A name of two letters is a word of some language.
    return about || (name.length > 2 && new RegExp(`(?<![\\w-])${name.replace(/[^\w-]/g, '\\$&')}(?![\\w-])`).test(text))
  }
  const ranked = overlap
    .map(incident => {
      const first = incident.causes[0]?.entity
      const others = [...incident.entities, ...incident.causes.map(c => c.entity)].filter(e => e !== first)
      const score = first && mentions(first) ? 2 : others.some(mentions) ? 1 : 0
      return { incident, score: score > 0 && text.includes(incident.environment.toLowerCase()) ? score + 0.5 : score }
    })
    .filter(r => r.score > 0)
    .sort((a, b) => b.score - a.score || Math.abs(a.incident.started - opened) - Math.abs(b.incident.started - opened))
  const [best, next] = ranked
  if (!best)
    return {
      reason:
        overlap.length > 0 ? 'mentions no entity of an incident of its time' : 'no incident that is known was open at its time',
    }
  if (next && next.score === best.score && Math.abs(next.incident.started - best.incident.started) < CLOSE_US)
    return { reason: `fits ${best.incident.id} as well as ${next.incident.id}` }
  return {
    incident: best.incident,
    why: `${best.score >= 2 ? `mentions its first suspect ${best.incident.causes[0].entity}` : 'mentions an entity of it'}, and was open at its time`,
  }
}
