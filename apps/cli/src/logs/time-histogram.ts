/** Counts over time without knowing beforehand how long it will be: when the span outgrows its buckets, they become twice as wide. */
export class TimeHistogram {
  readonly #buckets: number
  #width: number
  #first = Number.POSITIVE_INFINITY
  #last = Number.NEGATIVE_INFINITY
  #counts = new Map<string, Map<number, number>>()

  /** @param buckets most buckets ever used; @param width of the narrowest, in the unit of the times */
  constructor(buckets: number, width: number) {
    this.#buckets = buckets
    this.#width = width
  }

  add(key: string, time: number, n = 1): void {
    this.#first = Math.min(this.#first, time)
    this.#last = Math.max(this.#last, time)
    while (Math.floor(this.#last / this.#width) - Math.floor(this.#first / this.#width) >= this.#buckets) this.#widen()
    let counts = this.#counts.get(key)
    if (!counts) this.#counts.set(key, (counts = new Map()))
    const bucket = Math.floor(time / this.#width)
    counts.set(bucket, (counts.get(bucket) ?? 0) + n)
  }

  #widen(): void {
    this.#width *= 2
    for (const [key, counts] of this.#counts) {
      const wide = new Map<number, number>()
      for (const [bucket, n] of counts) {
        const at = Math.floor(bucket / 2)
        wide.set(at, (wide.get(at) ?? 0) + n)
      }
      this.#counts.set(key, wide)
    }
  }

  get span(): { from: number; to: number } | undefined {
    return this.#first <= this.#last ? { from: this.#first, to: this.#last } : undefined
  }

  /** Counts of the key in `columns` equal parts of the whole span, oldest first. */
  columns(keys: readonly string[], columns: number): number[] {
    const out = new Array<number>(columns).fill(0)
    if (!this.span) return out
    const from = Math.floor(this.#first / this.#width)
    const parts = Math.floor(this.#last / this.#width) - from + 1
    for (const key of keys)
      for (const [bucket, n] of this.#counts.get(key) ?? []) out[Math.floor(((bucket - from) * columns) / parts)] += n
    return out
  }
}
