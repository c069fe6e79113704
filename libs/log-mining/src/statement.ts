const PLACE = /\b[\w$]+(?:\.[\w$]+)*(?:#|:)\d+\b/
const CLOCK = /\d+:\d+(:\d+)?/g
const WORDS = 10

/**
 * Which statement of the program wrote a line: its place in the code, if the line says so ("Orders#42", "orders.go:42"), else its first ten
 * words, those with digits or values in them masked. Unlike a mined template it needs no memory, so that it is the same before and after a
 * restart, and stays the same while the miner learns.
 */
export const statementOf = (text: string): string => {
  const first = text.slice(0, 400).split('\n', 1)[0]
  const place = PLACE.exec(first.slice(0, 160).replace(CLOCK, ''))?.[0]
  if (place) return place
  const words: string[] = []
  for (const word of first.split(/\s+/)) {
    if (word === '') continue
    if (words.push(/[\d"'={}@]|^\W+$/.test(word) ? '<*>' : word) === WORDS) break
  }
  return words.join(' ')
}
