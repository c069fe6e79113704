import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { authorization, ownKeys } from './own-keys.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'aegis-own-keys-'))
  vi.stubEnv('AEGIS_STATE_DIR', folder)
  for (const name of ['AEGIS_KEYS_FILE', 'AEGIS_API_TOKEN', 'AEGIS_AUTHENTICATION', 'AEGIS_ANONYMOUS_SCOPES'])
    vi.stubEnv(name, undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

it('lets this machine send and read without a key, and nobody act', () => {
  const { env, secret } = ownKeys()
  expect(env.AEGIS_ANONYMOUS_SCOPES?.split(',').sort()).toEqual(['detect', 'ingest', 'read'])
  expect(secret).toBeDefined()
  expect(statSync(path.join(folder, 'cli-key')).mode & 0o777).toBe(0o600)
  expect(ownKeys().secret).toBe(secret)
})
it('gives the key of this checkout to this machine only', () => {
  const { secret } = ownKeys()
  expect(authorization('http://127.0.0.1:4318')).toEqual({ authorization: `Bearer ${secret}` })
  expect(authorization('http://aegis.example:4318')).toEqual({})
})
it('leaves what somebody has said about keys as it is', () => {
  vi.stubEnv('AEGIS_API_TOKEN', 'said')
  expect(ownKeys()).toEqual({ env: {} })
})
