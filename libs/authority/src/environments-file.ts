/** The environments that there are, one name a line: a control for a name that was mistyped must not look as if it were in force. */
import { existsSync, readFileSync } from 'node:fs'
import { AegisError } from '@aegis/domain'
import { writePrivately } from './keys-file.ts'

export const readEnvironments = (file: string): readonly string[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .map(line => line.trim())
        .filter(line => line !== '' && !line.startsWith('#'))
    : []
/** Adds names; those that are there already stay once. */
export const addEnvironments = (file: string, names: readonly string[]): void => {
  const bad = names.find(name => !/^[\w.-]{1,100}$/.test(name))
  if (bad !== undefined)
    throw new AegisError('INPUT_INVALID', `${bad} is no name of an environment: letters, digits, "_", "-" and "."`)
  writePrivately(file, `${[...new Set([...readEnvironments(file), ...names])].join('\n')}\n`)
}
export const removeEnvironment = (file: string, name: string): boolean => {
  const before = readEnvironments(file)
  writePrivately(file, `${before.filter(n => n !== name).join('\n')}\n`)
  return before.includes(name)
}

/** Names that may have been meant, the nearest first (Levenshtein's distance, capitals alike). */
export const nearNames = (name: string, names: readonly string[]): string[] => {
  const far = Math.max(2, Math.floor(name.length / 2))
  return names
    .map(n => ({
      n,
      d:
        n.toLowerCase().startsWith(name.toLowerCase()) || name.toLowerCase().startsWith(n.toLowerCase())
          ? 1
          : distance(name.toLowerCase(), n.toLowerCase()),
    }))
    .filter(({ d }) => d <= far)
    .sort((a, b) => a.d - b.d)
    .slice(0, 5)
    .map(({ n }) => n)
}
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length]
}
