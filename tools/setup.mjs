#!/usr/bin/env node
// Before every command: makes sure that what the command needs is there. Plain Node 18 and no packages, for it runs before any
// is installed. Fast when nothing is to do, safe to interrupt and to run twice at once: everything is made beside its place and
// renamed into it. With --quiet it speaks only when something is wrong.
import { mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withLock } from './setup/lock.mjs'
import { hasCuda, lookAround, missing } from './setup/machine.mjs'
import { hashOf, installPackages, packagesAreStamped, toolchain } from './setup/packages.mjs'
import { cacheFolder, checkout, java, onPath } from './setup/places.mjs'
import { speaker } from './setup/progress.mjs'
import { fetchServer, isComplete, lacking, serverList } from './setup/servers.mjs'
import { cpu, gpu, isInstalled, isLinked, link } from './setup/tensorflow.mjs'

const cache = cacheFolder()
const voice = speaker({ quiet: process.argv.includes('--quiet') })
const asked = process.env.npm_lifecycle_event === 'setup' || process.argv.includes('--retry')
const noteFile = join(checkout, '.aegis', 'setup.json')

/** Changes when a tool appears, disappears or is replaced; cheap, for it is looked at before every command. */
function machineMark() {
  const tools = [
    java(),
    ...['mvn', 'docker', 'g++', 'c++', 'clang++', 'python3', 'redis-server', 'valkey-server', 'node'].map(name => onPath(name)),
  ]
  const marks = tools.map(path => path && [path, realpathSync(path), statSync(path).mtimeMs])
  return hashOf(
    JSON.stringify([
      marks,
      process.env.DOCKER_HOST,
      process.env.AEGIS_SETUP_TENSORFLOW,
      cache,
      readFileSync(join(checkout, 'deploy', 'servers.json'), 'utf8'),
    ]),
  )
}

function readNote() {
  try {
    return JSON.parse(readFileSync(noteFile, 'utf8'))
  } catch {
    return {}
  }
}

const retryAfterMs = 3_600_000

/**
 * True when the last run found everything in order, or lacking in a way that cannot have changed. What failed is tried again by
 * "npm run setup", or after an hour: not before every command, where a machine without a network would wait each time.
 */
function nothingToDo(note, mark) {
  if (note.mark !== mark || !packagesAreStamped(checkout)) return false
  if (note.failedAt && (asked || Date.now() - note.failedAt > retryAfterMs)) return false
  const servers = serverList(checkout)
  return (
    note.servers.every(name => isComplete(cache, servers[name])) &&
    note.linked.every(name => isLinked(checkout, name === gpu.package ? gpu : cpu))
  )
}

async function bringServers(machine, voice, problems) {
  const wanted = lacking(checkout, cache, machine)
  if (wanted.length === 0 || machine.engine || machine.javaMajor < 17 || !machine.maven) return
  try {
    for (const server of wanted) await fetchServer(cache, server, machine, voice)
  } catch (error) {
    problems.push(
      `The servers could not be fetched, so the embedded stack is used until "npm run setup" succeeds. ${error.message}`,
    )
  }
}

async function bringTensorFlow(machine, node, voice, problems) {
  if (process.platform !== 'linux' || process.arch !== 'x64' || process.env.AEGIS_SETUP_TENSORFLOW === 'off') return
  for (const kind of hasCuda() ? [cpu, gpu] : [cpu]) {
    if (!isInstalled(checkout, kind) || isLinked(checkout, kind)) continue
    try {
      if (machine.compiler && machine.python) await link(checkout, cache, kind, machine, node.path, voice)
    } catch (error) {
      problems.push(
        `${kind.package} could not be linked to a native library, so models run on a slower backend. ${error.message}`,
      )
    }
  }
}

async function setUp() {
  const began = Date.now()
  const mark = machineMark()
  const note = readNote()
  if (nothingToDo(note, mark)) {
    for (const sentence of note.sentences) voice.tell(sentence)
    return
  }
  mkdirSync(join(checkout, '.aegis'), { recursive: true })
  const waiting = pid => voice.tell(`another set-up is under way (process ${pid}); waiting for it`)
  await withLock(join(checkout, '.aegis', 'setup.lock'), waiting, async onChild => {
    if (nothingToDo(readNote(), mark)) return // the other one did it
    const machine = await lookAround()
    const sentences = missing(machine)
    for (const sentence of sentences) voice.tell(sentence)
    await installPackages(checkout, { ...voice, onChild })
    const node = toolchain(checkout)
    const problems = []
    await withLock(join(cache, 'setup.lock'), waiting, async onChild => {
      await bringServers(machine, { ...voice, onChild }, problems)
      await bringTensorFlow(machine, node, { ...voice, onChild }, problems)
    })
    for (const problem of problems) voice.warn(problem)
    const servers = Object.entries(serverList(checkout)).filter(([, server]) => isComplete(cache, server))
    const linked = [cpu, gpu].filter(kind => isInstalled(checkout, kind) && isLinked(checkout, kind))
    const note = {
      mark,
      sentences: [...sentences, ...problems.map(problem => `${problem.split('\n')[0]} ("npm run setup" tries again)`)],
      servers: servers.map(([name]) => name),
      linked: linked.map(kind => kind.package),
      ...(problems.length > 0 ? { failedAt: Date.now() } : {}),
    }
    writeFileSync(noteFile, JSON.stringify(note))
    const how = machine.engine
      ? 'a container engine'
      : machine.javaMajor >= 17 && servers.length > 0
        ? 'servers as processes'
        : 'the embedded stack'
    voice.tell(
      `set up in ${((Date.now() - began) / 1000).toFixed(1)} s: Node ${node.version}${node.pinned ? ' (pinned)' : ''}, ${how}, ${linked.length > 0 ? 'native TensorFlow' : 'TensorFlow on WebAssembly'}`,
    )
  })
}

setUp().catch(error => {
  console.error(`set-up failed: ${error.message}`)
  process.exitCode = error.interrupted ? 130 : 1
})
