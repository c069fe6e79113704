import { describe, expect, it } from 'vitest'
import { categoryOf } from './categories.ts'
import { findMentions } from './entities.ts'
import { matchFault } from './fault-patterns.ts'
import { ServiceIdentifier } from './identify-service.ts'

describe('mentions', () => {
  it.each([
    ['connect to 10.0.0.7:5432 failed: ECONNREFUSED', ['ip 10.0.0.7', 'error_code ECONNREFUSED']],
    ['listening on fe80::1ff:fe23:4567:890a and ::1', ['ip fe80::1ff:fe23:4567:890a', 'ip ::1']],
    [
      'GET https://shop.example.com/cart?id=1 from /var/log/app.log',
      ['url https://shop.example.com/cart?id=1', 'path /var/log/app.log'],
    ],
    ['java.net.ConnectException: refused', ['exception java.net.ConnectException']],
    ['pod cart-6d4b75cb6d-hx2jk is not ready', ['pod cart-6d4b75cb6d-hx2jk']],
    [
      'trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7',
      ['trace 4bf92f3577b34da6a3ce929d0e0e4736', 'span 00f067aa0ba902b7'],
    ],
    ['upstream payment-service returned HTTP 503', ['service payment-service', 'error_code HTTP 503']],
    ['at 2026-01-02T03:04:05Z on db1.prod.internal', ['timestamp 2026-01-02T03:04:05Z', 'host db1.prod.internal']],
    ['open C:\\data\\x.bin', ['path C:\\data\\x.bin']],
    ['version 1.2.3 of 2026', []],
  ])('%s', (text, expected) => {
    expect(findMentions(text).map(({ kind, text: shown }) => `${kind} ${shown}`)).toEqual(expected)
  })

  it('masks users, the same one alike', () => {
    const [one] = findMentions('user alice logged in')
    const [two] = findMentions('goodbye user=alice')
    expect(one?.kind).toBe('user')
    expect(one?.text).not.toContain('alice')
    expect(two).toEqual(one)
  })
})

describe('categories', () => {
  it.each([
    ['java.lang.OutOfMemoryError: Java heap space', 'memory'],
    ['Connection refused: no route to host', 'network'],
    ['Failed password for root from 1.2.3.4', 'authentication'],
    ['upstream service unavailable, circuit breaker open', 'dependency'],
    ['write failed: no space left on device', 'storage'],
    ['request timed out after 30s', 'timeout'],
    ['deadlock detected in transaction', 'database'],
    ['missing environment variable PORT', 'configuration'],
    ['x509: certificate signed by unknown authority', 'security'],
    ['hello world', 'other'],
  ])('%s', (text, expected) => {
    expect(categoryOf(text)).toBe(expected)
  })
})

describe('fault patterns', () => {
  it.each([
    ['Out of memory: Killed process 123 (java)', 'out-of-memory'],
    ['dial tcp 10.0.0.1:5432: connect: connection refused', 'connection-refused'],
    ['context deadline exceeded', 'timeout'],
    ['ENOSPC: no space left on device, write', 'disk-full'],
    ['x509: certificate has expired', 'certificate'],
    ['open /etc/x: permission denied', 'permission-denied'],
    ['getaddrinfo ENOTFOUND db', 'name-resolution'],
    ['HikariPool-1 - Connection is not available, request timed out after 30000ms', 'connection-pool-exhausted'],
    ['Back-off restarting failed container', 'crash-loop'],
  ])('%s', (text, kind) => {
    expect(matchFault(text)?.kind).toBe(kind)
  })

  it('finds nothing in lines that are well', () => {
    for (const text of [
      'server started on port 8080',
      'request served in 12ms',
      'timeout set to 30s',
      'Received block of size 12',
    ])
      expect(matchFault(text)).toBeUndefined()
  })
})

describe('service identification', () => {
  it('learns from lines whose service is known, and stays silent where traits are shared', () => {
    const identifier = new ServiceIdentifier()
    for (let i = 0; i < 10; i++) {
      identifier.learn(['template:a', 'template:shared'], 'cart')
      identifier.learn(['template:b', 'template:shared'], 'payment')
    }
    expect(identifier.identify(['template:a'])?.service).toBe('cart')
    expect(identifier.identify(['template:shared'])).toBeUndefined()
    const restored = new ServiceIdentifier()
    restored.restore(identifier.snapshot())
    expect(restored.identify(['template:shared', 'template:b'])).toEqual(identifier.identify(['template:shared', 'template:b']))
  })
})
