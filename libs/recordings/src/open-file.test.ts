import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { seededRandom } from '@aegis/domain'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openFile } from './open-file.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'aegis-open-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function read(name: string, bytes: string | Uint8Array): Promise<string> {
  const file = join(folder, name)
  writeFileSync(file, bytes)
  const parts: Buffer[] = []
  for await (const part of openFile(file, 'name a log')) parts.push(Buffer.from(part as Buffer))
  return Buffer.concat(parts).toString()
}
const text = 'order 1 \u001b[31mfailed\u001b[0m\nBestellung 2 gelöscht\n'.repeat(400)
const noise = (length: number) => Uint8Array.from({ length }, seededByte())
function seededByte() {
  const random = seededRandom(4)
  return () => Math.floor(256 * random())
}

test.each<[string, string | Uint8Array]>([
  ['plain.log', text],
  ['packed.log.gz', gzipSync(text)],
  ['packed-by-another-name', gzipSync(text)],
  ['windows.log', Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['unmarked.log', Buffer.from(text, 'utf16le')],
  ['big-endian.log', Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
  ['unmarked-big-endian.log', Buffer.from(text, 'utf16le').swap16()],
  ['packed-windows.gz', gzipSync(Buffer.from(`\ufeff${text}`, 'utf16le'))],
  ['latin1.log', Buffer.from(text, 'latin1')],
])('%s is read as text', async (name, bytes) => expect(await read(name, bytes)).toBe(text))

test('each line is read in the character set that it is in', async () => {
  expect(
    await read('mixed.log', Buffer.concat([Buffer.from('gelöscht\n'), Buffer.from('gelöscht\n', 'latin1'), Buffer.from('ü')])),
  ).toBe('gelöscht\ngelöscht\nü')
  expect(await read('empty.log', '')).toBe('')
})

test.each<[string, string | Uint8Array, string]>([
  ['noise.log', noise(5000), 'is no text: 1'],
  ['packed-noise.gz', gzipSync(noise(5000)), 'is no text: 1'],
  ['misnamed.gz', text, 'is called .gz and is no gzip file'],
  ['cut.gz', gzipSync(text).subarray(0, 80), 'unexpected end of file'],
])('%s is refused', async (name, bytes, message) => expect(read(name, bytes)).rejects.toThrow(message))

test('what is not there and folders are refused', () => {
  expect(() => openFile(join(folder, 'none'), '')).toThrow('does not exist')
  expect(() => openFile(folder, 'name a log')).toThrow('is a folder; name a log')
})
