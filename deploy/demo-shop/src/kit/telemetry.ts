/** Ordinary OpenTelemetry set-up of one service: logs, metrics every second, traces, all over OTLP/HTTP. */
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Attributes,
  type Context,
  type ContextManager,
  context,
  logs,
  metrics,
  ROOT_CONTEXT,
  SeverityNumber,
  trace,
} from '@opentelemetry/api'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Identity } from './identity.ts'

export interface Log {
  debug(text: string, attributes?: Attributes): void
  info(text: string, attributes?: Attributes): void
  warn(text: string, attributes?: Attributes): void
  error(text: string, error?: unknown, attributes?: Attributes): void
}

class AsyncContext implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>()
  active() {
    return this.#storage.getStore() ?? ROOT_CONTEXT
  }
  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    run: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(active, () => run.call(thisArg as never, ...args))
  }
  bind<T>(_context: Context, target: T): T {
    return target
  }
  enable() {
    return this
  }
  disable() {
    return this
  }
}

export function startTelemetry(identity: Identity): { log: Log; shutdown(): Promise<void> } {
  const endpoint = identity.otlpEndpoint?.replace(/\/$/, '')
  const resource = resourceFromAttributes({
    'service.name': identity.service,
    'service.namespace': 'shop',
    'service.version': identity.version,
    'service.instance.id': identity.instance,
    'service.config.hash': identity.configHash,
    'deployment.environment.name': identity.environment,
    'process.pid': process.pid,
  })
  // Nobody may be listening: bounded queues, short time-outs, few requests in flight, and failures stay silent.
  const to = (signal: string) => ({ url: `${endpoint}/v1/${signal}`, timeoutMillis: 3000, concurrencyLimit: 3 })
  const queue = { scheduledDelayMillis: 500, maxQueueSize: 2048, maxExportBatchSize: 512, exportTimeoutMillis: 4000 }
  const meters = new MeterProvider({
    resource,
    readers: endpoint
      ? [
          new PeriodicExportingMetricReader({
            exporter: new OTLPMetricExporter(to('metrics')),
            exportIntervalMillis: 1000,
            exportTimeoutMillis: 900,
          }),
        ]
      : [],
  })
  const tracers = new TracerProvider({
    resource,
    spanProcessors: endpoint ? [new BatchSpanProcessor({ exporter: new OTLPTraceExporter(to('traces')), ...queue })] : [],
  })
  const loggers = new LoggerProvider({
    resource,
    processors: endpoint ? [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter(to('logs')), ...queue })] : [],
  })
  context.setGlobalContextManager(new AsyncContext())
  metrics.setGlobalMeterProvider(meters)
  trace.setGlobalTracerProvider(tracers)
  logs.setGlobalLoggerProvider(loggers)
  return {
    log: createLog(identity.service),
    async shutdown() {
      await Promise.allSettled([meters.shutdown(), tracers.shutdown(), loggers.shutdown()])
    },
  }
}

function createLog(name: string): Log {
  const logger = logs.getLogger(name)
  const emit = (severityNumber: SeverityNumber, severityText: string, body: string, attributes: Attributes = {}) =>
    logger.emit({ severityNumber, severityText, body, attributes, context: context.active() })
  return {
    debug: (text, attributes) => emit(SeverityNumber.DEBUG, 'DEBUG', text, attributes),
    info: (text, attributes) => emit(SeverityNumber.INFO, 'INFO', text, attributes),
    warn: (text, attributes) => emit(SeverityNumber.WARN, 'WARN', text, attributes),
    error(text, error, attributes) {
      const thrown = error instanceof Error ? error : undefined
      const exception: Attributes = thrown
        ? { 'exception.type': thrown.name, 'exception.message': thrown.message, 'exception.stacktrace': thrown.stack ?? '' }
        : {}
      emit(SeverityNumber.ERROR, 'ERROR', thrown?.stack ? `${text}\n${thrown.stack}` : text, { ...attributes, ...exception })
    },
  }
}
