/**
 * Keeps the lines of Markdown at most 120 characters wide. `node tools/wrap-markdown.ts` wraps what is wider; with `--check` it names the files.
 * Tables, code, headings, and words longer than a line stay as they are: they cannot be wrapped without changing what they say.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const ROOT = path.resolve(import.meta.dirname, '..')
const WIDTH = 120
/** Made by tools/generate.ts, which has its own say. */
const GENERATED = /^docs\/(reference|runbooks)\//

const fixed = (line: string): boolean => /^\s*(\||#|<|!\[|\[[^\]]+\]:)/.test(line)
/** Where a line that goes on begins: under the text of its list item or quote. */
const hang = (line: string): string => {
  const [lead] = /^\s*(?:>\s?)*(?:[-*+]\s+(?:\[[ x]\]\s+)?|\d+\.\s+)?/.exec(line) as RegExpExecArray
  return lead.replace(/[^>\s]/g, ' ')
}

const startsItem = (line: string): boolean => /^\s*([-*+]|\d+\.)\s/.test(line)
const wrap = (line: string): string[] => {
  const out: string[] = []
  const indent = hang(line)
  const [first, ...words] = line.trimStart().split(/ +(?=\S)/)
  let now = line.slice(0, line.length - line.trimStart().length) + first
  for (const word of words) {
    const joined = `${now} ${word}`
    // A line must not begin with what would be read as a list, a heading or a quote.
    if (joined.length > WIDTH && !/^([-+*>#|]|\d+[.)])/.test(word)) {
      out.push(now)
      now = indent + word
    } else now = joined
  }
  return [...out, now]
}

/** A paragraph or list item that has a line too wide is filled anew as a whole. */
export const wrapped = (text: string): string => {
  const out: string[] = []
  let part: string[] = []
  let inCode = false
  const flush = () => {
    if (part.some(line => line.length > WIDTH)) {
      const [first, ...rest] = part
      out.push(...wrap([first, ...rest.map(line => line.replace(/^\s*(>\s?)*/, ''))].join(' ')))
    } else out.push(...part)
    part = []
  }
  for (const line of text.split('\n')) {
    const fence = /^\s*(```|~~~)/.test(line)
    if (fence || inCode || line.trim() === '' || fixed(line)) {
      flush()
      out.push(line)
      if (fence) inCode = !inCode
    } else {
      // Two spaces or a backslash at the end of a line end it on purpose.
      if (startsItem(line) || /( {2}|\\)$/.test(part.at(-1) ?? '')) flush()
      part.push(line)
    }
  }
  flush()
  return out.join('\n')
}

if (process.argv[1] === import.meta.filename) {
  const check = process.argv.includes('--check')
  const files = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT }).toString().trim().split('\n')
  let wide = 0
  for (const file of files.filter(f => !GENERATED.test(f))) {
    const text = readFileSync(path.join(ROOT, file), 'utf8')
    const better = wrapped(text)
    if (better === text) continue
    wide++
    if (check) console.error(`${file} has lines wider than ${WIDTH} characters; "node tools/wrap-markdown.ts" wraps them`)
    else writeFileSync(path.join(ROOT, file), better)
  }
  if (check && wide > 0) process.exitCode = 1
  else console.log(check ? 'Markdown is narrow enough' : `${wide} files wrapped`)
}
