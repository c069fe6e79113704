import { anonymousScopes, callerSettings } from '@aegis/api'
import { z } from 'zod'

const port = z.coerce.number().int().min(0).max(65_535).optional()

export const settings = {
  ...callerSettings,
  anonymousScopes,
  maxInFlightBytes: {
    env: 'AEGIS_MAX_IN_FLIGHT_BYTES',
    schema: z.coerce.number().default(64 * 1024 * 1024),
    about: 'Bytes accepted but not yet on the broker; beyond it requests are answered with 429.',
  },
  scrapeTargets: {
    env: 'AEGIS_SCRAPE_TARGETS',
    schema: z.string().default(''),
    about: 'Prometheus targets to scrape: name=http://host:port/metrics, separated by commas. One gateway of several does it.',
  },
  scrapeIntervalMs: {
    env: 'AEGIS_SCRAPE_INTERVAL_MS',
    schema: z.coerce.number().int().min(1000).default(15_000),
    about: 'Milliseconds between two looks at a target.',
  },
  historyUrl: {
    env: 'AEGIS_HISTORY_URL',
    schema: z
      .string()
      .regex(/^https?:\/\//, 'must be http://host:port')
      .optional(),
    about:
      'Prometheus server asked at start for the history of series not seen yet, so that they need not be learned first: http://host:9090.',
  },
  historySelector: {
    env: 'AEGIS_HISTORY_SELECTOR',
    schema: z.string().optional(),
    about:
      'Series asked for there, as PromQL selects them; default those of the scrape targets, by their names as jobs, else {job!=""}.',
  },
  historyMs: {
    env: 'AEGIS_HISTORY_MS',
    schema: z.coerce.number().int().min(60_000).default(21_600_000),
    about: 'How far back, milliseconds.',
  },
  historyStepMs: {
    env: 'AEGIS_HISTORY_STEP_MS',
    schema: z.coerce.number().int().min(1000).optional(),
    about:
      'Milliseconds between two values asked for; default AEGIS_SCRAPE_INTERVAL_MS. Should be the interval the series come at.',
  },
  lokiUrl: {
    env: 'LOKI_URL',
    schema: z
      .string()
      .regex(/^https?:\/\//, 'must be http://host:port')
      .optional(),
    about: 'Loki whose new lines are followed, by one gateway of several: http://loki:3100.',
  },
  lokiQuery: {
    env: 'AEGIS_LOKI_QUERY',
    schema: z.string().default('{service_name=~".+"}'),
    about: 'Lines followed there, as LogQL selects them.',
  },
  lokiIntervalMs: {
    env: 'AEGIS_LOKI_INTERVAL_MS',
    schema: z.coerce.number().int().min(200).default(5000),
    about: 'Milliseconds between two questions to Loki.',
  },
  lokiToken: {
    env: 'AEGIS_LOKI_TOKEN',
    schema: z.string().optional(),
    about: 'Bearer token for Loki; empty: none.',
    secret: true,
  },
  lokiTenant: {
    env: 'AEGIS_LOKI_TENANT',
    schema: z.string().optional(),
    about: 'Tenant (X-Scope-OrgID) of a Loki with several.',
  },
  statsdPort: {
    env: 'AEGIS_STATSD_PORT',
    schema: port,
    about: 'UDP port for StatsD; empty: none. It asks for no token: keep it inside.',
  },
  statsdHost: {
    env: 'AEGIS_STATSD_HOST',
    schema: z.string().default('127.0.0.1'),
    about: 'Address StatsD is listened for on.',
  },
  statsdIntervalMs: {
    env: 'AEGIS_STATSD_INTERVAL_MS',
    schema: z.coerce.number().int().min(100).default(10_000),
    about: 'Milliseconds over which StatsD values are put together.',
  },
  syslogPort: {
    env: 'AEGIS_SYSLOG_PORT',
    schema: port,
    about: 'TCP and UDP port for syslog (RFC 3164, 5424, 6587); empty: none. It asks for no token: keep it inside.',
  },
  syslogHost: {
    env: 'AEGIS_SYSLOG_HOST',
    schema: z.string().default('127.0.0.1'),
    about: 'Address syslog is listened for on.',
  },
  graphitePort: {
    env: 'AEGIS_GRAPHITE_PORT',
    schema: port,
    about: "TCP port for Graphite's plaintext protocol; empty: none. It asks for no token: keep it inside.",
  },
  graphiteHost: {
    env: 'AEGIS_GRAPHITE_HOST',
    schema: z.string().default('127.0.0.1'),
    about: 'Address Graphite is listened for on.',
  },
  otlpGrpcPort: {
    env: 'AEGIS_OTLP_GRPC_PORT',
    schema: z.union([z.literal('off').transform(() => undefined), port]),
    about: 'Port for OTLP/gRPC, on the address of the API server; empty or off: none. `aegis up` takes 4317.',
  },
}
