/** The zone of times that name none: "+02:00", or a place of the IANA database with its summer time. */
import { ZONES } from './calendar.ts'
import type { TimestampHints } from './timestamps.ts'

const HOUR = 3_600_000
const MOST_HOURS = 100_000

/** @throws RangeError for what is no zone */
export function localZone(text: string): NonNullable<TimestampHints['zoneMinutes']> {
  const offset = /^(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(text)
  if (offset !== null) return (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3] ?? 0))
  if (ZONES[text] !== undefined) return ZONES[text]
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: text, timeZoneName: 'longOffset' })
  const at = (ms: number): number => {
    const name = clock.formatToParts(ms).find(part => part.type === 'timeZoneName')?.value ?? ''
    const m = /([+-])(\d{2}):(\d{2})/.exec(name)
    return m === null ? 0 : (m[1] === '-' ? -1 : 1) * (Number(m[2]) * 60 + Number(m[3]))
  }
  // Zones change on the quarter of an hour at most, and lines come by the thousand from one.
  const known = new Map<number, number>()
  return localMs => {
    if (Number.isNaN(localMs)) return 0
    const quarter = Math.floor((4 * localMs) / HOUR)
    let minutes = known.get(quarter)
    if (minutes === undefined) {
      const guess = at(localMs - at(localMs) * 60_000)
      minutes = at(localMs - guess * 60_000)
      if (known.size >= MOST_HOURS) known.clear()
      known.set(quarter, minutes)
    }
    return minutes
  }
}
