import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { defaultPorts, isFree, pickPorts } from './ports.ts'

test('gives every server its wanted port when all are free', async () => {
  expect(await pickPorts(defaultPorts, async () => true)).toEqual({ ports: defaultPorts, moved: [] })
})

test('moves a taken port and says so', async () => {
  const { ports, moved } = await pickPorts(defaultPorts, async port => port !== 19092)
  expect(ports.kafka).toBe(19102)
  expect(moved).toEqual([{ name: 'kafka', wanted: 19092, given: 19102 }])
})

test('never gives one port twice', async () => {
  const same = { kafka: 20000, controller: 20000, registry: 20000, bolt: 20000, http: 20000, redis: 20000 }
  const { ports } = await pickPorts(same, async () => true)
  expect(new Set(Object.values(ports)).size).toBe(6)
})

test('sees a port that somebody listens on', async () => {
  const server = createServer()
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as { port: number }
  expect(await isFree(port)).toBe(false)
  await new Promise(done => server.close(done))
  expect(await isFree(port)).toBe(true)
})
