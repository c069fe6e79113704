import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readAlertRules } from '@aegis/anomaly-detector/read-alert-rules'
import { afterAll, describe, expect, it } from 'vitest'
import { putTogether, readPack, shippedPacks } from './read-pack.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'aegis-packs-'))
afterAll(() => rmSync(folder, { recursive: true }))
const pack = (name: string, files: Record<string, string>): string => {
  const own = path.join(folder, name)
  mkdirSync(own, { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(own, file), text)
  return own
}

describe('packs', () => {
  it('those that are shipped can be read, and used together', async () => {
    const all = await Promise.all(shippedPacks().map(readPack))
    expect(all.map(p => p.name).sort()).toEqual(['ci', 'data-platform', 'web-shop'])
    const out = path.join(folder, 'out')
    const env = putTogether(all, out)
    expect(env).toMatchObject({ AEGIS_SILENCE_MS: '15000', AEGIS_ALERT_RULES: path.join(out, 'alert-rules.yaml') })
    const { rules, faults } = readAlertRules(readFileSync(env.AEGIS_ALERT_RULES as string, 'utf8'), 'it')
    expect(faults).toEqual([])
    // The disk is watched by each of them, under a name of its own.
    expect(rules.filter(r => r.metric === 'system.filesystem.utilization').map(r => r.name)).toEqual([
      'ci: runner disk full',
      'data-platform: disk full',
      'web-shop: disk full',
    ])
    expect(readFileSync(env.AEGIS_METRIC_KNOWLEDGE as string, 'utf8')).toContain('kafka.consumer_group.lag*')
    expect(readFileSync(env.AEGIS_LOG_FORMATS as string, 'utf8')).toContain('runner-step')
  })
  it('names the file and what is wrong with it', async () => {
    const about = 'about: x\n'
    await expect(readPack('nowhere')).rejects.toThrow(/there is no pack nowhere.*shipped are/)
    await expect(readPack(pack('a', { 'pack.yaml': 'settings: {}' }))).rejects.toThrow(/a\/pack.yaml: about/)
    await expect(readPack(pack('b', { 'pack.yaml': `${about}settings: { NO_SUCH: 1 }` }))).rejects.toThrow(
      'no service has a setting NO_SUCH',
    )
    await expect(readPack(pack('c', { 'pack.yaml': about, 'alert-rules.yaml': 'rules: [{ name: a }]' }))).rejects.toThrow(
      /alert-rules.yaml: rule 1/,
    )
    await expect(readPack(pack('d', { 'pack.yaml': about, 'metric-knowledge.txt': 'x nonsense' }))).rejects.toThrow(
      /metric-knowledge.txt/,
    )
    await expect(readPack(pack('e', { 'pack.yaml': about, 'log-formats.yaml': 'formats: [{ name: a }]' }))).rejects.toThrow(
      /has no pattern/,
    )
  })
  it('two that set one thing otherwise are not guessed at', async () => {
    const one = await readPack(pack('f', { 'pack.yaml': 'about: x\nsettings: { AEGIS_SILENCE_MS: 1 }' }))
    const two = await readPack(pack('g', { 'pack.yaml': 'about: x\nsettings: { AEGIS_SILENCE_MS: 2 }' }))
    expect(() => putTogether([one, two], path.join(folder, 'out2'))).toThrow(
      'pack g sets AEGIS_SILENCE_MS to 2, and another to 1',
    )
  })
})
