/** A unified diff as lines added and removed, and as pairs: a removed line and the added one that took its place. */
export interface Patch {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly pairs: readonly LinePair[]
  readonly context: readonly string[]
  readonly newFiles: number
  readonly deletedFiles: number
  readonly renamedFiles: number
}
export interface LinePair {
  readonly before: string
  readonly after: string
}

export function readPatch(text: string): Patch {
  const [added, removed, context]: [string[], string[], string[]] = [[], [], []]
  const pairs: LinePair[] = []
  let [newFiles, deletedFiles, renamedFiles] = [0, 0, 0]
  let minus: string[] = []
  let plus: string[] = []
  const close = () => {
    for (let i = 0; i < Math.min(minus.length, plus.length); i++) pairs.push({ before: minus[i], after: plus[i] })
    minus = []
    plus = []
  }
  let inHunk = false
  for (const line of text.split('\n')) {
    if (line.startsWith('diff --git') || line.startsWith('Index: ')) inHunk = false
    if (line.startsWith('@@')) {
      close()
      inHunk = true
    } else if (!inHunk) {
      if (line.startsWith('new file mode')) newFiles++
      else if (line.startsWith('deleted file mode')) deletedFiles++
      else if (line.startsWith('rename to')) renamedFiles++
    } else if (line.startsWith('-')) {
      if (plus.length > 0) close()
      minus.push(line.slice(1))
      removed.push(line.slice(1))
    } else if (line.startsWith('+')) {
      plus.push(line.slice(1))
      added.push(line.slice(1))
    } else if (!line.startsWith('\\')) {
      close()
      context.push(line.slice(1))
    }
  }
  close()
  return { added, removed, pairs, context, newFiles, deletedFiles, renamedFiles }
}

/** Comments of the languages infrastructure is written in. */
export const isComment = (line: string): boolean => /^\s*(?:#|\/\/|\/\*|\*|--|;|<!--|%)/.test(line)
export const uncommented = (line: string): string => line.replace(/^\s*(?:#+|\/\/+|--+|;+)\s?/, '').trim()
/** Words in lower case; camelCase, snake_case and kebab-case are taken apart. */
export const wordsOf = (text: string): string[] =>
  text
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .match(/[a-z][a-z]+/g) ?? []

/** Least number of letters put in, taken out or changed (Levenshtein 1966), given up above `most`. */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    let least = i
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
      if (next[j] < least) least = next[j]
    }
    if (least > most) return most + 1
    row = next
  }
  return row[b.length]
}
