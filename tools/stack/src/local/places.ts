import { accessSync, constants, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { StackError } from './stack-error.ts'

export type ServerName = 'kafka' | 'registry' | 'neo4j' | 'redis'
export const serverNames: readonly ServerName[] = ['kafka', 'registry', 'neo4j', 'redis']

interface ServerFacts {
  readonly title: string
  readonly version: string
  readonly folder: string
  readonly proof: string
}

/** Root of the checkout: four folders up from here. */
export const checkout = resolve(import.meta.dirname, '../../../..')

/** One list of servers and versions, read by set-up, by this stack and by the stand-in images. */
export const servers = createRequire(import.meta.url)(join(checkout, 'deploy/servers.json')) as Record<ServerName, ServerFacts>

/** Where the state of this checkout's stack lives: ports, pids, data, logs. */
export const stateFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  resolve(env.AEGIS_STATE_DIR ?? join(checkout, '.aegis'), 'stack')

/** Per user, so that a second clone finds the servers already there. tools/setup/cache.mjs says the same. */
export const cacheFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  resolve(env.AEGIS_CACHE ?? join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'aegis'))

/** The folder set-up unpacked a server into; says what to run when it is not there. */
export function serverFolder(name: ServerName, env: NodeJS.ProcessEnv = process.env): string {
  const { title, version, folder, proof } = servers[name]
  const path = join(cacheFolder(env), 'servers', folder)
  if (!existsSync(join(path, proof)))
    throw new StackError(
      'SERVER_MISSING',
      `${title} ${version} is not in ${path} (no ${proof}): run "npm run setup", which fetches it`,
    )
  return path
}

/** The first executable of that name on PATH. */
export function onPath(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  return (env.PATH ?? '')
    .split(delimiter)
    .filter(folder => folder !== '')
    .map(folder => join(folder, name))
    .find(path => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

export function java(env: NodeJS.ProcessEnv = process.env): string {
  const fromHome = env.JAVA_HOME && join(env.JAVA_HOME, 'bin', 'java')
  const path = fromHome && existsSync(fromHome) ? fromHome : onPath('java', env)
  if (!path)
    throw new StackError('JAVA_MISSING', 'no java on PATH and no JAVA_HOME: install a JDK 17 or newer, or a container engine')
  return path
}
