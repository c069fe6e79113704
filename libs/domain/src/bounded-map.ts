/**
 * A map that keeps so many entries and no more. The one set or touched longest ago makes room; `onLeave` hears of it. Order is part of what it holds, so
 * that a copy made of its entries goes on as the original does.
 */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #most: number
  readonly #onLeave: ((value: V, key: K) => void) | undefined

  constructor(most: number, onLeave?: (value: V, key: K) => void) {
    super()
    this.#most = most
    this.#onLeave = onLeave
  }

  override set(key: K, value: V): this {
    super.delete(key)
    super.set(key, value)
    if (this.size > this.#most) {
      const [oldest, left] = this.entries().next().value as [K, V]
      super.delete(oldest)
      this.#onLeave?.(left, oldest)
    }
    return this
  }

  /** The entry, which is the newest from now on. */
  touch(key: K): V | undefined {
    const value = this.get(key)
    if (value !== undefined) this.set(key, value)
    return value
  }

  /** Holds these from now on, and nothing else. */
  load(entries: Iterable<readonly [K, V]>): void {
    this.clear()
    for (const [key, value] of entries) this.set(key, value)
  }

  toJSON(): [K, V][] {
    return [...this]
  }
}
