/** Deepest nesting of a body, and most values in it; OTLP needs a dozen levels, and a body of the largest size with usual records half as many values. */
const MOST_DEPTH = 64
const MOST_VALUES = 1_000_000

const withStatus = (statusCode: number, message: string): Error => Object.assign(new Error(message), { statusCode })

/**
 * JSON, after one pass over it that counts: a few bytes of brackets must not cost seconds or gigabytes.
 * @throws an error with status 400 for what is too deep, 413 for too many values; a SyntaxError for what is no JSON
 */
export const parseBounded = (text: string): unknown => {
  let depth = 0
  let values = 0
  for (let i = 0, length = text.length; i < length; i++) {
    const c = text.charCodeAt(i)
    if (c === 34) {
      do {
        i = text.indexOf('"', i + 1)
        if (i < 0) return JSON.parse(text) // no end to a string: the parser says it better
      } while (isEscaped(text, i))
    } else if (c === 44) values++
    else if (c === 123 || c === 91) {
      values++
      if (++depth > MOST_DEPTH) throw withStatus(400, `nested more than ${MOST_DEPTH} deep at character ${i}`)
    } else if (c === 125 || c === 93) depth--
  }
  if (values > MOST_VALUES) throw withStatus(413, `holds more than ${MOST_VALUES} values; send it in several requests`)
  return JSON.parse(text)
}
const isEscaped = (text: string, at: number): boolean => {
  let i = at
  while (text.charCodeAt(i - 1) === 92) i--
  return (at - i) % 2 === 1
}
