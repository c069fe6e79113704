import { readFileSync } from 'node:fs'
import { type LineHints, localZone, userFormats } from '@aegis/log-mining'
import { parse } from 'yaml'

/**
 * What the settings say of all lines: the zone of times that name none, and formats of the user's own.
 *
 * @throws Error that names the setting, what is wrong and what to do
 */
export function readHints({ zone, formats }: { readonly zone?: string; readonly formats?: string }): LineHints {
  const hints: { zoneMinutes?: LineHints['zoneMinutes']; formats?: LineHints['formats'] } = {}
  if (zone && zone !== 'UTC')
    try {
      hints.zoneMinutes = localZone(zone)
    } catch {
      throw new Error(`${zone} is no zone; name a place such as Europe/Berlin, or an offset such as +02:00`)
    }
  if (formats)
    try {
      hints.formats = userFormats(parse(readFileSync(formats, 'utf8')))
    } catch (error) {
      throw new Error(`${formats}: ${(error as Error).message}`, { cause: error })
    }
  return hints
}
