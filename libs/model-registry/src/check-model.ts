/**
 * What is looked at before a model may be used: its size, its digest, who signed it, and that every number in it is one. Bytes come from a topic, a file or
 * another registry; none of them is believed.
 */
import { createHash, type KeyObject, sign, verify } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { AegisError, type ModelVersion } from '@aegis/domain'

/** Most bytes of a model as it travels, and after it was inflated. */
export const MOST_BYTES = 4 * 1024 * 1024
export const MOST_INFLATED = 64 * 1024 * 1024

/** `sha256:` and 64 hexadecimal digits (FIPS 180-4). */
export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** Public keys of those who may sign models, by signer. */
export interface ModelKeys {
  get(signer: string): KeyObject | undefined
}
export interface ModelSigner {
  readonly key: KeyObject
  readonly signer: string
}

/** What a signature stands for: the bytes and the name they are served under, so that good weights cannot be passed off as another model's. */
const signedText = (id: string, version: string, digest: string): Buffer =>
  Buffer.from(`aegis model 1\0${id}\0${version}\0${digest}`)

/** The same version with its digest, and with a signature (Ed25519, RFC 8032) where a key is given. */
export function sealed(model: ModelVersion, by?: ModelSigner): ModelVersion {
  if (!model.weights) return model
  const digest = digestOf(model.weights)
  const lineage: Record<string, string> = { ...model.lineage, digest }
  if (by) {
    lineage.signer = by.signer
    lineage.signature = sign(null, signedText(model.id, model.version, digest), by.key).toString('base64')
  }
  return { ...model, lineage }
}

/**
 * Why the bytes of a version may not be used; undefined where they may.
 * @param keys public keys of those who may sign models; without it signatures are not asked for
 */
export function objectionToModel(model: ModelVersion, keys?: ModelKeys): string | undefined {
  const { weights } = model
  if (!weights) return undefined
  if (weights.length > MOST_BYTES) return `it has ${weights.length} bytes, more than ${MOST_BYTES}`
  const { digest, signer = '', signature = '' } = model.lineage ?? {}
  const own = digestOf(weights)
  if (digest !== undefined && digest !== own) return `its bytes are ${own.slice(0, 19)}…, not ${digest.slice(0, 19)}… as was said`
  if (keys === undefined) return undefined
  const key = keys.get(signer)
  if (!key) return signer ? `${signer.slice(0, 40)} may not sign models` : 'it is not signed'
  return verify(null, signedText(model.id, model.version, own), key, Buffer.from(signature, 'base64'))
    ? undefined
    : `its signature is not ${signer}'s`
}

/** @throws INPUT_INVALID where gzip bytes are none, or hold more than `most` bytes */
export function inflate(bytes: Uint8Array, what: string, most = MOST_INFLATED): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: most })
  } catch (cause) {
    const large = (cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE'
    throw new AegisError(
      'INPUT_INVALID',
      large ? `${what} holds more than ${most} bytes` : `${what} cannot be inflated: ${(cause as Error).message}`,
      { cause },
    )
  }
}

/** Where a number that is none stands in plain data, such as `members.0.weights.3`; undefined where all are numbers. */
export function notFinite(value: unknown, most = 10_000_000): string | undefined {
  const left: [at: string, value: unknown][] = [['', value]]
  for (let seen = 0; left.length > 0; seen++) {
    const [at, one] = left.pop() as [string, unknown]
    if (seen > most) return `${at} (more than ${most} values)`
    if (typeof one === 'number' && !Number.isFinite(one)) return at
    if (ArrayBuffer.isView(one) && !(one instanceof DataView)) {
      const list = one as unknown as ArrayLike<number>
      for (let i = 0; i < list.length; i++) if (!Number.isFinite(Number(list[i]))) return `${at}.${i}`.replace(/^\./, '')
    } else if (one !== null && typeof one === 'object')
      for (const [key, inner] of Object.entries(one)) left.push([at ? `${at}.${key}` : key, inner])
  }
  return undefined
}

/**
 * Where plain data is not of the form of a sample: a key that is missing, or something of another type. Lists are held against their first entry; an empty list in the
 * sample says only that it is a list, and `null` says nothing.
 */
export function unlike(sample: unknown, value: unknown, at = ''): string | undefined {
  if (sample === null || sample === undefined) return undefined
  if (Array.isArray(sample)) {
    if (!Array.isArray(value)) return at || 'all of it'
    if (sample.length === 0) return undefined
    for (const [i, one] of value.entries()) {
      const found = unlike(sample[0], one, `${at}.${i}`)
      if (found) return found
    }
    return undefined
  }
  if (typeof sample === 'object') {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return at || 'all of it'
    for (const [key, inner] of Object.entries(sample)) {
      const path = at ? `${at}.${key}` : key
      if (!(key in value)) return path
      const found = unlike(inner, (value as Record<string, unknown>)[key], path)
      if (found) return found
    }
    return undefined
  }
  return typeof sample === typeof value ? undefined : at || 'all of it'
}
