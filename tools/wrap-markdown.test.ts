import fc from 'fast-check'
import { expect, it } from 'vitest'
import { wrapped } from './wrap-markdown.ts'

it('goes on under the text of a list item, and leaves tables, code and headings alone', () => {
  const words = Array.from({ length: 40 }, () => 'word').join(' ')
  expect(wrapped(`- ${words}`).split('\n')[1]).toMatch(/^ {2}word/)
  expect(wrapped(`12. ${words}`).split('\n')[1]).toMatch(/^ {4}word/)
  expect(
    wrapped(`  ${words}`)
      .split('\n')
      .map(line => line.slice(0, 3)),
  ).toEqual(['  w', '  w'])
  for (const kept of [`| ${words} |`, `# ${words}`, `\`\`\`\n${words}\n\`\`\``]) expect(wrapped(kept)).toBe(kept)
})

it('changes no word, and once is enough', () => {
  const text = fc.array(fc.stringMatching(/^[a-z-]{1,12}$/), { minLength: 1, maxLength: 80 }).map(words => words.join(' '))
  fc.assert(
    fc.property(text, line => {
      const better = wrapped(line)
      expect(better.split(/\s+/)).toEqual(line.split(/\s+/))
      expect(wrapped(better)).toBe(better)
    }),
  )
})
