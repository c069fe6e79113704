import { createReadStream, existsSync, statSync } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { AegisError } from '@aegis/domain'

/** A file's bytes, unpacked where its name ends in .gz; `-` is standard input. A folder is refused, with the advice given. */
export function openFile(file: string, advice: string): NodeJS.ReadableStream {
  if (file === '-') return process.stdin
  if (!existsSync(file)) throw new AegisError('INPUT_INVALID', `${file} does not exist`)
  if (statSync(file).isDirectory()) throw new AegisError('INPUT_INVALID', `${file} is a folder; ${advice}`)
  const bytes = createReadStream(file)
  if (!file.endsWith('.gz')) return bytes
  const unpacked = createGunzip()
  bytes.once('error', error => unpacked.destroy(error))
  return bytes.pipe(unpacked)
}
