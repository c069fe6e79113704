import { describe, expect, it } from 'vitest'
import { statementOf } from './statement.ts'

describe('statementOf', () => {
  it.each([
    ['12:01:02.345 INFO o.c.OrderService#42 [create][Order 77]', 'o.c.OrderService#42', 'names its class and line'],
    ['I0102 12:01:02 checkout.go:118] charged', 'checkout.go:118', 'names its file and line'],
    ['order 4711 placed for "Ann" in 12ms', 'order <*> placed for <*> in <*>', 'masks what varies'],
    ['a b c d e f g h i j k l', 'a b c d e f g h i j', 'ten words at most'],
    ['failed\n  at charge (pay.js)', 'failed', 'the first line alone'],
    ['', '', 'says nothing'],
  ])('%j is %j: %s', (text, statement) => expect(statementOf(text)).toBe(statement))
  it('is the same for lines of one statement', () =>
    expect(statementOf('call 1 to 10.0.0.1 took 5 ms')).toBe(statementOf('call 22 to 10.0.0.2 took 71 ms')))
})
