import { closeSync, createReadStream, existsSync, openSync, readSync, statSync } from 'node:fs'
import { constants, createGunzip, gunzipSync } from 'node:zlib'
import { AegisError } from '@aegis/domain'

const HEAD = 8192
/** Bytes under 0x20 that text holds: tab, line ends, form feed, the escape of colours. */
const TEXTUAL = new Set([9, 10, 12, 13, 27])

/**
 * The text of a file as a stream, unpacked where it is gzip (told by its first bytes, not its name), decoded where it is UTF-16 with its mark; `-` is standard input.
 *
 * @param advice what to name instead of a folder
 * @throws AegisError INPUT_INVALID for what is not there, a folder, and bytes that are no text
 */
export function openFile(file: string, advice: string): NodeJS.ReadableStream {
  if (file === '-') return process.stdin
  if (!existsSync(file)) throw new AegisError('INPUT_INVALID', `${file} does not exist`)
  const stat = statSync(file)
  if (stat.isDirectory()) throw new AegisError('INPUT_INVALID', `${file} is a folder; ${advice}`)
  // A pipe gives its first bytes only once.
  const head = stat.isFile() ? headOf(file) : Buffer.alloc(0)
  if (head[0] === 0xff && head[1] === 0xfe) return createReadStream(file, { encoding: 'utf16le', start: 2 })
  const packed = stat.isFile() ? head[0] === 0x1f && head[1] === 0x8b : file.endsWith('.gz')
  if (file.endsWith('.gz') && !packed && head.length > 0)
    throw new AegisError('INPUT_INVALID', `${file} is called .gz and is no gzip file; name it otherwise if it is text`)
  const text = packed ? unpackedHead(head) : head
  const odd = text.filter(byte => (byte < 32 && !TEXTUAL.has(byte)) || byte === 127).length
  if (odd > 0.05 * text.length)
    throw new AegisError(
      'INPUT_INVALID',
      `${file} is no text: ${Math.round((100 * odd) / text.length)} % of its first bytes are control characters; unpack or convert it first (UTF-8 is read, gzip too)`,
    )
  const bytes = createReadStream(file)
  if (!packed) return bytes
  const unpacked = createGunzip()
  bytes.once('error', error => unpacked.destroy(error))
  return bytes.pipe(unpacked)
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
