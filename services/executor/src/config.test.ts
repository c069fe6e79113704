import { RUNTIME_SETTINGS, readConfig } from '@aegis/runtime'
import { describe, expect, it } from 'vitest'
import { settings } from './config.ts'
import { timesQuantity } from './executors/kubernetes/quantity.ts'
import { executorsBy } from './executors-by.ts'

const read = (env: Record<string, string>) => readConfig({ ...RUNTIME_SETTINGS, ...settings }, env)

describe('executor settings', () => {
  it('gives each environment and entity kind the executor of the first rule that fits, others a dry run', async () => {
    const config = read({
      AEGIS_EXECUTORS:
        'demo*=process:http://127.0.0.1:9000,prod/host=command,prod=dry-run:webhook:https://example.org/a,staging=docker',
      AEGIS_COMMANDS: '{"restart": {"argv": ["/bin/true", "{name}"]}}',
      AEGIS_WEBHOOK_SECRET: 'sixteen characters',
    })
    const by = await executorsBy(config, () => 0)
    const names = [
      ['demo-1', 'restart', 'service:a'],
      ['prod', 'restart', 'host:h'],
      ['prod', 'restart', 'service:a'],
      ['staging', 'restart', 'service:a'],
      ['other', 'restart', 'service:a'],
      ['prod', 'page', 'service:a'],
    ].map(([environment, action, target]) => by(environment, action, target).name)
    expect(names).toEqual(['process', 'command', 'webhook', 'docker', 'dry-run', 'page'])
    expect(config.executors[2]).toMatchObject({ dryRun: true, at: 'https://example.org/a' })
  })
  it('names what is wrong', () => {
    expect(() => read({ AEGIS_EXECUTORS: 'prod=kubernetes' })).toThrow(/kubernetes:\[CONTEXT\/\]NAMESPACE/)
    expect(() => read({ AEGIS_EXECUTORS: 'prod=magic:x' })).toThrow(/prod=magic:x: must be/)
    expect(() => read({ AEGIS_COMMANDS: '{nonsense' })).toThrow(/is not JSON/)
    expect(() => read({ AEGIS_COMMANDS: '{"restart": {"argv": ["restart"]}}' })).toThrow(/absolute path/)
    expect(() => read({ AEGIS_COMMANDS: '{"restart": {"argv": ["/{name}"]}}' })).toThrow(/absolute path/)
  })
  it('refuses a webhook without a key to sign with', async () => {
    await expect(executorsBy(read({ AEGIS_EXECUTORS: 'prod=webhook:https://example.org' }), () => 0)).rejects.toThrow(
      /AEGIS_WEBHOOK_SECRET/,
    )
  })
})

describe('quantities', () => {
  it.each([
    ['512Mi', '768Mi'],
    ['1Gi', '1536Mi'],
    ['250m', '375m'],
    ['1', '1500m'],
    ['2', '3'],
    ['0.5', '750m'],
    ['333m', '500m'],
    ['134217728', '201326592'],
  ])('%s by half more is %s', (from, to) => expect(timesQuantity(from, 1.5)).toBe(to))
  it('refuses what is none', () => expect(() => timesQuantity('much', 1.5)).toThrow(/not a quantity/))
})
