import { Transform } from 'node:stream'

/** UTF-16 either way, told by its mark or by where its zeros stand. */
export function utf16Of(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  const length = head.length & ~1
  if (length < 8) return undefined
  let even = 0
  let odd = 0
  for (let i = 0; i < length; i += 2) {
    if (head[i] === 0) even++
    if (head[i + 1] === 0) odd++
  }
  const pairs = length / 2
  if (odd > 0.4 * pairs && even < 0.05 * pairs) return 'utf-16le'
  return even > 0.4 * pairs && odd < 0.05 * pairs ? 'utf-16be' : undefined
}

/** Bytes to UTF-8. A line that is no UTF-8 is read as Latin-1 (windows-1252), which every line is. */
export function decodeText(encoding: 'utf-16le' | 'utf-16be' | undefined): Transform {
  if (encoding !== undefined) {
    const decoder = new TextDecoder(encoding)
    return new Transform({
      transform: (chunk: Buffer, _, done) => done(null, decoder.decode(chunk, { stream: true })),
      flush: done => done(null, decoder.decode()),
    })
  }
  let rest: Buffer[] = []
  return new Transform({
    transform(chunk: Buffer, _, done) {
      const end = chunk.lastIndexOf(10) + 1
      if (end === 0) rest.push(chunk)
      else {
        this.push(utf8Of(Buffer.concat([...rest, chunk.subarray(0, end)])))
        rest = end < chunk.length ? [chunk.subarray(end)] : []
      }
      done()
    },
    flush: done => done(null, rest.length === 0 ? null : utf8Of(Buffer.concat(rest))),
  })
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const LATIN = new TextDecoder('windows-1252')

function utf8Of(bytes: Buffer): Buffer {
  if (isUtf8(bytes)) return bytes
  const lines: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at) + 1 || bytes.length
    const line = bytes.subarray(at, end)
    lines.push(isUtf8(line) ? line : Buffer.from(LATIN.decode(line)))
    at = end
  }
  return Buffer.concat(lines)
}

function isUtf8(bytes: Buffer): boolean {
  try {
    UTF8.decode(bytes)
    return true
  } catch {
    return false
  }
}
