import { copyFileSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { FRESH_US, SIGNATURE, SIGNED_AT, SIGNER, sealIn } from './seal.ts'

const folder = () => mkdtempSync(path.join(tmpdir(), 'aegis-'))
const TOPIC = 'remediation.decisions'
const NOW = 1_800_000_000_000_000
let remediator: ReturnType<typeof sealIn>
let executor: ReturnType<typeof sealIn>
let stranger: ReturnType<typeof sealIn>
beforeAll(() => {
  const [a, b] = [folder(), folder()]
  executor = sealIn(b, 'executor')
  remediator = sealIn(a, 'remediator')
  copyFileSync(path.join(a, 'remediator.key.pub'), path.join(b, 'remediator.key.pub'))
  stranger = sealIn(folder(), 'remediator')
})
/** As a real broker hands it over: headers are bytes. */
const record = (value: Uint8Array, headers: Readonly<Record<string, string>>, at = NOW, topic = TOPIC) => ({
  topic,
  value,
  headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
  timestamp: at / 1000,
})

describe('seal', () => {
  it('takes approvals of the gateway and of the api, and decisions of neither', () => {
    const [mine, theirs] = [folder(), folder()]
    const reader = sealIn(mine, 'executor')
    for (const who of ['gateway', 'api']) {
      const speaker = sealIn(theirs, who)
      copyFileSync(path.join(theirs, `${who}.key.pub`), path.join(mine, `${who}.key.pub`))
      const value = Buffer.from(who)
      const said = record(value, speaker.sign('remediation.approvals', value, NOW), NOW, 'remediation.approvals')
      expect(reader.objection(said)).toBeUndefined()
      expect(speaker.sign(TOPIC, value, NOW)).toEqual({})
    }
  })

  it('takes what the right one signed, and leaves alone what needs no proof', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), value => {
        expect(executor.objection(record(value, remediator.sign(TOPIC, value, NOW), NOW + 1_000_000))).toBeUndefined()
      }),
      { seed: 31, numRuns: 100 },
    )
    expect(executor.objection(record(Buffer.from('x'), {}, NOW, 'logs.raw'))).toBeUndefined()
    expect(executor.sign(TOPIC, Buffer.from('x'), NOW)).toEqual({})
  })

  it('objects to each of 1,000 forged, altered, misdirected and replayed records', () => {
    const value = fc.uint8Array({ minLength: 1, maxLength: 100 })
    fc.assert(
      fc.property(value, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.integer({ min: 0, max: 7 }), (bytes, at, flip, how) => {
        const good = remediator.sign(TOPIC, bytes, NOW)
        const altered = Uint8Array.from(bytes)
        altered[at % altered.length] ^= flip
        const tries = [
          record(bytes, {}),
          record(altered, good),
          record(bytes, stranger.sign(TOPIC, bytes, NOW)),
          record(bytes, { ...good, [SIGNER]: 'executor' }),
          record(bytes, { ...good, [SIGNED_AT]: String(NOW + 1) }),
          record(bytes, good, NOW + FRESH_US + 1 + at),
          record(bytes, { ...good, [SIGNATURE]: Buffer.from(altered).toString('base64') }),
          record(bytes, good, NOW, 'controls'),
        ]
        expect(executor.objection(tries[how])).toBeDefined()
      }),
      { seed: 32, numRuns: 1000 },
    )
  })

  it('takes a new key of the same service', () => {
    const [a, b] = [folder(), folder()]
    const own = sealIn(b, 'executor')
    const value = Buffer.from('x')
    for (const from of [a, folder()]) {
      const next = sealIn(from, 'remediator')
      expect(own.objection(record(value, next.sign(TOPIC, value, NOW)))).toBeDefined()
      copyFileSync(path.join(from, 'remediator.key.pub'), path.join(b, 'remediator.key.pub'))
      expect(own.objection(record(value, next.sign(TOPIC, value, NOW)))).toBeUndefined()
    }
  })
})
