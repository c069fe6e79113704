import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findingsText, LogModel } from './log-model.ts'
import { ChainReader, chainText, parseRange } from './read-chain.ts'
import { LogReader } from './read-log.ts'

const START = Date.UTC(2026, 0, 1, 12)
const stamp = (second: number) => new Date(START + second * 1000).toISOString()
const ARRIVAL = Date.UTC(2026, 0, 2) * 1000

test('a chain leads from the first sign to the last, with what ties its events', async () => {
  const lines = Array.from({ length: 200 }, (_, i) => `${stamp(i)} INFO [shop-cart] cart of customer ${i} saved`)
  lines.push(
    `${stamp(201)} WARN [shop-store] disk of store-7.internal is 97 % full`,
    `${stamp(203)} INFO [shop-cart] cart of customer 1 saved`,
    `${stamp(204)} ERROR [shop-store] write to store-7.internal failed: no space left on device trace_id=4bf92f3577b34da6a3ce929d0e0e4736`,
    `${stamp(205)} ERROR [shop-checkout] order 12 failed trace_id=4bf92f3577b34da6a3ce929d0e0e4736`,
  )
  const read = async (range: string) => {
    const chain = new ChainReader(parseRange(range))
    const reader = new LogReader({ arrival: ARRIVAL, onEvent: (event, line) => chain.event(event, line) })
    for (const line of lines) await reader.line(line)
    await reader.finish(1)
    return chain.finish(20)
  }
  for (const range of [`${stamp(200).slice(0, -1)}..${stamp(300)}`, '195..300']) {
    const chain = await read(range)
    expect(chain.events.map(({ id }) => id)).toEqual(['201', '203', '204'])
    expect(chain.links).toContainEqual({ from: '201', to: '203', kind: 'entity', label: 'store-7.internal' })
    expect(chainText(chain)).toMatch(/line 203 .*no space left on device.*\n {6}after line 201: same entity store-7.internal/)
  }
  expect(chainText(await read('1..10'))).toContain('10 events there, none of them bad')
})

test.each(['12', '1..', 'a..b', '5..1', '1..2..3'])('the range %s is refused', range => {
  expect(() => parseRange(range)).toThrow('--chain must be FROM..TO')
})

test('a model learned from one file tells what is unlike it in another', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aegis-model-'))
  const path = join(folder, 'model.json')
  try {
    const read = async (model: LogModel, from: number, seconds: number, extra: (second: number) => string[] = () => []) => {
      const reader = new LogReader({ arrival: ARRIVAL, onEvent: (event, line) => model.event(event, line) })
      for (let s = from; s < from + seconds; s++)
        for (const line of [`order ${s} placed`, `served ${7 * s} bytes`, ...extra(s)])
          await reader.line(`${stamp(s)} INFO [shop-cart] ${line}`)
      await reader.finish(1)
      model.end()
      return model.findings
    }
    const trained = new LogModel()
    expect(await read(trained, 0, 900)).toEqual([])
    trained.write(path)
    expect(await read(LogModel.read(path), 4000, 300)).toEqual([])
    const found = await read(LogModel.read(path), 4000, 300, s => (s === 4100 ? ['quota of customer eve exceeded'] : []))
    expect(found.map(({ kind, service, quotes }) => [kind, service, quotes[0]?.text])).toEqual([
      ['new template', 'shop-cart', 'quota of customer eve exceeded'],
    ])
    expect(findingsText(found, 5)).toMatch(/new template: .*\n {6}line 203: quota of customer eve exceeded/)
    writeFileSync(path, '{"kind":"else"}')
    expect(() => LogModel.read(path)).toThrow('is no log model of version 3')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
