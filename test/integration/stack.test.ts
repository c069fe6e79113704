import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { orphansOf } from '@aegis/stack/local/processes'
import { down, reset, type Stack, status, up } from '@aegis/stack/local/stack'
import { afterAll, expect, test } from 'vitest'

const folder = join(mkdtempSync(join(tmpdir(), 'stack-')), 'stack')
afterAll(async () => {
  await reset({ folder })
  rmSync(join(folder, '..'), { recursive: true, force: true })
})

const cypher = async (stack: Stack, statement: string) => {
  const response = await fetch(`http://127.0.0.1:${stack.ports.http}/db/neo4j/tx/commit`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from(`neo4j:${stack.env.NEO4J_PASSWORD}`).toString('base64')}`,
    },
    body: JSON.stringify({ statements: [{ statement }] }),
  })
  return (await response.json()) as { results: { data: { row: unknown[] }[] }[] }
}

test('up, down, up: everything answers, data survives, nothing is left running', async () => {
  const first = await up({ by: 'jvm', folder })
  expect((await status({ folder })).servers.map(server => server.state)).toEqual(['ready', 'ready', 'ready', 'ready'])
  expect(statSync(join(folder, 'data', 'neo4j-password')).mode & 0o077).toBe(0)
  await cypher(first, "CREATE (:Kept {name: 'here'})")
  const subject = `${first.env.SCHEMA_REGISTRY_URL}/subjects/kept-value/versions`
  const registered = await fetch(subject, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"schema":"\\"string\\""}',
  })
  expect(registered.status).toBe(200)

  expect((await up({ by: 'jvm', folder })).startedHere).toBe(false)
  expect((await down({ folder })).sort()).toEqual(['kafka', 'neo4j', 'redis', 'registry'])
  expect(orphansOf(folder)).toEqual([])

  const second = await up({ by: 'jvm', folder, attached: true })
  expect(second.ports).toEqual(first.ports)
  expect((await cypher(second, 'MATCH (k:Kept) RETURN k.name')).results[0].data[0].row).toEqual(['here'])
  expect(await (await fetch(subject)).json()).toEqual([1])
  await second.stop()
  expect(orphansOf(folder)).toEqual([])
})

test('a process that is killed takes its attached, half-started stack with it', async () => {
  const script = `import { up } from '${new URL('@aegis/stack/local/stack', import.meta.url).href}'
    up({ by: 'jvm', folder: ${JSON.stringify(folder)}, attached: true })
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 2500)`
  expect(() => execFileSync(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' })).toThrow()
  await expect.poll(() => orphansOf(folder).length, { timeout: 30_000 }).toBe(0)
})
