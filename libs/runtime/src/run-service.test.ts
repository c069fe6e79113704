import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { expect, it } from 'vitest'

const script = `
  import { runService } from ${JSON.stringify(path.join(import.meta.dirname, 'run-service.ts'))}
  await runService({ name: 'probe', about: '', settings: {}, create: () => ({ stages: [] }) })`
/** What a service says that cannot start, since its settings are wrong in another place. */
const said = (LOG_LEVEL: string) =>
  spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, LOG_LEVEL, AEGIS_BATCH_RECORDS: 'many' },
  }).stdout

it('takes an empty level for none, and tells of a wrong one as of any setting', () => {
  expect(said('')).toMatch(/AEGIS_BATCH_RECORDS.*many/)
  expect(said('')).not.toMatch(/LOG_LEVEL/)
  expect(said('loud')).toMatch(/LOG_LEVEL \(environment: \\"loud\\"\)/)
})
