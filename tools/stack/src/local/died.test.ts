import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { died } from './by-jvm.ts'
import { serverFolder } from './places.ts'
import { firstPassword } from './servers/neo4j.ts'
import { prepareFolder } from './state.ts'

const folder = mkdtempSync(join(tmpdir(), 'died-'))
const log = join(folder, 'kafka.log')

test.each([
  ['java.net.BindException: Address already in use', 'PORT_TAKEN'],
  ['java.io.IOException: No space left on device', 'NO_SPACE'],
  ['something else', 'SERVER_EXITED'],
])('a server that ends with "%s" is reported as %s, with its log', (text, code) => {
  writeFileSync(log, `${text}\n`)
  const error = died('Kafka', 1, log, folder)
  expect(error.code).toBe(code)
  expect(error.message).toContain(log)
})

test('a server that was never fetched: the message names it, the folder and the command', () => {
  expect(() => serverFolder('neo4j', { AEGIS_CACHE: folder })).toThrow(/Neo4j 5\.26\.30 is not in .*npm run setup/)
})

test('too little disk: the message names folder and need before anything starts', () => {
  expect(() => prepareFolder(folder, Number.MAX_SAFE_INTEGER)).toThrow(new RegExp(`MiB free .*${folder}.*AEGIS_STATE_DIR`))
  rmSync(folder, { recursive: true })
})

test('the first password is written as neo4j-admin writes it', () => {
  const salt = Buffer.from('05ee0144e86657cc779eb4df45af608f8e8ced0a9c43cf032839cc6720c8cb35', 'hex')
  expect(firstPassword('abcdefgh1', salt)).toBe(
    'neo4j:SHA-256,4d9ccbaa31c1408bbe1ec559232986c14b9d5a0fc522002a461c0473eb02158d,05ee0144e86657cc779eb4df45af608f8e8ced0a9c43cf032839cc6720c8cb35,1024:\n',
  )
})
