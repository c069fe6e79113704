import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ChainEvent, causalChain, TemplateOrder } from './causal-chain.ts'

const event = (id: string, seconds: number, more: Partial<ChainEvent> = {}): ChainEvent => ({
  id,
  timeUs: seconds * 1e6,
  service: 'cart',
  templateId: `t-${id}`,
  severity: 'ERROR',
  category: 'other',
  body: id,
  mentions: [],
  ...more,
})

describe('causal chain', () => {
  it('ties events by trace, exception and what few of them name', () => {
    const db = { kind: 'host', text: 'db.internal' } as const
    const { events, links } = causalChain([
      event('late', 30, { traceId: 'x', exception: 'a.TimeoutException' }),
      event('disk', 1, { service: 'db', mentions: [db] }),
      event('slow', 10, { mentions: [db], traceId: 'x' }),
      event('other', 20),
      event('again', 40, { exception: 'a.TimeoutException' }),
      event('fine', 50),
      event('fine2', 51),
      event('fine3', 52),
    ])
    expect(events.map(({ id }) => id).slice(0, 4)).toEqual(['disk', 'slow', 'other', 'late'])
    expect(links).toEqual([
      { from: 'disk', to: 'slow', kind: 'entity', label: 'db.internal' },
      { from: 'slow', to: 'late', kind: 'trace', label: 'x' },
      { from: 'late', to: 'again', kind: 'exception', label: 'a.TimeoutException' },
    ])
  })

  it('ties lines by ids of requests in their text, and those that name a service to what it said', () => {
    const { links } = causalChain([
      event('store-1', 1, { service: 'store', body: 'write failed trace_id=4bf92f35 size=3' }),
      event('cart-1', 2, { service: 'cart', body: 'order 7 failed request_id: "r-12345" trace_id=4bf92f35' }),
      event('web-1', 3, { service: 'service:web', body: 'answered 500 x-request-id=r-12345' }),
      event('web-2', 4, { service: 'service:web', body: 'call to store failed' }),
      event('web-3', 5, { service: 'service:web', body: 'restored the cartridge' }),
    ])
    expect(links).toEqual([
      { from: 'store-1', to: 'cart-1', kind: 'trace', label: '4bf92f35' },
      { from: 'cart-1', to: 'web-1', kind: 'trace', label: 'r-12345' },
      { from: 'store-1', to: 'web-2', kind: 'entity', label: 'store' },
    ])
  })

  it('learns what regularly comes before what', () => {
    const order = new TemplateOrder()
    for (let i = 0; i < 40; i++) {
      const at = i * 100e6
      for (let k = 0; k < 20; k++) order.learn(`noise-${(i * 7 + k * 3) % 50}`, at + k * 1e5)
      order.learn('pool empty', at + 3e6)
      order.learn('request failed', at + 4e6)
    }
    expect(order.regularlyBefore('request failed')).toEqual(['pool empty'])
    const chain = causalChain([event('a', 1, { templateId: 'pool empty' }), event('b', 2, { templateId: 'request failed' })], {
      order,
    })
    expect(chain.links).toEqual([{ from: 'a', to: 'b', kind: 'order', label: 'regularly before' }])
  })

  it('keeps time order, its limit and the first sign, and links only forward', () => {
    const some = fc.record({
      seconds: fc.nat(50),
      severity: fc.constantFrom('INFO' as const, 'WARN' as const, 'CRITICAL' as const),
      traceId: fc.constantFrom('x', 'y', ''),
      templateId: fc.constantFrom('p', 'q', 'r'),
    })
    fc.assert(
      fc.property(fc.array(some, { maxLength: 40 }), fc.integer({ min: 1, max: 10 }), (list, maxEvents) => {
        const input = list.map(({ seconds, ...more }, i) => event(`e${i}`, seconds, more))
        const { events, links } = causalChain(input, { maxEvents })
        expect(events.length).toBe(Math.min(maxEvents, input.length))
        const place = new Map(events.map(({ id }, i) => [id, i]))
        for (let i = 1; i < events.length; i++) expect(events[i]!.timeUs).toBeGreaterThanOrEqual(events[i - 1]!.timeUs)
        for (const { from, to } of links) expect(place.get(from)!).toBeLessThan(place.get(to)!)
        const signs = input.filter(({ severity }) => severity !== 'INFO').map(({ timeUs }) => timeUs)
        if (signs.length > 0)
          expect(events.some(({ timeUs, severity }) => severity !== 'INFO' && timeUs === Math.min(...signs))).toBe(true)
      }),
      { seed: 9, numRuns: 200 },
    )
  })
})
