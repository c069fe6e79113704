/**
 * A sum of vectors of which the one who adds them up sees nothing but the sum. Bonawitz et al. 2017, "Practical secure aggregation": each pair of sites agrees on a secret
 * (X25519), one adds the numbers that follow from it and the other subtracts them, so that they cancel in the sum; each site adds numbers of its own besides. Secrets are
 * shared out (Shamir 1979), so that the masks of a site that drops out can be taken back by any `threshold` of the others: of a site that is gone its pair secrets, of one
 * that answered its own. Never both, or its vector would be seen.
 *
 * Numbers are fixed point modulo 2^32: a sum must lie within ±2^31 / SCALE.
 */
import { createCipheriv, createHash, createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto'

export const SCALE = 2 ** 16
/** Field of the shares: the Mersenne prime 2^521 - 1. */
const PRIME = 2n ** 521n - 1n

const fixed = (x: number): number => {
  const scaled = Math.round(x * SCALE)
  if (!Number.isFinite(scaled) || Math.abs(scaled) >= 2 ** 31) throw new Error(`${x} does not fit into a masked sum`)
  return scaled | 0
}
/** Numbers that follow from a secret: AES-256 in counter mode over zeros. */
function stream(secret: Uint8Array, length: number): Int32Array {
  const key = createHash('sha256').update(secret).digest()
  const bytes = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(4 * length))
  return new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 4 * length))
}

const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const keyOf = (secret: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: 'der', type: 'pkcs8' })
const agreed = (own: KeyObject, other: KeyObject): Buffer => diffieHellman({ privateKey: own, publicKey: other })

export type Share = readonly [x: number, y: bigint]
const modulo = (x: bigint): bigint => ((x % PRIME) + PRIME) % PRIME
function power(base: bigint, exponent: bigint): bigint {
  let [result, b, e] = [1n, modulo(base), exponent]
  while (e > 0n) {
    if (e & 1n) result = (result * b) % PRIME
    b = (b * b) % PRIME
    e >>= 1n
  }
  return result
}
/** @param bytes random bytes, asked for as often as they are needed */
export function shareOut(secret: Uint8Array, sites: number, threshold: number, bytes: (n: number) => Uint8Array): Share[] {
  const number = (b: Uint8Array) => BigInt(`0x${Buffer.from(b).toString('hex')}`)
  const factors = [number(secret), ...Array.from({ length: threshold - 1 }, () => modulo(number(bytes(66))))]
  return Array.from({ length: sites }, (_, i) => {
    const x = BigInt(i + 1)
    return [i + 1, factors.reduceRight((sum, factor) => modulo(sum * x + factor), 0n)] as const
  })
}
export function together(shares: readonly Share[]): Uint8Array {
  let secret = 0n
  for (const [xi, yi] of shares) {
    let [over, under] = [1n, 1n]
    for (const [xj] of shares) {
      if (xj === xi) continue
      over = modulo(over * BigInt(-xj))
      under = modulo(under * BigInt(xi - xj))
    }
    secret = modulo(secret + yi * over * power(under, PRIME - 2n))
  }
  return Buffer.from(secret.toString(16).padStart(64, '0'), 'hex')
}

/** One site: its two secrets, and what it holds of those of the others. */
export class MaskedSite {
  readonly id: number
  readonly #secret: Uint8Array
  readonly #own: Uint8Array
  readonly #key: KeyObject
  readonly #bytes: (n: number) => Uint8Array
  /** Shares held for others: of the secret behind the pairs, and of their own. */
  readonly #held = new Map<number, { pair: Share; own: Share }>()
  #publicKeys: readonly KeyObject[] = []
  #sent = false

  /** @param bytes cryptographically random bytes, but in tests */
  constructor(id: number, bytes: (n: number) => Uint8Array) {
    this.id = id
    this.#bytes = bytes
    this.#secret = Buffer.from(bytes(32))
    this.#own = Buffer.from(bytes(32))
    this.#key = keyOf(this.#secret)
  }
  get publicKey(): KeyObject {
    return createPublicKey(this.#key)
  }
  /** What each other site is to keep for it, in the order of sites; meant for its eyes only. */
  shares(sites: number, threshold: number): { pair: Share; own: Share }[] {
    const pair = shareOut(this.#secret, sites, threshold, this.#bytes)
    const own = shareOut(this.#own, sites, threshold, this.#bytes)
    return pair.map((share, i) => ({ pair: share, own: own[i] as Share }))
  }
  meet(publicKeys: readonly KeyObject[], shares: readonly { pair: Share; own: Share }[]): void {
    this.#publicKeys = publicKeys
    for (const [id, share] of shares.entries()) this.#held.set(id, share)
  }
  /** Its vector, behind masks that only the sum of all takes off. */
  masked(vector: ArrayLike<number>): Int32Array {
    if (this.#sent) throw new Error('a site masks one vector: secrets are told afterwards, and a second one would be seen')
    this.#sent = true
    const out = Int32Array.from(vector, fixed)
    const own = stream(this.#own, out.length)
    for (let i = 0; i < out.length; i++) out[i] = ((out[i] as number) + (own[i] as number)) | 0
    for (const [id, key] of this.#publicKeys.entries()) if (id !== this.id) addMask(out, agreed(this.#key, key), this.id < id)
    return out
  }
  /** What it gives to take masks off: of those who answered the share of their own secret, of those who did not that of their pairs. */
  reveal(answered: ReadonlySet<number>): Map<number, Share> {
    return new Map([...this.#held].map(([id, { pair, own }]) => [id, answered.has(id) ? own : pair]))
  }
}
function addMask(into: Int32Array, secret: Uint8Array, plus: boolean): void {
  const mask = stream(secret, into.length)
  for (let i = 0; i < into.length; i++)
    into[i] = plus ? ((into[i] as number) + (mask[i] as number)) | 0 : ((into[i] as number) - (mask[i] as number)) | 0
}

/** Keys and shares go round once for each sum: what takes the masks off would take them off the next one as well. */
export function meetAll(sites: readonly MaskedSite[], threshold: number): KeyObject[] {
  const keys = sites.map(site => site.publicKey)
  const shares = sites.map(site => site.shares(sites.length, threshold))
  for (const [i, site] of sites.entries())
    site.meet(
      keys,
      shares.map(of => of[i] as { pair: Share; own: Share }),
    )
  return keys
}

/**
 * The sum of those that answered.
 * @param masked what came, by site
 * @param helpers sites that are still there to give their shares; throws where they are fewer than the threshold
 */
export function unmask(
  masked: ReadonlyMap<number, Int32Array>,
  helpers: readonly MaskedSite[],
  keys: readonly KeyObject[],
  threshold: number,
): Float64Array {
  if (helpers.length < threshold)
    throw new Error(`${helpers.length} sites are left, and ${threshold} are needed to take the masks off`)
  const answered = new Set(masked.keys())
  const revealed = helpers.slice(0, threshold).map(site => site.reveal(answered))
  const [first] = masked.values()
  const sum = new Int32Array(first?.length ?? 0)
  for (const vector of masked.values())
    for (let i = 0; i < sum.length; i++) sum[i] = ((sum[i] as number) + (vector[i] as number)) | 0
  for (const id of keys.keys()) {
    const secret = together(revealed.map(of => of.get(id) as Share))
    if (answered.has(id)) {
      const own = stream(secret, sum.length)
      for (let i = 0; i < sum.length; i++) sum[i] = ((sum[i] as number) - (own[i] as number)) | 0
      continue
    }
    // Those who answered masked against it; it never answered them.
    const gone = keyOf(secret)
    for (const other of answered) addMask(sum, agreed(gone, keys[other] as KeyObject), id < other)
  }
  return Float64Array.from(sum, x => x / SCALE)
}
