import { trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { contextFromTraceparent, traceparentOf } from './traceparent.ts'

describe('traceparent', () => {
  it('comes back as it went', () => {
    const header = `00-${'4bf92f3577b34da6a3ce929d0e0e4736'}-00f067aa0ba902b7-01`
    const span = trace.getSpan(contextFromTraceparent(header))
    expect(span && traceparentOf(span)).toBe(header)
  })

  it('is ignored when absent or malformed', () => {
    for (const header of [undefined, '', 'nonsense', `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`, '00-abc-def-01']) {
      expect(trace.getSpan(contextFromTraceparent(header))).toBeUndefined()
    }
  })
})
