/** The last time that a cron schedule was due, after crontab(5): five fields with lists, ranges and steps, and the usual words. */
const WORDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}
const NAMES = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const MINUTE = 60_000
/** How far back is looked, days. */
const HORIZON = 400

const setOf = (field: string, least: number, most: number): Set<number> | undefined => {
  const found = new Set<number>()
  for (const part of field.toLowerCase().split(',')) {
    const m = /^(\*|\?|[a-z\d]+)(?:-([a-z\d]+))?(?:\/(\d+))?$/.exec(part)
    if (!m) return undefined
    const number = (text: string) => {
      const named = most === 12 ? NAMES.indexOf(text) + 1 : most === 7 ? DAYS.indexOf(text) : -1
      return /^\d+$/.test(text) ? Number(text) : named
    }
    const any = m[1] === '*' || m[1] === '?'
    const from = any ? least : number(m[1])
    const to = m[2] ? number(m[2]) : any || m[3] ? most : from
    const step = Number(m[3] ?? 1)
    if (from < least || to > most || from > to || step < 1) return undefined
    for (let v = from; v <= to; v += step) found.add(v)
  }
  return found
}

/**
 * The last minute at or before `now` at which the schedule was due, milliseconds; undefined when it is no schedule or was not due within a year.
 * @param zone name of a time zone; UTC unless given
 */
export const lastDue = (schedule: string, now: number, zone = 'UTC'): number | undefined => {
  const fields = (WORDS[schedule.trim().toLowerCase()] ?? schedule).trim().split(/\s+/)
  if (fields.length !== 5) return undefined
  const [minutes, hours, days, months, weekdays] = [
    [0, 59],
    [0, 23],
    [1, 31],
    [1, 12],
    [0, 7],
  ].map(([a, b], i) => setOf(fields[i], a, b))
  if (!minutes || !hours || !days || !months || !weekdays) return undefined
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      weekday: 'short',
    })
  } catch {
    return undefined
  }
  let at = Math.floor(now / MINUTE) * MINUTE
  const end = now - HORIZON * 1440 * MINUTE
  while (at > end) {
    const p = Object.fromEntries(format.formatToParts(at).map(x => [x.type, x.value]))
    const weekday = DAYS.indexOf(p.weekday.toLowerCase())
    const onDay = days.has(Number(p.day))
    const onWeekday = weekdays.has(weekday) || (weekday === 0 && weekdays.has(7))
    // Both given: either will do.
    const today = fields[2] === '*' || fields[4] === '*' ? onDay && onWeekday : onDay || onWeekday
    if (!months.has(Number(p.month)) || !today) at -= (Number(p.hour) * 60 + Number(p.minute) + 1) * MINUTE
    else if (!hours.has(Number(p.hour))) at -= (Number(p.minute) + 1) * MINUTE
    else if (!minutes.has(Number(p.minute))) at -= MINUTE
    else return at
  }
  return undefined
}
