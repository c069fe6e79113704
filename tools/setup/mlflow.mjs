#!/usr/bin/env node
/**
 * The MLflow server (PyPI), for those who keep their models there: into an environment of Python's own in the cache of the user, once per version.
 * `node tools/setup/mlflow.mjs` fetches it and prints where its programs are; `aegis stack up --with mlflow` does so by itself.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lock.mjs'
import { cacheFolder, onPath } from './places.mjs'
import { speaker, step } from './progress.mjs'
import { explain } from './servers.mjs'

/** 3.18.0 does not install beside the packages that it names. */
const version = '3.17.2'
const homeOf = env => join(cacheFolder(env), 'packages', `mlflow-${version}`)

/** The folder with `bin/mlflow` and `bin/python`, or nothing where it has not been fetched. */
export const mlflowHome = (env = process.env) => (existsSync(join(homeOf(env), 'complete')) ? homeOf(env) : undefined)

export async function fetchMlflow({ env = process.env, voice = speaker() } = {}) {
  const home = homeOf(env)
  const python = onPath('python3', env)
  if (!python) throw new Error('python3 is not on PATH: install Python 3.10 or newer with venv')
  mkdirSync(join(home, '..'), { recursive: true })
  const waiting = pid => voice.tell(`another set-up is under way (process ${pid}); waiting for it`)
  await withLock(`${home}.lock`, waiting, async onChild => {
    if (mlflowHome(env)) return
    // Programs of an environment name their place, so it is made where it will be.
    rmSync(home, { recursive: true, force: true })
    try {
      await step({ ...voice, onChild }, 'making an environment of Python', python, ['-m', 'venv', home], { env })
      const pip = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', `mlflow==${version}`]
      await step({ ...voice, onChild }, `fetching MLflow ${version}`, join(home, 'bin', 'python'), pip, { env })
      writeFileSync(join(home, 'complete'), '')
    } catch (error) {
      rmSync(home, { recursive: true, force: true })
      throw explain(error, `fetching MLflow ${version}`, home)
    }
  })
  return mlflowHome(env)
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  fetchMlflow().then(console.log, error => {
    console.error(error.message)
    process.exitCode = 1
  })
