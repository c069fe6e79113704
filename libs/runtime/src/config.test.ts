import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { RUNTIME_SETTINGS, readConfig } from './config.ts'

const settings = {
  url: { env: 'TEST_URL', schema: z.string(), about: 'Where.' },
  size: { env: 'TEST_SIZE', schema: z.coerce.number().default(3), about: 'How many.' },
  key: { env: 'TEST_KEY', schema: z.string().min(20).optional(), about: 'Key.', secret: true },
}
describe('readConfig', () => {
  it('takes the environment, then the file, then the default', () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'aegis-config-')), 'a.yaml')
    writeFileSync(file, 'TEST_URL: from-file\nsize: 9\n')
    expect(readConfig(settings, { AEGIS_CONFIG: file })).toMatchObject({ url: 'from-file', size: 9 })
    expect(readConfig(settings, { AEGIS_CONFIG: file, TEST_SIZE: '5' })).toMatchObject({ size: 5 })
    expect(readConfig(settings, { TEST_URL: 'x' })).toMatchObject({ url: 'x', size: 3 })
  })
  it('names every bad setting at once and keeps secrets out of it', () => {
    const bad = () => readConfig(settings, { TEST_SIZE: 'many', TEST_KEY: 'short-secret' })
    expect(bad).toThrow(/TEST_URL \(not set\)/)
    expect(bad).toThrow(/TEST_SIZE \(environment: "many"\)/)
    expect(bad).not.toThrow(/short-secret/)
  })
  it('says which file is missing or broken', () =>
    expect(() => readConfig(settings, { AEGIS_CONFIG: '/no/such.yaml' })).toThrow(/does not exist/))
  it('reads switches as people write them', () => {
    expect(readConfig(RUNTIME_SETTINGS, { KAFKA_SSL: 'false' }).kafkaSsl).toBe(false)
    expect(readConfig(RUNTIME_SETTINGS, { KAFKA_SSL: 'yes' }).kafkaSsl).toBe(true)
  })
})
