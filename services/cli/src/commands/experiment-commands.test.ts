import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { experimentCommand } from './experiment.ts'

/** Keeps what it is told, as the controls stream does. */
let experiment: unknown = null
const gateway = createServer((request, response) => {
  let text = ''
  request
    .on('data', part => {
      text += part
    })
    .on('end', () => {
      if (request.method === 'PUT') experiment = JSON.parse(text).experiment
      response.end(JSON.stringify({ environment: 'shop', version: 1, experiment: JSON.stringify(experiment) }))
    })
})
let printed: string[] = []
const run = (...args: string[]) => {
  printed = []
  return experimentCommand().parseAsync([...args, '--environment', 'shop'], { from: 'user' })
}
beforeAll(async () => {
  await new Promise<void>(resolve => gateway.listen(0, '127.0.0.1', resolve))
  vi.stubEnv('AEGIS_GATEWAY_URL', `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`)
  vi.spyOn(console, 'log').mockImplementation(line => void printed.push(String(line)))
})
afterAll(() => {
  gateway.close()
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

test('an experiment is created, paused, resumed and completed, and only one runs at a time', async () => {
  await expect(run('pause')).rejects.toThrow(/there is no experiment in shop/)
  await expect(run('create', 'x', '--arm', 'a=rules:50', 'b=learned:40')).rejects.toThrow(/100/)
  await run('create', 'x', '--arm', 'a=rules:50', 'b=learned:50')
  expect(printed).toEqual(['experiment x runs in shop'])
  expect(experiment).toMatchObject({
    name: 'x',
    state: 'running',
    arms: [{ name: 'a', policy: 'rules', share: 50 }, { name: 'b' }],
  })
  await expect(run('create', 'y', '--arm', 'a=rules:50', 'b=learned:50')).rejects.toThrow(
    /x is running in shop: complete it first/,
  )
  for (const [verb, state] of [
    ['pause', 'paused'],
    ['resume', 'running'],
    ['complete', 'completed'],
  ]) {
    await run(verb)
    expect(printed).toEqual([`experiment x is ${state}`])
    expect(experiment).toMatchObject({ name: 'x', state })
  }
  await expect(run('resume')).rejects.toThrow(/completed/)
  await run('create', 'y', '--arm', 'a=rules:50', 'b=learned:50')
  expect(experiment).toMatchObject({ name: 'y', state: 'running' })
})
