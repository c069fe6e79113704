#!/usr/bin/env node
/**
 * The package that log models of transformers need (470 MB), for tests: into the cache of the user, once per version, never into this checkout.
 * `node tools/setup/transformers.mjs` fetches it; the tests that need it say so where it is not there.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lock.mjs'
import { cacheFolder, onPath } from './places.mjs'
import { speaker, step } from './progress.mjs'
import { explain } from './servers.mjs'

const name = '@huggingface/transformers'
const version = '4.3.1'
const homeOf = env => join(cacheFolder(env), 'packages', `transformers-${version}`)

/** A file beside whose node_modules the package is, or nothing where it has not been fetched. */
export const transformersFrom = (env = process.env) =>
  existsSync(join(homeOf(env), 'complete')) ? join(homeOf(env), 'package.json') : undefined

export async function fetchTransformers({ env = process.env, voice = speaker() } = {}) {
  const home = homeOf(env)
  const npm = onPath('npm', env)
  if (!npm) throw new Error('npm is not on PATH: install Node.js with npm, version 18 or newer')
  mkdirSync(join(home, '..'), { recursive: true })
  const waiting = pid => voice.tell(`another set-up is under way (process ${pid}); waiting for it`)
  await withLock(`${home}.lock`, waiting, async onChild => {
    if (transformersFrom(env)) return
    const work = mkdtempSync(`${home}-`)
    try {
      writeFileSync(join(work, 'package.json'), JSON.stringify({ private: true, dependencies: { [name]: version } }))
      // Its install scripts fetch libraries for graphics cards; those for the processor are in the packages.
      await step({ ...voice, onChild }, `fetching ${name}`, npm, ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
        cwd: work,
        env,
      })
      writeFileSync(join(work, 'complete'), '')
      rmSync(home, { recursive: true, force: true })
      renameSync(work, home)
    } catch (error) {
      throw explain(error, `fetching ${name}`, home)
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  })
  return transformersFrom(env)
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  fetchTransformers().then(console.log, error => {
    console.error(error.message)
    process.exitCode = 1
  })
