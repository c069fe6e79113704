import { existsSync, statSync } from 'node:fs'
import { AegisError } from '@aegis/domain'
import type { LineHints } from '@aegis/log-mining'
import { readHints } from '@aegis/log-parser/read-hints'

/**
 * What is known of a file's lines beforehand: zone and formats as the service would have them, and that it was last written when its last line
 * was, so a time without a year is of before then.
 *
 * @throws AegisError INPUT_INVALID for a zone or a file of formats that cannot be read
 */
export function hintsFor(file: string, options: { readonly zone?: string; readonly formats?: string }): LineHints {
  const written =
    file !== '-' && existsSync(file) && statSync(file).isFile() ? Math.round(statSync(file).mtimeMs * 1000) : undefined
  try {
    const hints = readHints({
      zone: options.zone ?? process.env.AEGIS_LOG_ZONE,
      formats: options.formats ?? process.env.AEGIS_LOG_FORMATS,
    })
    return written === undefined ? hints : { ...hints, observedTimeUs: written }
  } catch (error) {
    throw new AegisError('INPUT_INVALID', (error as Error).message, { cause: error })
  }
}
