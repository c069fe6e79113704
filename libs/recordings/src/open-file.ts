import { closeSync, createReadStream, existsSync, openSync, readSync, statSync } from 'node:fs'
import { constants, createGunzip, gunzipSync } from 'node:zlib'
import { AegisError } from '@aegis/domain'
import { decodeText, utf16Of } from './decode-text.ts'

const HEAD = 8192
/** Bytes under 0x20 that text holds: tab, line ends, form feed, the escape of colours. */
const TEXTUAL = new Set([9, 10, 12, 13, 27])

/**
 * The text of a file as a stream of UTF-8, unpacked where it is gzip (told by its first bytes, not its name), decoded where it is UTF-16 or Latin-1; `-` is
 * standard input.
 *
 * @param advice what to name instead of a folder
 * @throws AegisError INPUT_INVALID for what is not there, a folder, and bytes that are no text
 */
export function openFile(file: string, advice: string): NodeJS.ReadableStream {
  if (file === '-') return process.stdin.pipe(decodeText(undefined))
  if (!existsSync(file)) throw new AegisError('INPUT_INVALID', `${file} does not exist`)
  const stat = statSync(file)
  if (stat.isDirectory()) throw new AegisError('INPUT_INVALID', `${file} is a folder; ${advice}`)
  // A pipe gives its first bytes only once.
  const head = stat.isFile() ? headOf(file) : Buffer.alloc(0)
  const packed = stat.isFile() ? head[0] === 0x1f && head[1] === 0x8b : file.endsWith('.gz')
  if (file.endsWith('.gz') && !packed && head.length > 0)
    throw new AegisError('INPUT_INVALID', `${file} is called .gz and is no gzip file; name it otherwise if it is text`)
  const text = packed ? unpackedHead(head) : head
  const encoding = utf16Of(text)
  const odd = encoding !== undefined ? 0 : text.filter(byte => (byte < 32 && !TEXTUAL.has(byte)) || byte === 127).length
  if (odd > 0.05 * text.length)
    throw new AegisError(
      'INPUT_INVALID',
      `${file} is no text: ${Math.round((100 * odd) / text.length)} % of its first bytes are control characters; unpack or convert it first (UTF-8, UTF-16 and Latin-1 are read, gzip too)`,
    )
  const bytes = createReadStream(file)
  const decoded = decodeText(encoding)
  bytes.once('error', error => decoded.destroy(error))
  if (!packed) return bytes.pipe(decoded)
  const unpacked = createGunzip()
  unpacked.once('error', error => decoded.destroy(error))
  return bytes.pipe(unpacked).pipe(decoded)
}

function headOf(file: string): Buffer {
  const head = Buffer.alloc(HEAD)
  const descriptor = openSync(file, 'r')
  try {
    return head.subarray(0, readSync(descriptor, head, 0, HEAD, 0))
  } finally {
    closeSync(descriptor)
  }
}

/** As much as the first bytes hold; what is broken further on shows when it is read. */
function unpackedHead(head: Buffer): Buffer {
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, HEAD)
  } catch {
    return Buffer.alloc(0)
  }
}
