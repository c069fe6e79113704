import { expect, test } from 'vitest'
import { experimentCommand } from './experiment.ts'
import { standInGateway } from './stand-in-gateway.cases.ts'

/** Keeps what it is told, as the controls stream does. */
let experiment: unknown = null
const { printed } = standInGateway(({ method, body }) => {
  if (method === 'PUT') experiment = JSON.parse(body).experiment
  return { environment: 'shop', version: 1, experiment: JSON.stringify(experiment) }
})
const run = (...args: string[]) => {
  printed.length = 0
  return experimentCommand().parseAsync([...args, '--environment', 'shop'], { from: 'user' })
}

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
