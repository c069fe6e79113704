import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { experimentCommand } from './experiment.ts'
import { policyCommand } from './policy.ts'

afterEach(() => vi.restoreAllMocks())

async function said(...args: string[]): Promise<string> {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation(line => void lines.push(String(line)))
  await policyCommand().parseAsync(args, { from: 'user' })
  return lines.join('\n')
}

describe('aegis policy compare', () => {
  test.each(['shipped', 'shipped-incidents'])('plays the same episodes with both: %s is no better than itself', async model => {
    const text = await said('compare', model, model, '--episodes', '4')
    expect(text).toContain('second minus first: 0.000 (95 %: 0.000 to 0.000): no difference is shown')
    const [first, second] = text.split('\n').map(line => line.slice(line.indexOf(':')))
    expect(second).toBe(first)
  })
  test('refuses models that meet no common episodes', () =>
    expect(said('compare', 'shipped', 'shipped-incidents')).rejects.toThrow('shipped-incidents plays incidents'))
})

test('a file that is no model is named, with what is wrong', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aegis-policy-'))
  try {
    const file = join(folder, 'x.json')
    for (const [text, why] of [
      ['{', 'no model that "aegis policy train" wrote'],
      ['null', 'no model that'],
      ['{"name":"a","format":7}', 'model a has format 7; this version reads format 1'],
    ]) {
      writeFileSync(file, text)
      await expect(said('evaluate', file)).rejects.toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining(why) })
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('an experiment whose shares do not add up is refused before anything is asked', async () => {
  const asked = vi.spyOn(globalThis, 'fetch')
  const create = experimentCommand().parseAsync(['create', 'e', '--arm', 'a=rules:60', 'b=learned:50'], { from: 'user' })
  await expect(create).rejects.toThrow('the shares add up to 110, not to 100')
  expect(asked).not.toHaveBeenCalled()
})
