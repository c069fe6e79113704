import { type Incident, type LogEvent, logsParsed } from '@aegis/domain'
import { chainWindow } from '@aegis/log-mining'
import { MemoryBroker, MemoryRegistry } from '@aegis/runtime'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { describe, expect, it } from 'vitest'
import { incidentChainText, readIncidentChain } from './read-incident-chain.ts'

const T0 = 1_700_000_000_000_000
const SECOND = 1_000_000
let offset = 0
const event = (second: number, service: string, body: string, over: Partial<LogEvent> = {}): LogEvent => ({
  id: String(offset),
  environment: 'prod',
  time: T0 + Math.round(second * SECOND),
  entity: `service:${service}`,
  service,
  service_known_by: 'given',
  template_id: body.replace(/\d+/g, '*'),
  template: body.replace(/\d+/g, '<*>'),
  parameters: [],
  severity: 'INFO',
  category: 'other',
  mentions: [],
  body,
  exception: null,
  fault_pattern: null,
  trace_id: null,
  span_id: null,
  lines: 1,
  partition: 0,
  offset: offset++,
  ...over,
})
const incident = {
  environment: 'prod',
  started: T0,
  time: T0 + 60 * SECOND,
  ended: null,
  entities: ['service:shop'],
  causes: [{ entity: 'service:cart' }],
  graph: [
    { from: 'service:cart', to: 'service:store', kind: 'calls' },
    { from: 'service:mail', to: 'service:queue', kind: 'calls' },
  ],
} as unknown as Incident

/** Ten minutes before: the store's compaction regularly precedes slow answers; then the incident; then a calm hour. */
const story = (): LogEvent[] => {
  offset = 0
  const calm = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => event(from + i, 'shop', `order ${i} placed`))
  const habit = Array.from({ length: 8 }, (_, i) => [
    event(-590 + 50 * i, 'store', `compaction ${i} began`),
    event(-585 + 50 * i, 'store', `answer ${i} took 900 ms`),
  ]).flat()
  const list = [
    ...calm(-600, 0),
    ...habit,
    event(-3, 'store', 'compaction 9 began'),
    event(-1, 'store', 'answer 9 took 900 ms', { severity: 'WARN' }),
    event(1, 'cart', 'GET /items timed out', { severity: 'ERROR', category: 'timeout', trace_id: 'abc' }),
    event(2, 'shop', 'checkout failed', { severity: 'ERROR', trace_id: 'abc' }),
    event(2, 'mail', 'mailbox full', { severity: 'ERROR' }),
    event(2, 'cart', 'of another environment', { severity: 'ERROR', environment: 'test' }),
    ...calm(60, 4200),
  ]
  return list.sort((a, b) => a.time - b.time)
}
const clientWith = async (events: readonly LogEvent[]) => {
  const client = new StreamClient({ broker: new MemoryBroker(), registry: new MemoryRegistry() })
  await client.broker.ensureTopics([{ topic: logsParsed.name, partitions: 3, config: {} }])
  await client.publish(logsParsed, events)
  return client
}

describe('the chain of an incident', () => {
  it('looks at suspects, those affected and neighbours of suspects, around its time', () => {
    expect(chainWindow(incident)).toEqual({
      environment: 'prod',
      from: T0 - 120 * SECOND,
      to: T0 + 75 * SECOND,
      entities: ['service:cart', 'service:shop', 'service:store'],
    })
    expect(chainWindow({ ...incident, time: T0 + 9000 * SECOND }).to).toBe(T0 + 1800 * SECOND)
  })
  it('is read from the first sign to the last, with what ties its events, out of what the stream still holds', async () => {
    const chain = await readIncidentChain(await clientWith(story()), chainWindow(incident))
    expect(chain.events.map(e => `${e.service}: ${e.body}`)).toEqual([
      'store: compaction 9 began',
      'store: answer 9 took 900 ms',
      'cart: GET /items timed out',
      'shop: checkout failed',
    ])
    const of = (id: string) => chain.events.find(e => e.id === id)?.body
    expect(chain.links.map(l => [of(l.from), l.kind, of(l.to)])).toEqual([
      ['compaction 9 began', 'order', 'answer 9 took 900 ms'],
      ['GET /items timed out', 'trace', 'checkout failed'],
    ])
    expect(chain.left).toBeUndefined()
    const text = incidentChainText(chain)
    expect(text).toMatch(/^chain: 4 of \d+ events, 2 links, from first sign to last\n/)
    expect(text).toMatch(/after logs\.raw 0\/\d+: same request abc/)
  })
  it('says what it did not look at', async () => {
    const chain = await readIncidentChain(await clientWith(story()), chainWindow(incident), 1)
    expect(incidentChainText(chain)).not.toContain('only the first')
    const many = [...story(), ...Array.from({ length: 16_000 }, (_, i) => event(i / 300, 'cart', `item ${i} added`))]
    const client = await clientWith(many.sort((a, b) => a.time - b.time))
    const cut = await readIncidentChain(client, chainWindow(incident), 5000)
    expect(incidentChainText(cut)).toMatch(/of partition \d only the first 5000 records from 2023-/)
    expect(incidentChainText({ ...cut, events: [], links: [], left: 'logs.parsed cannot be read (why)' })).toBe(
      'chain:\n  logs.parsed cannot be read (why)',
    )
  })
})
