import type { DeadLetter } from '@aegis/runtime'

const MOST = 5000

/** Dead letters that wait: those that came, without those that were put back. */
export class LetterBook {
  readonly #letters = new Map<string, DeadLetter>()
  readonly #gone = new Set<string>()

  take(letters: readonly DeadLetter[]): void {
    for (const letter of letters) {
      const at = (offset: number) => `${letter.stream}/${letter.partition}/${offset}`
      if (letter.putBack !== null) {
        this.#letters.delete(at(letter.putBack))
        this.#gone.add(at(letter.putBack))
      } else if (!this.#gone.has(at(letter.offset))) this.#letters.set(at(letter.offset), letter)
    }
    for (const key of this.#letters.keys()) if (this.#letters.size > MOST) this.#letters.delete(key)
  }
  /** Newest first. */
  all(stream?: string): DeadLetter[] {
    return [...this.#letters.values()].filter(l => stream === undefined || l.stream === stream).reverse()
  }
}
