/**
 * Which rules may find something in a text, by one pass over it: the last three characters are looked up in a table, and only where they end the beginning of a rule's
 * trigger is the trigger compared whole. The cost is that of reading the text once.
 */
const SIZE = 1 << 15
/** Small letters for capitals; whatever is not ASCII is alike. */
const FOLD = new Uint8Array(128).map((_, code) => (code >= 65 && code <= 90 ? code + 32 : code))

/** What is looked for besides triggers. */
export const AT = -1
export const CARD = -2
export const RANDOM = -3
/** Digits of the shortest card, and characters of the shortest thing that is called random. */
const CARD_DIGITS = 13
const RANDOM_CHARACTERS = 20

interface Trigger {
  readonly text: string
  readonly rule: number
}
export class Occasions {
  readonly #table: (Trigger[] | undefined)[] = new Array(SIZE)
  readonly #known = new Uint8Array(SIZE)

  constructor(triggers: readonly (readonly string[])[]) {
    for (const [rule, texts] of triggers.entries())
      for (const given of texts) {
        const text = given.toLowerCase()
        let hash = 0
        for (let i = 0; i < 3; i++) hash = ((hash << 5) ^ text.charCodeAt(i)) & (SIZE - 1)
        this.#known[hash] = 1
        ;(this.#table[hash] ??= []).push({ text, rule })
      }
  }

  /** Places of the rules with an occasion in this text; `found` is filled with them. */
  in(text: string, found: Set<number>): void {
    const known = this.#known
    let hash = 0
    let digits = 0
    let run = 0
    let mixed = 0
    for (let i = 0, length = text.length; i < length; i++) {
      const code = text.charCodeAt(i)
      const c = code < 128 ? (FOLD[code] as number) : 127
      hash = ((hash << 5) ^ c) & (SIZE - 1)
      if (known[hash] === 1 && i > 1) this.#compare(text, i - 2, hash, found)
      if (c <= 57 && c >= 48) {
        if (++digits === CARD_DIGITS) found.add(CARD)
        run++
        mixed |= 1
      } else if (c >= 97 && c <= 122) {
        digits = 0
        run++
        mixed |= 2
      } else {
        if (c !== 32 && c !== 45) digits = 0
        if (c === 64) found.add(AT)
        if (c !== 95 && c !== 45 && c !== 43 && c !== 47 && c !== 61) {
          run = 0
          mixed = 0
        } else run++
      }
      if (run === RANDOM_CHARACTERS && mixed === 3) found.add(RANDOM)
    }
  }

  #compare(text: string, at: number, hash: number, found: Set<number>): void {
    for (const trigger of this.#table[hash] as Trigger[]) {
      if (found.has(trigger.rule)) continue
      const { text: wanted } = trigger
      let i = 0
      while (i < wanted.length) {
        const code = text.charCodeAt(at + i)
        if ((code < 128 ? FOLD[code] : code) !== wanted.charCodeAt(i)) break
        i++
      }
      if (i === wanted.length) found.add(trigger.rule)
    }
  }
}
