import { describe, expect, it } from 'vitest'
import { parseLine } from '../parse-line.ts'
import { formats } from './all.ts'

const observedTimeUs = Date.UTC(2026, 2, 2) * 1000

describe('every format reads its examples', () => {
  it.each(formats.flatMap(({ name, examples }) => examples.map(([line, right]) => [name, line, right] as const)))(
    '%s: %s',
    (_, line, right) => {
      const { time, ...rest } = right
      const read = parseLine(line, { observedTimeUs })
      expect(read).toMatchObject(rest)
      if (time !== undefined) expect(new Date((read.timeUs as number) / 1000).toISOString()).toBe(time)
    },
  )
  it('has examples, and a name of its own', () => {
    for (const { name, examples } of formats) expect(examples.length, name).toBeGreaterThan(0)
    expect(new Set(formats.map(({ name }) => name)).size).toBe(formats.length)
  })
})
