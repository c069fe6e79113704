/** The Docker executor against a real engine: the one DOCKER_HOST names, or Docker's own socket. */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { request } from 'node:http'
import type { Action } from '@aegis/domain'
import { Docker } from '@aegis/executor/executors/docker'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock'
const socket = host.startsWith('unix://') ? host.slice('unix://'.length) : ''
/** Any of these will do: all it needs is a shell. */
const IMAGES = /(^|\/)(busybox|alpine|debian|ubuntu|node):/

// What the engine answers is looked at field by field.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Json = any
const ask = (method: string, path: string, body?: object): Promise<{ status: number; body: Json }> =>
  new Promise((resolve, fail) => {
    const call = request(
      { socketPath: socket, path: `/v1.41${path}`, method, headers: { 'content-type': 'application/json' } },
      answer => {
        let text = ''
        answer.on('data', chunk => (text += chunk))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text ? JSON.parse(text) : undefined }))
      },
    )
    // An engine that does not answer must not hold up those who do not use it.
    call.setTimeout(30_000, () => call.destroy(new Error('no answer within 30 s')))
    call.on('error', fail)
    call.end(body && JSON.stringify(body))
  })
const engine = socket !== '' && existsSync(socket) && (await ask('GET', '/images/json').catch(() => undefined))
const image = engine
  ? (engine.body as { RepoTags?: string[] }[]).flatMap(i => i.RepoTags ?? []).find(tag => IMAGES.test(tag))
  : undefined
/** podman has Docker's call for changing limits from 5.0 on. */
const canUpdate =
  engine &&
  !((await ask('GET', '/version')).body.Components as { Name: string; Version: string }[]).some(
    c => /podman/i.test(c.Name) && Number.parseInt(c.Version, 10) < 5,
  )
const lacking = engine
  ? image
    ? ''
    : 'the engine has no image with a shell (docker pull busybox)'
  : `no container engine answers at ${host}`

describe.skipIf(lacking !== '')('Docker executor on a real engine', () => {
  const name = `aegis-test-${randomUUID()}`
  const docker = new Docker({ socket })
  const ever = () => AbortSignal.timeout(60_000)
  const action = (what: string, parameters: Record<string, string> = {}): Action => ({
    action: what,
    target: `service:${name}`,
    environment: 'test',
    parameters,
  })
  const act = (what: string, parameters?: Record<string, string>) =>
    docker.execute(action(what, parameters), randomUUID(), ever())
  const inspect = async () => (await ask('GET', `/containers/${name}/json`)).body

  beforeAll(async () => {
    const created = await ask('POST', `/containers/create?name=${name}`, {
      Image: image,
      Cmd: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'],
      HostConfig: { Memory: 64 * 1024 * 1024, MemorySwap: 128 * 1024 * 1024 },
    })
    expect(created).toMatchObject({ status: 201 })
  })
  afterAll(() => ask('DELETE', `/containers/${name}?force=true`))

  it('starts what is down, stops it again, and each can be taken back', async () => {
    const { undo } = await act('start')
    expect((await inspect()).State.Running).toBe(true)
    expect(await docker.find(action('start'), 'any', ever())).toMatchObject({ text: expect.stringContaining(name) })
    expect(undo?.action).toBe('stop')
    expect((await act('start')).undo).toBeUndefined()
    await docker.execute(undo!, randomUUID(), ever())
    expect((await inspect()).State.Running).toBe(false)
    expect(await docker.find(action('start'), 'any', ever())).toBe('not-done')
  })
  it('restarts: the process is another, and what crashed runs again', async () => {
    await act('start')
    const before = (await inspect()).State
    await act('restart')
    const after = (await inspect()).State
    expect(after.Running).toBe(true)
    expect(after.Pid).not.toBe(before.Pid)
    await ask('POST', `/containers/${name}/kill`)
    while ((await inspect()).State.Running) await new Promise(resolve => setTimeout(resolve, 50))
    await act('restart')
    expect((await inspect()).State.Running).toBe(true)
  })
  it.skipIf(!canUpdate)(
    `raises a limit by half, and puts it back${canUpdate ? '' : ' (NOT TESTED: podman can from 5.0)'}`,
    async () => {
      const { text, undo } = await act('raise_limit')
      expect((await inspect()).HostConfig.Memory).toBe(96 * 1024 * 1024)
      expect(text).toContain(`memory ${96 * 1024 * 1024}`)
      await docker.execute(undo!, randomUUID(), ever())
      expect((await inspect()).HostConfig.Memory).toBe(64 * 1024 * 1024)
    },
  )
  it('changes nothing in a dry run, and says what is wrong', async () => {
    const before = (await inspect()).State
    await new Docker({ socket, dryRun: true }).execute(action('stop'), 'x', ever())
    expect((await inspect()).State).toEqual(before)
    await expect(docker.execute({ ...action('restart'), target: 'service:nobody' }, 'x', ever())).rejects.toThrow(
      /inspect container "nobody": the engine at .* has no such container; check the entity's name/,
    )
    await expect(new Docker({ socket: '/no/such.sock' }).execute(action('restart'), 'x', ever())).rejects.toThrow(
      /no engine answers at \/no\/such.sock .* check AEGIS_EXECUTORS/,
    )
    await expect(act('rollback_deploy')).rejects.toThrow(/containers have no rollback_deploy/)
  })
})

if (lacking) it.skip(`Docker executor: NOT TESTED, because ${lacking}`, () => undefined)
