import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

// Plain JavaScript without types on purpose: set-up runs on a Node that knows no TypeScript.
const load = (name: string): Promise<Record<string, any>> => import(new URL(`./${name}.mjs`, import.meta.url).href)
const { holderOf, take } = await load('lock')
const { missing, parseJavaMajor } = await load('machine')
const { treeMatches } = await load('packages')
const { telling, withoutHosts } = await load('progress')
const { isComplete, pomOf, redisBinary } = await load('servers')

test('reads the version of old and new Javas', () => {
  expect(parseJavaMajor('openjdk version "17.0.15" 2025-04-15')).toBe(17)
  expect(parseJavaMajor('java version "1.8.0_292"')).toBe(8)
  expect(parseJavaMajor(undefined)).toBe(0)
})

test('one sentence for each thing that is missing, none when nothing is', () => {
  const full = { javaMajor: 17, maven: '/m', engine: false, compiler: '/c', python: '/p' }
  const here = { platform: 'linux', arch: 'x64' }
  expect(missing(full, here)).toEqual([])
  expect(missing({ ...full, javaMajor: 11 }, here)).toEqual([expect.stringMatching(/JDK 17 or newer \(found 11\).*embedded/)])
  expect(missing({ ...full, javaMajor: 0, maven: undefined, engine: true }, here)).toEqual([])
  expect(missing({ ...full, compiler: undefined }, here)).toEqual([expect.stringMatching(/C\+\+ compiler.*WebAssembly/)])
})

test('node_modules fits the lock file when every package that is not optional has its version', () => {
  const lock = {
    packages: {
      '': {},
      'libs/a': {},
      'node_modules/x': { version: '1.0.0' },
      'node_modules/y': { version: '2.0.0', optional: true },
    },
  }
  expect(treeMatches(lock, { packages: { 'node_modules/x': { version: '1.0.0' } } })).toBe(true)
  expect(treeMatches(lock, { packages: { 'node_modules/x': { version: '1.0.1' } } })).toBe(false)
  expect(treeMatches(lock, { packages: {} })).toBe(false)
})

test('a lock is held by the living only', () => {
  const folder = mkdtempSync(join(tmpdir(), 'setup-'))
  const file = join(folder, 'lock')
  expect(take(file)).toBe(true)
  expect(take(file)).toBe(false)
  writeFileSync(file, JSON.stringify({ pid: process.pid, born: 'another time' }))
  expect(holderOf(file)).toBeUndefined()
  expect(take(file)).toBe(true)
  rmSync(folder, { recursive: true })
})

test('addresses of registries do not reach the screen', () => {
  const text = withoutHosts('fetch https://packages.example.org/a/b failed: getaddrinfo ENOTFOUND packages.example.org')
  expect(text).not.toContain('example.org')
  expect(telling('npm warn old\nnpm error code E1\nnpm error\nnpm error why')).toEqual(['npm error code E1', 'npm error why'])
})

test('a server folder counts only when it was finished for these artifacts', () => {
  const cache = mkdtempSync(join(tmpdir(), 'setup-'))
  expect(isComplete(cache, { folder: 'none', artifacts: ['a:b:1'], proof: 'b.jar' })).toBe(false)
  rmSync(cache, { recursive: true })
  expect(pomOf(['a:b:1'])).toContain('<artifactId>b</artifactId><version>1</version>')
  expect(redisBinary(['redis-server-6.2.7-linux-386', 'redis-server-6.2.6-v5-linux-amd64'], 'linux', 'x64')).toBe(
    'redis-server-6.2.6-v5-linux-amd64',
  )
})
