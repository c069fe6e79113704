import type { TraceContext } from './stage.ts'

const FORM = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** W3C Trace Context, level 1. */
export const readTraceparent = (header: string | Uint8Array | undefined): TraceContext | undefined => {
  const m = header === undefined ? null : FORM.exec(String(header))
  return m ? { traceId: m[1], spanId: m[2], sampled: (Number.parseInt(m[3], 16) & 1) === 1 } : undefined
}
export const traceparent = (t: TraceContext): string => `00-${t.traceId}-${t.spanId}-${t.sampled ? '01' : '00'}`
