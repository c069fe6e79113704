import { mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { makeKey, mayDo, mayTouch, principalOf } from './api-keys.ts'
import { addEnvironments, nearNames, readEnvironments, removeEnvironment } from './environments-file.ts'
import { KeysFile, readKeys, writeKeys } from './keys-file.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'aegis-'))

test('keys are kept hashed and private, expire, and are read again when they change', () => {
  const file = path.join(folder, 'deep', 'keys.json')
  const { secret, key } = makeKey({ name: 'ci', scopes: ['ingest'], environments: ['staging'] }, 5, 100)
  const opened = new KeysFile(file)
  expect(opened.keys()).toEqual([])
  writeKeys(file, [key])
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(JSON.stringify(readKeys(file))).not.toContain(secret)
  const ci = principalOf(opened.keys(), secret, 99)
  expect(ci).toEqual({ name: 'ci', scopes: ['ingest'], environments: ['staging'] })
  expect([mayDo(ci!, 'ingest'), mayDo(ci!, 'control'), mayTouch(ci!, 'staging'), mayTouch(ci!, 'prod')]).toEqual([
    true,
    false,
    true,
    false,
  ])
  expect(principalOf(opened.keys(), secret, 100)).toBeUndefined()
  expect(principalOf(opened.keys(), `${secret}x`, 99)).toBeUndefined()
  writeFileSync(file, '{"keys":[{}]}')
  expect(() => readKeys(file)).toThrow(/aegis keys add/)
})

test('environments are added once, removed, and near names found', () => {
  const file = path.join(folder, 'environments')
  addEnvironments(file, ['prod', 'staging', 'prod'])
  expect(readEnvironments(file)).toEqual(['prod', 'staging'])
  expect(nearNames('prdo', ['staging', 'prod'])).toEqual(['prod'])
  expect(nearNames('production', ['staging', 'prod'])).toEqual(['prod'])
  expect(nearNames('qa', ['staging', 'prod'])).toEqual([])
  expect([removeEnvironment(file, 'prod'), removeEnvironment(file, 'prod')]).toEqual([true, false])
  expect(() => addEnvironments(file, ['a b'])).toThrow(/no name/)
})
