import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const checkout = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** Per user, so that a second clone finds servers and TensorFlow already there. tools/stack/src/local/places.ts says the same. */
export const cacheFolder = (env = process.env) =>
  resolve(env.AEGIS_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'aegis'))

export const readJson = file => JSON.parse(readFileSync(file, 'utf8'))

/** The first executable of that name on PATH; this checkout's own node_modules/.bin does not count. */
export function onPath(name, env = process.env, skip = join(checkout, 'node_modules', '.bin')) {
  for (const folder of (env.PATH || '').split(delimiter)) {
    if (folder === '' || resolve(folder) === skip) continue
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      if (statSync(path).isFile()) return path
    } catch {
      // not here
    }
  }
  return undefined
}

export function java(env = process.env) {
  const fromHome = env.JAVA_HOME && join(env.JAVA_HOME, 'bin', 'java')
  return fromHome && existsSync(fromHome) ? fromHome : onPath('java', env)
}
