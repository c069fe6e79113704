import { existsSync, statSync } from 'node:fs'
import type { LineHints } from '@aegis/log-mining'

/** What is known of a file's lines beforehand: it was last written when its last line was, so a time without a year is of before then. */
export function hintsFor(file: string, _options: { readonly zone?: string; readonly formats?: string }): LineHints {
  return file !== '-' && existsSync(file) && statSync(file).isFile()
    ? { observedTimeUs: Math.round(statSync(file).mtimeMs * 1000) }
    : {}
}
