import { promisify } from 'node:util'
import { gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib'
import type { FastifyRequest } from 'fastify'

type Open = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>
const unzip = {
  gzip: promisify(gunzip) as Open,
  deflate: promisify(inflate) as Open,
  raw: promisify(inflateRaw) as Open,
  zstd: promisify(zstdDecompress) as Open,
}
const withStatus = (statusCode: number, message: string): Error => Object.assign(new Error(message), { statusCode })

/** What every way in shares: how much may be under way, and how large a body may become when it is unpacked. */
export class Door {
  readonly #maxBodyBytes: number
  readonly #maxInFlightBytes: number
  #inFlight = 0
  /** Bytes that a request under way grew by when it was unpacked. */
  readonly #inflated = new WeakMap<FastifyRequest, number>()

  constructor({ maxBodyBytes, maxInFlightBytes }: { maxBodyBytes: number; maxInFlightBytes: number }) {
    this.#maxBodyBytes = maxBodyBytes
    this.#maxInFlightBytes = maxInFlightBytes
  }

  /** Counts the bytes as long as the work goes on; throws with status 429 where too many are under way. */
  async hold<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (this.#inFlight + bytes > this.#maxInFlightBytes) throw withStatus(429, 'the broker is behind; try again')
    this.#inFlight += bytes
    try {
      return await work()
    } finally {
      this.#inFlight -= bytes
    }
  }
  accept<T>(request: FastifyRequest, work: () => Promise<T>): Promise<T> {
    return this.hold((request.body as Buffer)?.length ?? 0, async () => {
      try {
        return await work()
      } finally {
        this.#inFlight -= this.#inflated.get(request) ?? 0
      }
    })
  }

  /** The body unpacked; throws with status 415, 413 or 400. */
  async plain(request: FastifyRequest): Promise<Buffer> {
    const body = (request.body as Buffer | undefined) ?? Buffer.alloc(0)
    const encoding = request.headers['content-encoding']?.trim().toLowerCase().replace(/^x-/, '')
    if (!encoding || encoding === 'identity') return body
    const open = encoding === 'zlib' ? unzip.deflate : encoding === 'raw' ? undefined : unzip[encoding as keyof typeof unzip]
    if (!open) throw withStatus(415, `content-encoding ${encoding} is not understood; use gzip, deflate, zstd or none`)
    const options = { maxOutputLength: this.#maxBodyBytes }
    try {
      // Some clients leave out the zlib header that "deflate" means.
      const plain = await open(body, options).catch(error => {
        if (encoding !== 'deflate' || error.code === 'ERR_BUFFER_TOO_LARGE') throw error
        return unzip.raw(body, options)
      })
      const grown = Math.max(0, plain.length - body.length)
      if (this.#inFlight + grown > this.#maxInFlightBytes) throw withStatus(429, 'the broker is behind; try again')
      this.#inFlight += grown
      this.#inflated.set(request, grown)
      return plain
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode === 429) throw error
      if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE')
        throw withStatus(413, `body unpacks to more than the ${this.#maxBodyBytes} bytes that AEGIS_MAX_BODY_BYTES allows`)
      throw withStatus(400, `body is not ${encoding}: ${(error as Error).message}`)
    }
  }
}
