/**
 * Proof of who wrote a record: Ed25519 (RFC 8032) over topic, time and the bytes of the value, in the record's headers. The value itself stays as the stage made it, so
 * replays compare the same bytes.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { approvals, controls, controlsWanted, decisions, outcomes, standstills } from '@aegis/domain'
import { writePrivately } from './keys-file.ts'

export const SIGNER = 'aegis-signer'
export const SIGNED_AT = 'aegis-signed-at'
export const SIGNATURE = 'aegis-signature'
/** Longest between signing and the broker's time of writing, microseconds: what is copied onto the topic later is refused. */
export const FRESH_US = 60_000_000

const signed = (topic: string, signer: string, at: string, value: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`aegis 1\0${topic}\0${signer}\0${at}\0`), value])

/** A service's own key, made where there is none; the file is its owner's only, and `<file>.pub` is for those who verify. */
export const privateKeyIn = (file: string): KeyObject => {
  if (!existsSync(file)) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    writePrivately(file, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
    writePrivately(`${file}.pub`, publicKey.export({ type: 'spki', format: 'pem' }) as string)
  }
  return createPrivateKey(readFileSync(file, 'utf8'))
}
export const publicKeyIn = (file: string): KeyObject => createPublicKey(readFileSync(file, 'utf8'))

export const sealOf = (
  key: KeyObject,
  signer: string,
  topic: string,
  value: Uint8Array,
  nowUs: number,
): Readonly<Record<string, string>> => {
  const at = String(Math.round(nowUs))
  return {
    [SIGNER]: signer,
    [SIGNED_AT]: at,
    [SIGNATURE]: sign(null, signed(topic, signer, at, value), key).toString('base64'),
  }
}

/**
 * Why a record is not to be trusted; undefined where it is.
 * @param keys public keys of those who may write this stream, by signer
 * @param writtenUs when the broker wrote it, microseconds
 */
export const objectionTo = (
  record: {
    readonly topic: string
    readonly value: Uint8Array
    readonly headers: Readonly<Record<string, unknown>>
  },
  keys: ReadonlyMap<string, KeyObject>,
  writtenUs: number,
): string | undefined => {
  const [signer, at, signature] = [SIGNER, SIGNED_AT, SIGNATURE].map(name => String(record.headers[name] ?? ''))
  if (!signer || !at || !signature) return 'it is not signed'
  const key = keys.get(signer)
  if (!key) return `${signer.slice(0, 40)} may not write ${record.topic}`
  if (!verify(null, signed(record.topic, signer, at, record.value), key, Buffer.from(signature, 'base64')))
    return `its signature is not ${signer}'s`
  if (!(Math.abs(Number(at) - writtenUs) <= FRESH_US)) return 'it was signed at another time than it was written'
  return undefined
}

/** Who alone may write the streams that move hands. */
const WRITERS: Readonly<Record<string, readonly string[]>> = {
  [decisions.name]: ['remediator'],
  [outcomes.name]: ['executor'],
  [approvals.name]: ['gateway', 'api'],
  [controlsWanted.name]: ['gateway', 'api'],
  [controls.name]: ['clock'],
  [standstills.name]: ['executor'],
}
const fileOf = (folder: string, service: string): string => path.join(folder, `${service}.key`)

/**
 * A service's hand and eye: signs what it alone may write, and objects to what others wrote in its place.
 * @param folder holds its own private key, `<service>.key`, made where there is none, and `<service>.key.pub` of the others
 */
export const sealIn = (folder: string, service: string) => {
  const own = privateKeyIn(fileOf(folder, service))
  const known = new Map<string, KeyObject>()
  const read = (signer: string): void => {
    const file = `${fileOf(folder, signer)}.pub`
    if (existsSync(file)) known.set(signer, publicKeyIn(file))
  }
  return {
    sign: (topic: string, value: Uint8Array, nowUs: number): Readonly<Record<string, string>> =>
      WRITERS[topic]?.includes(service) ? sealOf(own, service, topic, value, nowUs) : {},
    objection: (record: {
      readonly topic: string
      readonly value: Uint8Array | null
      readonly headers: Readonly<Record<string, unknown>>
      readonly timestamp: number
    }): string | undefined => {
      const { topic, value, headers, timestamp } = record
      const writers = WRITERS[topic]
      if (writers === undefined || value === null) return undefined
      const judge = () =>
        objectionTo({ topic, value, headers }, new Map([...known].filter(([name]) => writers.includes(name))), timestamp * 1000)
      const objection = judge()
      const signer = String(headers[SIGNER] ?? '')
      if (objection === undefined || !writers.includes(signer)) return objection
      // Its key may be newer than what we hold: made at its first start, or changed since.
      read(signer)
      return judge()
    },
  }
}
