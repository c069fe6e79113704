/**
 * Masks: one pass over a log line that tells its fixed words from its values.
 *
 * The line is cut into atoms (words, punctuation, values). A value is recognised by its shape alone: numbers, hex, versions, identifiers with
 * digits, addresses, hosts, paths, URLs, times, sizes, booleans, and the name after the word "user". No regular expression and no
 * backtracking: every character is looked at a bounded number of times, so the work is linear in the length of the line.
 *
 * Two hashes of the line's skeleton come out of the same pass. In the skeleton a run of values ("1 2 3", "a1, a2") counts once, and a unit after a
 * number ("5 ms") does not count, so lines that differ only in the length of a list or in an auto-scaled unit share it.
 */
import {
  AT,
  addressEnd,
  allHex,
  BOOLEAN,
  COLON,
  colonKind,
  DIGIT,
  DOT,
  DURATION,
  datePhrase,
  EMAIL,
  FLAGS,
  flagsOf,
  HARD,
  HEX,
  HOST,
  HYPHEN,
  hashOf,
  ID,
  IP,
  indexIn,
  isHost,
  isUuid,
  kindOfNumber,
  kindOfPath,
  LETTER,
  LOCALHOST,
  NOT_A_USER,
  NUMBER,
  OTHER,
  PATH,
  PUNCTUATION,
  partOfPath,
  pathEnd,
  portFollows,
  S_BOOLEAN,
  S_MONTH,
  S_SCALE,
  S_UNIT,
  S_USER,
  S_WEEKDAY,
  SIZE,
  SLASH,
  SOFT,
  SPACE,
  SPECIAL,
  SPECIAL_FILTER,
  schemeEnd,
  sizeInBrackets,
  TEXT,
  TIME,
  trimmedEnd,
  UNDERSCORE,
  UNIT,
  UPPER,
  URL,
  USER,
  USER_KEYS,
  UUID,
  VERSION,
  WORD,
} from './value-shapes.ts'

export const MAX_ATOMS = 512

export { FIRST_VALUE, hashOf, type ParameterKind, PUNCTUATION, parameterKinds, SOFT, UNIT, WORD } from './value-shapes.ts'

const pow1 = new Int32Array(MAX_ATOMS + 2)
const pow2 = new Int32Array(MAX_ATOMS + 2)
pow1[0] = 1
pow2[0] = 1
for (let i = 1; i < pow1.length; i++) {
  pow1[i] = Math.imul(pow1[i - 1] as number, 0x3c6ef363) // odd multipliers: every power is invertible
  pow2[i] = Math.imul(pow2[i - 1] as number, 0x2545f491)
}

export { pow1, pow2 }
export const VALUE_HASH = 0x5bd1e995 | 0
export const SPACED = 0x27d4eb2f | 0

/** The atoms of the last line scanned. Reused from line to line: read them before the next scan. */
export class LineScanner {
  text = ''
  atoms = 0
  /** Elements of the skeleton: each atom that starts one is marked, the others (rest of a run of values, units) belong to the one before. */
  elements = 0
  skeleton1 = 0
  skeleton2 = 0
  /** Hash over every atom, so that a run whose length changed is noticed. */
  full = 0
  readonly kind = new Uint8Array(MAX_ATOMS)
  readonly start = new Int32Array(MAX_ATOMS)
  readonly end = new Int32Array(MAX_ATOMS)
  readonly spaced = new Uint8Array(MAX_ATOMS)
  readonly begins = new Uint8Array(MAX_ATOMS)
  readonly hash = new Int32Array(MAX_ATOMS)

  #space = 0
  #inRun = false
  #comma = -1
  #afterUser = false
  /** Where the value that #withDigits announced starts, when a fixed prefix came before it. */
  #from = -1

  scan(text: string): void {
    this.text = text
    this.atoms = 0
    this.elements = 0
    this.skeleton1 = 0
    this.skeleton2 = 0
    this.full = 0
    this.#space = 0
    this.#inRun = false
    this.#comma = -1
    this.#afterUser = false
    const length = text.length
    let i = 0
    while (i < length) {
      const c = text.charCodeAt(i)
      let f = c < 128 ? (FLAGS[c] as number) : flagsOf(c)
      if (f === SPACE) {
        this.#space = 1
        i++
        continue
      }
      if (this.atoms >= MAX_ATOMS - 16) {
        this.#value(TEXT, i, trimmedEnd(text, i, length))
        break
      }
      if (f === HARD) {
        i = this.#hard(c, i, length)
        continue
      }
      const s = i
      let flags = 0
      let h = 0x811c9dc5 | 0
      let code = c
      do {
        flags |= f
        h = Math.imul(h ^ code, 0x01000193)
        if (++i >= length) break
        code = text.charCodeAt(i)
        f = code < 128 ? (FLAGS[code] as number) : flagsOf(code)
      } while ((f & (SPACE | HARD)) === 0)
      if ((flags & ~(LETTER | UPPER)) === 0) i = this.#plain(h, s, i, length)
      else i = this.#chunk(s, i, flags, length)
    }
    if (this.#comma >= 0) this.#flushComma()
  }

  /** Brackets, quotes, separators. */
  #hard(c: number, i: number, length: number): number {
    const text = this.text
    if (c === 60 && i + 1 < length && flagsOf(text.charCodeAt(i + 1)) === DIGIT && this.#space === 1) {
      // "<1 sec" is a value with its sign, "<30>" is not
      let j = i + 1
      while (j < length && (flagsOf(text.charCodeAt(j)) & (DIGIT | DOT)) !== 0) j++
      if (j >= length || text.charCodeAt(j) !== 62) {
        this.#value(NUMBER, i, j)
        return j
      }
    }
    if (c === 40 && this.#space === 1) {
      if (text.charCodeAt(i + 1) === 41 && this.atoms > 0) {
        // an empty pair standing alone is a value that is missing
        this.#fixed(PUNCTUATION, hashOf('('), i, i + 1)
        this.#value(TEXT, i + 1, i + 1)
        this.#fixed(PUNCTUATION, hashOf(')'), i + 1, i + 2)
        return i + 2
      }
      if (this.#inRun && this.atoms > 0 && this.kind[this.atoms - 1] === UNIT) {
        const end = sizeInBrackets(text, i, length)
        if (end > 0) {
          this.#runOn(PUNCTUATION, i, i + 1)
          this.#runOn(SIZE, i + 1, end - 1)
          this.#runOn(PUNCTUATION, end - 1, end)
          return end
        }
      }
    }
    if (c === 34 && this.#space === 0 && this.#after('=')) {
      const close = indexIn(text, 34, i + 1, Math.min(length, i + 256))
      if (close > i + 1 && text.charCodeAt(close) === 34) {
        this.#fixed(PUNCTUATION, hashOf('"'), i, i + 1)
        this.#value(TEXT, i + 1, close)
        this.#fixed(PUNCTUATION, hashOf('"'), close, close + 1)
        return close + 1
      }
    }
    if (c === 60 && i + 4 < length) {
      const close = addressEnd(text, i, length)
      if (close > 0) {
        this.#value(EMAIL, i, close)
        return close
      }
    }
    if (c === 44 && this.#inRun && this.#space === 0 && this.#groupOfThree(i, length)) {
      // "1,234,567" is one number, "12:00:01,250" one time
      this.end[this.atoms - 1] = i + 4
      return i + 4
    }
    if (c === 44 && this.#inRun) {
      this.#comma = this.atoms
      this.#runOn(PUNCTUATION, i, i + 1)
      this.#inRun = false
      return i + 1
    }
    this.#fixed(PUNCTUATION, Math.imul(0x811c9dc5 ^ c, 0x01000193), i, i + 1)
    return i + 1
  }

  /** A chunk of letters only. */
  #plain(h: number, s: number, e: number, length: number): number {
    if (this.#afterUser && this.#space === 1) {
      this.#afterUser = false
      if (!NOT_A_USER.has(this.text.slice(s, e).toLowerCase())) {
        this.#value(USER, s, e)
        return e
      }
    }
    this.#afterUser = false
    if (this.#space === 0 && this.#after('=') && this.#keyNamesUser()) {
      this.#value(USER, s, e)
      return e
    }
    if (SPECIAL_FILTER[h & 8191] === 1) {
      const kind = SPECIAL.get(h)
      if (kind === S_BOOLEAN) {
        this.#value(BOOLEAN, s, e)
        return e
      }
      if (kind === S_UNIT && this.#inRun && this.#lastIsNumber()) {
        this.#runOn(UNIT, s, e)
        return e
      }
      if (kind === S_SCALE && this.#inRun && this.#lastIsNumber()) {
        this.end[this.atoms - 1] = e
        this.kind[this.atoms - 1] = SIZE
        this.#space = 0
        return e
      }
      if (kind === S_MONTH || kind === S_WEEKDAY) {
        const end = datePhrase(this.text, s, e, length)
        if (end > 0) {
          this.#value(TIME, s, end)
          return end
        }
      }
      if (kind === S_USER) {
        this.#fixed(WORD, h, s, e)
        this.#afterUser = true
        return e
      }
    }
    if (e - s > 7 && allHex(this.text, s, e)) {
      this.#value(HEX, s, e)
      return e
    }
    this.#fixed(WORD, h, s, e)
    return e
  }

  /** A chunk with something else than letters in it: cut off the marks at its ends, then decide by shape. */
  #chunk(start: number, end: number, flags: number, length: number): number {
    const text = this.text
    let s = start
    let e = end
    if (this.#afterUser) {
      this.#afterUser = false
      const stop = trimmedEnd(text, s, e)
      if (this.#space === 1 && (flags & (COLON | SLASH)) === 0 && flagsOf(text.charCodeAt(s)) !== OTHER && stop > s) {
        this.#value(USER, s, stop)
        this.#marks(stop, e)
        return end
      }
    }
    if ((flags & SLASH) !== 0) {
      const first = text.charCodeAt(s)
      const scheme = schemeEnd(text, s, e)
      let dots = s
      while (dots < e && text.charCodeAt(dots) === 46) dots++
      const relative = dots > s && dots - s < 4 && dots + 1 < e && text.charCodeAt(dots) === 47
      const drive = text.charCodeAt(s + 1) === 58 && text.charCodeAt(s + 2) === 92 && (flagsOf(first) & LETTER) !== 0
      if (scheme > 0 || drive || relative || (first === 47 && e - s > 1 && text.charCodeAt(s + 1) !== 47)) {
        // URLs and absolute paths go on through characters that otherwise part chunks
        while (e < length && partOfPath(text.charCodeAt(e))) e++
        const stop = pathEnd(text, s, e, length)
        if (scheme > 0 || /* a lone "/." is no path */ stop - s > 1) {
          this.#value(scheme > 0 ? URL : kindOfPath(text, s, stop), s, stop)
          this.#marks(stop, e)
          return e
        }
        e = end
      }
    }
    e = trimmedEnd(text, s, end)
    if (e === s) {
      this.#marks(s, end)
      return end
    }
    // marks in front: ":0", "+5", "*14", "@x", "$x"; a minus before a digit belongs to the number
    while (s < e) {
      const c = text.charCodeAt(s)
      const f = flagsOf(c)
      if ((f & (DIGIT | LETTER | UNDERSCORE | SLASH)) !== 0) break
      if (f === HYPHEN && s + 1 < e && flagsOf(text.charCodeAt(s + 1)) === DIGIT) break
      if (c === 42 && s + 1 < e && flagsOf(text.charCodeAt(s + 1)) === DIGIT) break
      if (c === 46 && s + 1 < e && text.charCodeAt(s + 1) !== 46) break
      s++
    }
    if (s > start) this.#marks(start, s)
    if (s < e) this.#pieces(s, e)
    if (e < end) this.#marks(e, end)
    return end
  }

  #pieces(start: number, end: number): void {
    const text = this.text
    let s = start
    while (s < end) {
      // one piece: up to the next colon
      let p = s
      let digits = 0
      let flags = 0
      while (p < end) {
        const f = flagsOf(text.charCodeAt(p))
        if (f === COLON || (f === DOT && text.charCodeAt(p + 1) === 46)) break
        if (f === DIGIT) digits++
        flags |= f
        p++
      }
      if (p === s) {
        while (p < end && (p === s || text.charCodeAt(p) === 46) && (flagsOf(text.charCodeAt(p)) & (COLON | DOT)) !== 0) p++
        this.#marks(s, p)
        s = p
        continue
      }
      const value = digits > 0 ? this.#withDigits(s, p, flags, digits) : this.#withoutDigits(s, p, flags, p < end)
      if (value === 0) {
        s = p
        continue
      }
      if (this.#from >= 0) {
        s = this.#from
        this.#from = -1
      }
      // a value goes on over colons (ports, times, MAC and IPv6 addresses) until a plain word follows
      let q = p
      let hexOnly = true
      while (q < end && text.charCodeAt(q) === 58) {
        let r = q + 1
        let sawDigit = false
        let hex = true
        while (r < end) {
          const c = text.charCodeAt(r)
          if (c === 58) break
          if (c >= 48 && c <= 57) sawDigit = true
          else if (!((c >= 97 && c <= 102) || (c >= 65 && c <= 70))) hex = false
          r++
        }
        if (!sawDigit && !(hex && r - q - 1 <= 4)) break
        if (!hex) hexOnly = false
        q = r
      }
      this.#value(q > p && hexOnly && value !== IP && value !== HOST ? colonKind(text, s, q) : value, s, q)
      s = q
    }
  }

  /** A piece with digits: emits a fixed prefix or a soft word itself and returns 0, or returns the kind of the value [s, e). */
  #withDigits(s: number, e: number, flags: number, digits: number): number {
    const text = this.text
    const first = flagsOf(text.charCodeAt(s))
    if (first === DIGIT || first === HYPHEN || first === DOT || first === OTHER) return kindOfNumber(text, s, e, flags, digits)
    if ((flags & SLASH) !== 0 && first === SLASH) return kindOfPath(text, s, e)
    if ((flags & AT) !== 0) {
      const at = indexIn(text, 64, s, e)
      let named = at > s && at < e - 1
      let upperOrDot = false
      for (let i = s; i < at && named; i++) {
        const f = flagsOf(text.charCodeAt(i))
        if ((f & (UPPER | DOT)) !== 0) upperOrDot = true
        if (f === DIGIT && i + 2 < at && flagsOf(text.charCodeAt(i + 1)) === DIGIT && flagsOf(text.charCodeAt(i + 2)) === DIGIT)
          named = false
      }
      if (named && upperOrDot && !this.#after('=')) {
        this.#fixed(WORD, hashOf(text, s, at), s, at)
        this.#fixed(PUNCTUATION, hashOf('@'), at, at + 1)
        this.#from = at + 1
        return HEX
      }
      return EMAIL
    }
    // how the digits lie: groups, the longest, parts that are digits only
    let groups = 0
    let numberedPart = false // a part between separators that starts with a digit
    let slashes = 0
    let firstSeparator = -1
    let lastPartDigits = false
    let previous = first
    for (let i = s + 1; i < e; i++) {
      const f = flagsOf(text.charCodeAt(i))
      if (f === DIGIT) {
        if (previous !== DIGIT) groups++
        if ((previous & (DOT | UNDERSCORE | HYPHEN | SLASH)) !== 0) {
          numberedPart = true
          lastPartDigits = true
        }
      } else {
        lastPartDigits = false
        if ((f & (HYPHEN | SLASH)) !== 0 || (f === DOT && firstSeparator < 0)) {
          if (firstSeparator < 0) firstSeparator = i
          if (f === SLASH) slashes++
        }
      }
      previous = f
    }
    if ((flags & DOT) !== 0 && isHost(text, s, e)) return HOST
    if (firstSeparator > 0 && firstSeparator + 1 < e && flagsOf(text.charCodeAt(firstSeparator + 1)) === DIGIT) {
      let lettersOnly = true
      let lettersAfter = 0
      for (let i = firstSeparator + 1; i < e && lettersAfter < 2; i++)
        if ((flagsOf(text.charCodeAt(i)) & LETTER) !== 0) lettersAfter++
      if (lettersAfter > 1) lettersOnly = false
      for (let i = s; i < firstSeparator; i++) if ((flagsOf(text.charCodeAt(i)) & LETTER) === 0) lettersOnly = false
      if (lettersOnly) {
        // "node-12", "PS/2": a name and its number
        this.#fixed(WORD, hashOf(text, s, firstSeparator), s, firstSeparator)
        this.#fixed(PUNCTUATION, hashOf(text, firstSeparator, firstSeparator + 1), firstSeparator, firstSeparator + 1)
        this.#from = firstSeparator + 1
        return e - firstSeparator < 12 ? NUMBER : ID
      }
    }
    if (slashes > 1) return PATH
    if ((text.charCodeAt(s) | 32) === 118 && flagsOf(text.charCodeAt(s + 1)) === DIGIT && (flags & DOT) !== 0) return VERSION
    if ((flags & DOT) !== 0 && portFollows(text, s, e)) return HOST
    if (numberedPart && ((flags & UNDERSCORE) !== 0 || lastPartDigits || digits > 2)) return isUuid(text, s, e) ? UUID : ID
    if (digits > 2 || groups > 2 || (e - s > 5 && allHex(text, s, e)))
      return isUuid(text, s, e) ? UUID : allHex(text, s, e) ? HEX : ID
    if (this.#goesOnList(s, e)) return ID
    this.#fixed(SOFT, hashOf(text, s, e), s, e)
    return 0
  }

  /** "an14 an15 an16": a numbered word after another with the same letters makes both of them values. */
  #goesOnList(s: number, e: number): boolean {
    const { text } = this
    const k = this.atoms - 1
    if (k < 0 || this.#space === 0) return false
    const kind = this.kind[k] as number
    if (kind !== SOFT && kind !== ID) return false
    let i = s
    let j = this.start[k] as number
    while (i < e && (flagsOf(text.charCodeAt(i)) & LETTER) !== 0) {
      if (text.charCodeAt(i) !== text.charCodeAt(j)) return false
      i++
      j++
    }
    if (i === s || flagsOf(text.charCodeAt(i)) !== DIGIT || flagsOf(text.charCodeAt(j)) !== DIGIT) return false
    if (kind === SOFT) {
      const old = this.hash[k] as number
      const now = this.spaced[k] === 1 ? VALUE_HASH ^ SPACED : VALUE_HASH
      const at = this.elements - 1
      this.skeleton1 = (this.skeleton1 + Math.imul(now - old, pow1[at] as number)) | 0
      this.skeleton2 = (this.skeleton2 + Math.imul((now ^ (now >>> 13)) - (old ^ (old >>> 13)), pow2[at] as number)) | 0
      this.hash[k] = now
      this.kind[k] = ID
      this.full = Math.imul(this.full, 0x01000193)
      this.#inRun = true
    }
    return true
  }

  #after(mark: string): boolean {
    const k = this.atoms - 1
    return (
      k >= 0 &&
      this.end[k] === (this.start[k] as number) + 1 &&
      this.text.charCodeAt(this.start[k] as number) === mark.charCodeAt(0)
    )
  }

  /** A piece without digits: emits it and returns 0, or returns its kind when it is a value. */
  #withoutDigits(s: number, e: number, flags: number, colonFollows: boolean): number {
    const text = this.text
    if ((flags & SLASH) !== 0) {
      const first = text.charCodeAt(s)
      let slashes = 0
      let dots = 0
      for (let i = s; i < e; i++) {
        const f = flagsOf(text.charCodeAt(i))
        if (f === SLASH) slashes++
        if (f === DOT) dots++
      }
      if (e - s > 1 && (first === 47 || (first === 92 && slashes > 1) || (slashes > 1 && dots > 0) || (slashes > 0 && dots > 1)))
        return PATH
      if (colonFollows && e - s === 1) return 0
    }
    if ((flags & AT) !== 0) {
      const at = indexIn(text, 64, s, e)
      if (at > s && at < e - 1 && indexIn(text, 46, at, e) < e) return EMAIL
    }
    if ((flags & DOT) !== 0 && (isHost(text, s, e) || (colonFollows && portFollows(text, s, e)))) return HOST
    const h = hashOf(text, s, e)
    if (SPECIAL_FILTER[h & 8191] === 1 && SPECIAL.get(h) === S_BOOLEAN) return BOOLEAN
    if (colonFollows && h === LOCALHOST && e < text.length - 1 && flagsOf(text.charCodeAt(e + 1)) === DIGIT) return HOST
    this.#fixed(WORD, h, s, e)
    return 0
  }

  /** "user=", "ruser=": the word before the sign says that a name follows. */
  #keyNamesUser(): boolean {
    const k = this.atoms - 2
    if (k < 0 || this.kind[k] !== WORD) return false
    const length = (this.end[k] as number) - (this.start[k] as number)
    return length >= 4 && length <= 8 && USER_KEYS.has(this.text.slice(this.start[k], this.end[k]))
  }

  /** A comma and three digits after a number of at most three, or after a time. */
  #groupOfThree(i: number, length: number): boolean {
    const k = this.atoms - 1
    const digits = i - (this.start[k] as number)
    const kind = this.kind[k]
    if (this.end[k] !== i || !(kind === TIME || (kind === NUMBER && (digits < 4 || this.text.charCodeAt(i - 4) === 44))))
      return false
    for (let j = i + 1; j < i + 4; j++) if (flagsOf(this.text.charCodeAt(j)) !== DIGIT) return false
    return i + 4 >= length || (flagsOf(this.text.charCodeAt(i + 4)) & (DIGIT | LETTER | DOT | COLON | UNDERSCORE | HYPHEN)) === 0
  }

  #lastIsNumber(): boolean {
    const last = this.kind[this.atoms - 1]
    return last === NUMBER || last === DURATION || last === SIZE || last === TIME
  }

  #marks(s: number, e: number): void {
    if (e > s) this.#fixed(PUNCTUATION, hashOf(this.text, s, e), s, e)
  }

  #fixed(kind: number, h: number, s: number, e: number): void {
    if (this.#comma >= 0) this.#flushComma()
    this.#inRun = false
    const spacedHash = this.#space === 1 ? h ^ SPACED : h
    this.#push(kind, spacedHash, s, e, 1)
    this.#element(spacedHash)
  }

  #value(kind: number, s: number, e: number): void {
    const goesOn = this.#inRun || this.#comma >= 0
    if (this.#comma >= 0) this.#comma = -1
    const h = this.#space === 1 ? VALUE_HASH ^ SPACED : VALUE_HASH
    // a value glued to another one without space or comma is a part of its own
    this.#push(kind, h, s, e, goesOn ? 0 : 1)
    if (!goesOn) this.#element(h)
    this.#inRun = true
  }

  /** An atom that belongs to the run of values before it: not part of the skeleton. */
  #runOn(kind: number, s: number, e: number): void {
    this.#push(kind, hashOf(this.text, s, e), s, e, 0)
  }

  /** The comma after a run turned out to part two elements. */
  #flushComma(): void {
    const k = this.#comma
    this.#comma = -1
    this.begins[k] = 1
    this.#element(this.hash[k] as number)
  }

  #push(kind: number, h: number, s: number, e: number, begins: number): void {
    const k = this.atoms++
    this.kind[k] = kind
    this.hash[k] = h
    this.start[k] = s
    this.end[k] = e
    this.spaced[k] = this.#space
    this.begins[k] = begins
    this.full = Math.imul(this.full ^ h, 0x01000193) ^ (this.full >>> 15)
    this.#space = 0
  }

  #element(h: number): void {
    const k = this.elements++
    this.skeleton1 = (this.skeleton1 + Math.imul(h, pow1[k] as number)) | 0
    this.skeleton2 = (this.skeleton2 + Math.imul(h ^ (h >>> 13), pow2[k] as number)) | 0
  }
}
