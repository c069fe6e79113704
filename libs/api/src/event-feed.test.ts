import type { AddressInfo } from 'node:net'
import { issuesExternal, logsParsed, metricsRaw } from '@aegis/domain'
import type { Seen, ServiceContext } from '@aegis/runtime'
import fastify from 'fastify'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { EventFeed } from './event-feed.ts'

const open = new Map<string, (values: readonly Seen[]) => void>()
const app = fastify()
const feed = new EventFeed({
  log: { warn() {}, debug() {} } as unknown as ServiceContext['log'],
  tail: async ([stream], _from, onValues) => {
    open.set(stream.name, onValues)
    return { caughtUp: Promise.resolve(), close: async () => void open.delete(stream.name), positions: () => ({}) }
  },
})
feed.route(app)
let base: string
const aborts: AbortController[] = []
beforeEach(async () => {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  base = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/api/v1/events`
})
afterEach(async () => {
  for (const abort of aborts.splice(0)) abort.abort()
  await until(() => open.size === 0)
})
const until = async (met: () => boolean) => {
  while (!met()) await new Promise(resolve => setTimeout(resolve, 5))
}
const listen = async (query: string) => {
  const abort = new AbortController()
  aborts.push(abort)
  const response = await fetch(base + query, { signal: abort.signal })
  const got: string[] = []
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  void (async () => {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      got.push(...value.split('\n').filter(line => line !== ''))
    }
  })().catch(() => undefined)
  await until(() => got.length > 0)
  return { got, leave: () => abort.abort() }
}
const arrive = (stream: { name: string }, value: object) => open.get(stream.name)?.([{ stream: stream.name, value } as Seen])

it('reads the streams of single lines and numbers while a client names them, and sends them to it alone', async () => {
  const all = await listen('')
  expect([...open.keys()]).toEqual([])
  const one = await listen('?streams=logs.parsed,%20incidents')
  const two = await listen('?streams=logs.parsed,metrics.raw')
  expect([...open.keys()]).toEqual(['logs.parsed', 'metrics.raw'])
  arrive(logsParsed, { id: 'a', body: 'x' })
  arrive(metricsRaw, { id: 'b', value: 1 })
  feed.send('incidents', 'c', { id: 'c' })
  await until(() => one.got.length >= 7 && two.got.length >= 7 && all.got.length >= 4)
  expect(one.got).toEqual([
    ': connected',
    'event: logs.parsed',
    'id: a',
    'data: {"id":"a","body":"x"}',
    'event: incidents',
    'id: c',
    'data: {"id":"c"}',
  ])
  expect(two.got.filter(l => l.startsWith('event'))).toEqual(['event: logs.parsed', 'event: metrics.raw'])
  expect(all.got.filter(l => l.startsWith('event'))).toEqual(['event: incidents'])
  two.leave()
  await until(() => !open.has(metricsRaw.name))
  expect([...open.keys()]).toEqual(['logs.parsed'])
})
it('begins a stream again for the next client', async () => {
  const first = await listen('?streams=issues.external')
  first.leave()
  await until(() => open.size === 0)
  const second = await listen('?streams=issues.external')
  arrive(issuesExternal, { id: 'i' })
  await until(() => second.got.includes('event: issues.external'))
})
