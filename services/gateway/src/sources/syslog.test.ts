import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { listenSyslog, SyslogFramer, syslogLines } from './syslog.ts'

const first = '<34>1 2026-03-01T10:00:00Z web1 shop 77 ID1 - order 7 failed'
const second = '<13>Mar  1 10:00:01 web2 cart[12]: two\nlines'
const counted = (text: string) => `${Buffer.byteLength(text)} ${text}`

describe('framing', () => {
  const inPieces = (stream: Buffer, sizes: readonly number[]) => {
    const framer = new SyslogFramer()
    const out: string[] = []
    let at = 0
    for (let i = 0; at < stream.length; i++) {
      const size = sizes[i % sizes.length] ?? 1
      out.push(...framer.push(stream.subarray(at, at + size)))
      at += size
    }
    return [...out, ...framer.end()].filter(Boolean)
  }
  it('is told from the beginning of the stream, however it comes in pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }), sizes => {
        expect(inPieces(Buffer.from(counted(first) + counted(second) + counted('<1>ä')), sizes)).toEqual([first, second, '<1>ä'])
        expect(inPieces(Buffer.from(`${first}\n<1>ä\nlast`), sizes)).toEqual([first, '<1>ä', 'last'])
        expect(inPieces(Buffer.from(`${first}\0<1>x\0`), sizes)).toEqual([first, '<1>x'])
      }),
      { seed: 3, numRuns: 200 },
    )
  })
  it('takes line ends between counted messages, and ends where it cannot follow', () => {
    expect(inPieces(Buffer.from(`${counted(first)}\n${counted('<1>x')}\n`), [1000])).toEqual([first, '<1>x'])
    const framer = new SyslogFramer()
    framer.push(Buffer.from(counted(first)))
    expect(() => framer.push(Buffer.from('no length'))).toThrow('is no length of a frame')
    expect(() => new SyslogFramer().push(Buffer.from('9999999 <1>x'))).toThrow('longer than')
  })
})

it('gives whole messages, with host and program to tell their writers apart', () => {
  const lines = syslogLines([`${first}\n`, '', second], '10.0.0.1', { environment: 'e', now: 5, redact: text => text })
  expect(lines).toMatchObject([
    {
      body: first,
      attributes: { 'host.name': 'web1', 'syslog.appname': 'shop', 'process.pid': '77' },
      source: '10.0.0.1',
      time: 5,
    },
    { body: second, attributes: { 'host.name': 'web2', 'syslog.appname': 'cart' } },
  ])
  expect(lines[0].id).not.toBe(lines[1].id)
})

it('listens on both transports of one port', async () => {
  const got: string[] = []
  let all: () => void
  const three = new Promise<void>(resolve => (all = resolve))
  const take = async (messages: readonly string[]) => {
    got.push(...messages)
    if (got.length === 3) all()
  }
  const server = await listenSyslog('127.0.0.1', 0, take, () => undefined)
  const socket = connect(server.port, '127.0.0.1', () => socket.end(counted(first) + counted('<1>x')))
  const udp = createSocket('udp4')
  udp.send(second, server.port, '127.0.0.1', () => udp.close())
  await three
  await server.close()
  expect(got.sort()).toEqual([second, '<1>x', first].sort())
})
