"""Sends one of each signal with OpenTelemetry's Python SDK: otel-clients.py (http|grpc) ENDPOINT"""
import logging
import sys

from opentelemetry.sdk.resources import Resource

way, endpoint = sys.argv[1:]
if way == 'http':
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    at = lambda signal: {'endpoint': f'{endpoint}/v1/{signal}'}
else:
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    at = lambda signal: {'endpoint': endpoint, 'insecure': True}
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

resource = Resource.create({'service.name': f'python-{way}', 'lanes': 7})
loggers = LoggerProvider(resource=resource)
loggers.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(**at('logs'))))
log = logging.getLogger('till')
log.addHandler(LoggingHandler(logger_provider=loggers))
log.propagate = False
try:
    raise ValueError('drawer is stuck')
except ValueError:
    log.exception('order %d failed', 7)

meters = MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter(**at('metrics')))])
meter = meters.get_meter('till')
meter.create_counter('orders').add(5, {'lane': 4})
meter.create_histogram('wait', unit='ms').record(12)
meters.shutdown()

tracers = TracerProvider(resource=resource)
tracers.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(**at('traces'))))
with tracers.get_tracer('till').start_as_current_span('place order') as span:
    span.set_attribute('items', 3)
    span.set_attribute('flag', True)
tracers.shutdown()
loggers.shutdown()
