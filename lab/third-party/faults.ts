/** What goes wrong with the system, how it is put right again, and what a good operator would say and do about it. */
import { closeSync, existsSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import path from 'node:path'
import { DATABASE, PORTS } from './configs.ts'
import { sleep } from './programs.ts'
import type { ThirdPartySystem } from './system.ts'

export interface Tools {
  readonly system: ThirdPartySystem
  /** Tells Aegis of a change, as a pipeline of releases would. */
  readonly tellChange: (entity: string, kind: 'deploy' | 'config', before: string, after: string) => Promise<void>
}
export interface ThirdPartyFault {
  readonly name: string
  readonly sentence: string
  /** Entities that an operator would call the cause, by name. */
  readonly causes: readonly string[]
  readonly kinds: readonly string[]
  /** What may be done first, to a cause. */
  readonly actions: readonly string[]
  readonly inject: (tools: Tools) => Promise<void>
  readonly restore: (tools: Tools) => Promise<void>
  /** Why it cannot be had here, if it cannot. */
  readonly unless?: (system: ThirdPartySystem) => string | undefined
}
const loops = ['burn-1', 'burn-2', 'burn-3', 'burn-4']

/** Takes connections as a batch job without bounds does, and takes them back when they are lost. */
const hog = async ({ system }: Tools): Promise<void> => {
  await system.sql(`ALTER ROLE ${DATABASE.user} CONNECTION LIMIT -1`)
  for (let i = 0; i < 45; i++) await system.session(`hog-${i}`, 'SELECT pg_sleep(600)')
  await sleep(1500)
  await system.sql(
    `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename='${DATABASE.user}' AND query NOT LIKE '%pg_sleep%'`,
  )
  for (let i = 0; i < 12; i++) await system.session(`hog-more-${i}`, 'SELECT pg_sleep(600)')
}
const unhog = async ({ system }: Tools): Promise<void> => {
  await system.sql(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()",
  )
  for (let i = 0; i < 45; i++) await system.programs.stop(`hog-${i}`)
  for (let i = 0; i < 12; i++) await system.programs.stop(`hog-more-${i}`)
}

export const FAULTS: readonly ThirdPartyFault[] = [
  {
    name: 'database-killed',
    sentence: 'PostgreSQL is killed and stays away',
    causes: ['postgres'],
    kinds: ['crash'],
    actions: ['start', 'restart'],
    inject: ({ system }) => system.programs.stop('postgres', 'SIGKILL'),
    restore: ({ system }) => {
      rmSync(path.join(system.folder, 'disk/data/postmaster.pid'), { force: true })
      return system.startPostgres()
    },
  },
  {
    name: 'connections-used-up',
    sentence: 'a batch job holds every connection that PostgreSQL allows',
    causes: ['postgres'],
    kinds: ['pool'],
    actions: ['raise_limit', 'restart', 'end_session'],
    inject: hog,
    restore: unhog,
  },
  {
    name: 'wrong-upstream',
    sentence: 'nginx is reloaded with upstreams that nobody listens on',
    causes: ['nginx'],
    kinds: ['config'],
    actions: ['revert_config'],
    inject: async ({ system }) => system.reloadNginx({ upstreams: [21998, 21999] }),
    restore: async ({ system }) => system.reloadNginx(),
  },
  {
    name: 'cache-lost',
    sentence: 'Redis is killed and stays away',
    causes: ['redis'],
    kinds: ['crash'],
    actions: ['start', 'restart'],
    inject: ({ system }) => system.programs.stop('redis', 'SIGKILL'),
    restore: ({ system }) => system.startRedis(),
  },
  {
    name: 'bad-release-told',
    sentence: 'a release of Directus that cannot start, told by the pipeline of releases',
    causes: ['directus'],
    kinds: ['deploy', 'crash', 'config'],
    actions: ['rollback_deploy'],
    inject: async ({ system, tellChange }) => {
      await tellChange('service:directus', 'deploy', '11.9.2', '11.9.3')
      await system.restartApps({ DB_SSL: 'true' }, false)
    },
    restore: async ({ system, tellChange }) => {
      await tellChange('service:directus', 'deploy', '11.9.3', '11.9.2')
      await system.restartApps()
    },
  },
  {
    name: 'neighbour',
    sentence: 'somebody else burns the processor of the machine',
    causes: ['host'],
    kinds: ['cpu', 'host'],
    actions: ['scale_out', 'stop_neighbour', 'page'],
    inject: async ({ system }) => {
      for (const name of loops)
        await system.programs.start(name, {
          argv: ['sh', '-c', 'while :; do :; done'],
          log: path.join(system.folder, 'burn.log'),
        })
    },
    restore: async ({ system }) => {
      for (const name of loops) await system.programs.stop(name, 'SIGKILL')
    },
  },
  {
    name: 'full-disk',
    sentence: "the file system of PostgreSQL's data is full",
    causes: ['postgres', 'host'],
    kinds: ['disk'],
    actions: ['clean_disk', 'page'],
    unless: system => (system.hasOwnDisk ? undefined : 'no small file system may be mounted here'),
    inject: async ({ system }) => {
      const file = openSync(path.join(system.folder, 'disk/filler'), 'w')
      const block = Buffer.alloc(1 << 20)
      try {
        while (statfsSync(path.join(system.folder, 'disk')).bavail > 0) writeSync(file, block)
      } catch {
        // Full: just what was wanted.
      } finally {
        closeSync(file)
      }
      await system.sql('SELECT pg_switch_wal()').catch(() => undefined)
    },
    restore: async ({ system }) => {
      rmSync(path.join(system.folder, 'disk/filler'), { force: true })
      await sleep(3000)
      // PostgreSQL ends itself where it cannot write ahead.
      if (!(await system.sql('SELECT 1').catch(() => undefined))) {
        await system.programs.stop('postgres')
        if (existsSync(path.join(system.folder, 'disk/data/postmaster.pid')))
          rmSync(path.join(system.folder, 'disk/data/postmaster.pid'))
        await system.startPostgres()
      }
    },
  },
  {
    name: 'long-lock',
    sentence: 'a forgotten session holds a lock on the table that everybody reads',
    causes: ['postgres'],
    kinds: ['pool', 'latency', 'lock'],
    actions: ['end_session', 'restart'],
    inject: ({ system }) => system.session('locker', 'BEGIN; LOCK TABLE articles IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)'),
    restore: async ({ system }) => {
      await system.sql(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()",
      )
      await system.programs.stop('locker')
    },
  },
  {
    name: 'dropped-index',
    sentence: 'an index is dropped, and every list reads the whole table',
    causes: ['postgres'],
    kinds: ['latency', 'cpu'],
    actions: ['page', 'restart'],
    inject: async ({ system }) => void (await system.sql('DROP INDEX articles_author', DATABASE.name)),
    restore: async ({ system }) => void (await system.sql('CREATE INDEX articles_author ON articles(author)', DATABASE.name)),
  },
  {
    name: 'bad-release-untold',
    sentence: 'a release of Directus with a pool of one connection, of which nobody tells',
    causes: ['directus'],
    kinds: ['deploy', 'config', 'pool', 'error', 'latency'],
    actions: ['rollback_deploy', 'revert_config', 'restart', 'raise_limit'],
    inject: ({ system }) =>
      system.restartApps({ DB_POOL__MAX: '1', DB_POOL__ACQUIRE_TIMEOUT_MILLIS: '3', DB_POOL__CREATE_TIMEOUT_MILLIS: '3' }, false),
    restore: ({ system }) => system.restartApps(),
  },
  {
    name: 'harmless-release',
    sentence: 'a good release of Directus, and twenty seconds later the database is killed',
    causes: ['postgres'],
    kinds: ['crash'],
    actions: ['start', 'restart'],
    inject: async ({ system, tellChange }) => {
      await tellChange('service:directus', 'deploy', '11.9.2', '11.9.2-1')
      await system.restartApps()
      await sleep(20_000)
      await system.programs.stop('postgres', 'SIGKILL')
    },
    restore: ({ system }) => {
      rmSync(path.join(system.folder, 'disk/data/postmaster.pid'), { force: true })
      return system.startPostgres()
    },
  },
  {
    name: 'workers-exhausted',
    sentence: 'nginx may hold only a few connections',
    causes: ['nginx'],
    kinds: ['pool', 'config'],
    actions: ['raise_limit', 'revert_config'],
    inject: async ({ system }) => system.reloadNginx({ workerConnections: 7 }),
    restore: async ({ system }) => system.reloadNginx(),
  },
  {
    name: 'memory-limit',
    sentence: 'Redis has reached its memory limit and throws nothing out',
    causes: ['redis'],
    kinds: ['memory'],
    actions: ['raise_limit', 'restart'],
    inject: async ({ system }) => {
      await system.redis('config', 'set', 'maxmemory-policy', 'noeviction')
      await system.redis('config', 'set', 'maxmemory', '500kb')
    },
    restore: async ({ system }) => {
      await system.redis('config', 'set', 'maxmemory', '64mb')
      await system.redis('config', 'set', 'maxmemory-policy', 'allkeys-lru')
    },
  },
  {
    name: 'expired-certificate',
    sentence: 'the certificate of the proxy is no longer good',
    causes: ['haproxy'],
    kinds: ['config', 'certificate'],
    actions: ['page', 'revert_config'],
    inject: ({ system }) => system.restartHaproxy(true),
    restore: ({ system }) => system.restartHaproxy(false),
  },
]
/** Those of the short form: each breaks within seconds and needs nothing that a container lacks. */
export const SHORT = ['database-killed', 'connections-used-up', 'wrong-upstream', 'cache-lost', 'bad-release-told', 'neighbour']

/** Who calls whom, as a person would draw it. */
export const EDGES: readonly (readonly [string, string])[] = [
  ['haproxy', 'nginx'],
  ['nginx', 'directus'],
  ['directus', 'postgres'],
  ['directus', 'redis'],
]
/** Where each listens, for those who read addresses. */
export const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  haproxy: [`127.0.0.1:${PORTS.https}`],
  nginx: [`127.0.0.1:${PORTS.nginx}`],
  directus: [`127.0.0.1:${PORTS.app1}`, `127.0.0.1:${PORTS.app2}`],
  postgres: [`127.0.0.1:${PORTS.postgres}`],
  redis: [`127.0.0.1:${PORTS.redis}`],
}
