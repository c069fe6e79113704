/** What each program of the system is told: configuration files as its own documentation has them, on loopback and ports of our own. */

export const PORTS = {
  https: 21443,
  stats: 21404,
  nginx: 21081,
  stub: 21082,
  app1: 21055,
  app2: 21056,
  postgres: 21432,
  redis: 21379,
  node: 21100,
  postgresExporter: 21187,
  redisExporter: 21121,
  nginxExporter: 21113,
  blackbox: 21115,
  prometheus: 21090,
  gateway: 21318,
  syslog: 21514,
} as const
export const DATABASE = { name: 'directus', user: 'directus', password: 'directus' } as const
export const ADMIN = { email: 'admin@example.com', password: 'bench-admin', token: 'bench-static-token' } as const
const LOCAL = '127.0.0.1'

export const haproxyConfig = (folder: string): string => `
global
  log ${LOCAL}:${PORTS.syslog} local0
  maxconn 200
defaults
  mode http
  log global
  option httplog
  option dontlognull
  timeout connect 2s
  timeout client 20s
  timeout server 10s
  timeout queue 5s
frontend shop
  bind ${LOCAL}:${PORTS.https} ssl crt ${folder}/server.pem
  default_backend web
backend web
  option httpchk GET /server/ping
  server nginx ${LOCAL}:${PORTS.nginx} check inter 2s
frontend stats
  bind ${LOCAL}:${PORTS.stats}
  no log
  http-request use-service prometheus-exporter if { path /metrics }
`

export interface NginxChoices {
  readonly upstreams?: readonly number[]
  readonly workerConnections?: number
}
export const nginxConfig = (
  folder: string,
  { upstreams = [PORTS.app1, PORTS.app2], workerConnections = 256 }: NginxChoices = {},
): string => `
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log syslog:server=${LOCAL}:${PORTS.syslog},tag=nginx warn;
events { worker_connections ${workerConnections}; }
http {
  access_log syslog:server=${LOCAL}:${PORTS.syslog},tag=nginx combined;
  client_body_temp_path ${folder}/nginx-body;
  proxy_temp_path ${folder}/nginx-proxy;
  fastcgi_temp_path ${folder}/nginx-fastcgi;
  uwsgi_temp_path ${folder}/nginx-uwsgi;
  scgi_temp_path ${folder}/nginx-scgi;
  upstream directus {
${upstreams.map(port => `    server ${LOCAL}:${port} max_fails=2 fail_timeout=3s;`).join('\n')}
  }
  server {
    listen ${LOCAL}:${PORTS.nginx};
    location / {
      proxy_pass http://directus;
      proxy_connect_timeout 2s;
      proxy_read_timeout 8s;
      proxy_set_header Host $host;
    }
  }
  server {
    listen ${LOCAL}:${PORTS.stub};
    access_log off;
    location /stub_status { stub_status; }
  }
}
`

export const postgresConfig = `
listen_addresses = '${LOCAL}'
port = ${PORTS.postgres}
unix_socket_directories = ''
max_connections = 40
shared_buffers = 48MB
max_wal_size = 96MB
min_wal_size = 32MB
fsync = off
log_line_prefix = '%m [%p] %q%u@%d '
log_min_duration_statement = 500
deadlock_timeout = 1s
log_lock_waits = on
log_timezone = 'UTC'
`

export const redisConfig = (folder: string): string => `
bind ${LOCAL}
port ${PORTS.redis}
dir ${folder}
save ""
appendonly no
maxmemory 64mb
maxmemory-policy allkeys-lru
`

export const appEnvironment = (port: number): Record<string, string> => ({
  HOST: LOCAL,
  PORT: String(port),
  KEY: 'third-party-bench',
  SECRET: 'third-party-bench-secret-of-more-than-32-letters',
  DB_CLIENT: 'pg',
  DB_HOST: LOCAL,
  DB_PORT: String(PORTS.postgres),
  DB_DATABASE: DATABASE.name,
  DB_USER: DATABASE.user,
  DB_PASSWORD: DATABASE.password,
  DB_POOL__MIN: '0',
  DB_POOL__MAX: '6',
  DB_POOL__IDLE_TIMEOUT_MILLIS: '1000',
  REDIS: `redis://${LOCAL}:${PORTS.redis}`,
  CACHE_ENABLED: 'true',
  CACHE_STORE: 'redis',
  CACHE_TTL: '5s',
  RATE_LIMITER_ENABLED: 'true',
  RATE_LIMITER_STORE: 'redis',
  RATE_LIMITER_POINTS: '100000',
  RATE_LIMITER_DURATION: '1',
  TELEMETRY: 'false',
  LOG_STYLE: 'raw',
  LOG_LEVEL: 'info',
  ADMIN_EMAIL: ADMIN.email,
  ADMIN_PASSWORD: ADMIN.password,
  ADMIN_TOKEN: ADMIN.token,
  EXTENSIONS_PATH: './extensions',
  NODE_OPTIONS: '--max-old-space-size=400',
})

export const blackboxConfig = (folder: string): string => `
modules:
  http_2xx:
    prober: http
    timeout: 2s
    http: { preferred_ip_protocol: ip4, tls_config: { ca_file: ${folder}/ca.pem } }
  tcp_connect:
    prober: tcp
    timeout: 2s
`

/** Scraped as the guide says: a job is named after what is measured, not after its exporter. */
export const prometheusConfig = (): string => `
global: { scrape_interval: 2s, scrape_timeout: 2s, external_labels: { environment: third-party } }
remote_write:
  - url: http://${LOCAL}:${PORTS.gateway}/api/v1/write
    queue_config: { batch_send_deadline: 1s, min_backoff: 100ms, max_backoff: 2s }
    metadata_config: { send_interval: 5s }
scrape_configs:
${[
  ['prometheus', PORTS.prometheus],
  ['node', PORTS.node],
  ['postgres', PORTS.postgresExporter],
  ['redis', PORTS.redisExporter],
  ['nginx', PORTS.nginxExporter],
  ['haproxy', PORTS.stats],
]
  .map(([job, port]) => `  - { job_name: ${job}, static_configs: [{ targets: ['${LOCAL}:${port}'] }] }`)
  .join('\n')}
${[
  ['blackbox-https', 'http_2xx', { haproxy: `https://localhost:${PORTS.https}/server/ping` }],
  ['blackbox-tcp', 'tcp_connect', { directus: `${LOCAL}:${PORTS.app1}` }],
]
  .map(
    ([job, module, targets]) => `  - job_name: ${job}
    metrics_path: /probe
    params: { module: [${module}] }
    static_configs:
${Object.entries(targets as Record<string, string>)
  .map(([service, target]) => `      - { targets: ['${target}'], labels: { service: ${service} } }`)
  .join('\n')}
    relabel_configs:
      - { source_labels: [__address__], target_label: __param_target }
      - { source_labels: [__param_target], target_label: instance }
      - { target_label: __address__, replacement: '${LOCAL}:${PORTS.blackbox}' }`,
  )
  .join('\n')}
`

/** Files of logs to the gateway's syslog listener, each under its program's name. */
export const rsyslogConfig = (folder: string, files: Readonly<Record<string, string>>): string => `
global(workDirectory="${folder}/rsyslog" maxMessageSize="32k")
module(load="imfile" mode="inotify")
template(name="whole" type="string" string="<%PRI%>1 %TIMESTAMP:::date-rfc3339% app-host %syslogtag:1:32% - - - %msg%\\n")
${Object.entries(files)
  .map(([file, tag]) => `input(type="imfile" file="${folder}/${file}" tag="${tag}" facility="local1" ruleset="out")`)
  .join('\n')}
ruleset(name="out") {
  action(type="omfwd" target="${LOCAL}" port="${PORTS.syslog}" protocol="tcp" template="whole" action.resumeRetryCount="-1")
}
`
