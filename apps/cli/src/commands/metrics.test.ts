import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { metricsCommand } from './metrics.ts'

const folder = mkdtempSync(join(tmpdir(), 'aegis-metrics-'))
const file = join(folder, 'table.csv')
/** A day of minutes in which `b` follows `a`, until it does not for twenty. */
beforeAll(() => {
  const rows = Array.from({ length: 1440 }, (_, i) => {
    const a = 10 + 3 * Math.sin(i / 50) + 0.1 * Math.sin(i * 1.7)
    return `${i * 60},${a.toFixed(3)},${(2 * a + 0.1 * Math.sin(i * 2.3) + (i >= 1000 && i < 1020 ? 15 : 0)).toFixed(3)}`
  })
  writeFileSync(file, ['t,a,b', ...rows].join('\n'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const run = async (...args: string[]) => {
  const said: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation(line => void said.push(String(line)))
  const command = metricsCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  await command.parseAsync(args, { from: 'user' }).finally(() => log.mockRestore())
  return said.join('\n')
}

it('draws what it found, into a folder that was not there', async () => {
  const svg = join(folder, 'new', 'picture.svg')
  const text = await run(file, '--svg', svg)
  expect(text).toMatch(/600[06]0 to [67]\d{4} {2}score .* b, a/)
  expect(readFileSync(svg, 'utf8')).toContain('<svg')
})

it.each([
  [['no such file.csv'], 'cannot read no such file.csv: there is no such file'],
  [[folder], 'it is a folder'],
  [[file, '--alarms-per-day', 'many'], 'Give a number of at least 0.001'],
  [[file, '--alarms-per-day', '0'], 'Give a number of at least 0.001'],
  [[file, '--metrics', '1.5'], 'Give a whole number of at least 1'],
  [[file, '--from', '2000'], 'has 1440 rows: none of them from 2000 to 1440'],
])('says what is wrong with %j', async (args, words) => {
  await expect(run(...args)).rejects.toThrow(words)
})
