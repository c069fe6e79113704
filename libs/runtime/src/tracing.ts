import type { TraceContext } from '@aegis/domain'
import { context, type Span, SpanKind, TraceFlags, trace } from '@opentelemetry/api'

const tracer = trace.getTracer('aegis')

/** Spans of one batch: one per trace that passes through the stage, made when its first output is, ended together. Untraced records cost nothing. */
export class BatchTrace {
  readonly #stage: string
  readonly #spans = new Map<string, Span>()

  constructor(stage: string) {
    this.#stage = stage
  }
  /** The context an output caused by `cause` carries on. */
  next(cause: TraceContext, attributes: Record<string, string | number>): TraceContext {
    if (!cause.sampled) return cause
    let span = this.#spans.get(cause.traceId)
    if (!span) {
      const parent = trace.setSpanContext(context.active(), {
        traceId: cause.traceId,
        spanId: cause.spanId,
        traceFlags: TraceFlags.SAMPLED,
        isRemote: true,
      })
      span = tracer.startSpan(
        `process ${this.#stage}`,
        {
          kind: SpanKind.CONSUMER,
          attributes: { 'messaging.system': 'kafka', 'messaging.operation.type': 'process', ...attributes },
        },
        parent,
      )
      this.#spans.set(cause.traceId, span)
    }
    const made = span.spanContext()
    return trace.isSpanContextValid(made) ? { traceId: made.traceId, spanId: made.spanId, sampled: true } : cause
  }
  end(): void {
    for (const span of this.#spans.values()) span.end()
    this.#spans.clear()
  }
}

/** Sends spans to an OTLP endpoint; without one, contexts are passed on and nothing is recorded. */
export const startTracing = async (service: string, endpoint: string | undefined): Promise<() => Promise<void>> => {
  if (!endpoint) return async () => undefined
  const [{ BatchSpanProcessor, TracerProvider }, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': `aegis-${service}` }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  })
  trace.setGlobalTracerProvider(provider)
  return () => provider.shutdown()
}
