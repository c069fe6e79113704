#!/usr/bin/env node
/**
 * Tools that tests of the deployment need, built from Go modules once per user and version: Helm, and actionlint. With them the custom resources
 * that the chart speaks of (KEDA, the Prometheus operator, External Secrets), from the modules that define them.
 * `node tools/setup/go-tools.mjs` builds them ahead of the tests: about two minutes on two cores.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lock.mjs'
import { hashOf } from './packages.mjs'
import { cacheFolder, onPath } from './places.mjs'
import { speaker, step } from './progress.mjs'
import { explain } from './servers.mjs'

const programs = {
  helm: 'helm.sh/helm/v3/cmd/helm@v3.19.0',
  actionlint: 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.7',
  'kube-score': 'github.com/zegl/kube-score/cmd/kube-score@v1.20.0',
}
const definitions = [
  {
    module: 'github.com/kedacore/keda/v2@v2.17.2',
    folder: 'config/crd/bases',
    files: ['keda.sh_scaledobjects', 'keda.sh_triggerauthentications'],
  },
  {
    module: 'github.com/prometheus-operator/prometheus-operator@v0.82.2',
    folder: 'example/prometheus-operator-crd',
    files: ['monitoring.coreos.com_podmonitors', 'monitoring.coreos.com_prometheusrules'],
  },
  {
    module: 'github.com/external-secrets/external-secrets@v0.17.0',
    folder: 'config/crds/bases',
    files: ['external-secrets.io_externalsecrets'],
  },
]

/** The folder with `bin` and `crds`, or nothing where neither the cache has it nor Go can build it. */
export async function goTools({ env = process.env, voice = speaker() } = {}) {
  const cache = cacheFolder(env)
  const home = join(cache, 'servers', `go-tools-${hashOf(JSON.stringify([programs, definitions]))}`)
  if (existsSync(join(home, 'complete'))) return home
  const go = onPath('go', env)
  if (!go) return undefined
  const waiting = pid => voice.tell(`another set-up is under way (process ${pid}); waiting for it`)
  await withLock(join(cache, 'go-tools.lock'), waiting, async onChild => {
    if (!existsSync(join(home, 'complete'))) await build(go, home, { ...voice, onChild }, env)
  })
  return home
}

async function build(go, home, voice, env) {
  mkdirSync(join(home, '..'), { recursive: true })
  const work = mkdtempSync(`${home}-`)
  const bin = join(work, 'bin')
  const run = (title, ...args) =>
    step(voice, title, go, args, { cwd: work, env: { ...env, GOBIN: bin, GOFLAGS: '-buildvcs=false', CGO_ENABLED: '0' } })
  try {
    for (const [name, source] of Object.entries(programs)) await run(`building ${name}`, 'install', '-ldflags=-s -w', source)
    mkdirSync(join(work, 'crds'))
    for (const { module, folder, files } of definitions) {
      const { Dir } = JSON.parse(await run(`fetching ${module}`, 'mod', 'download', '-json', module))
      for (const file of files) copyFileSync(join(Dir, folder, `${file}.yaml`), join(work, 'crds', `${file}.yaml`))
    }
    const lacking = Object.keys(programs).filter(p => !readdirSync(bin).includes(p))
    if (lacking.length > 0) throw new Error(`the build made no ${lacking.join(', ')}`)
    writeFileSync(join(work, 'complete'), '')
    rmSync(home, { recursive: true, force: true })
    renameSync(work, home)
  } catch (error) {
    throw explain(error, 'building the tools of the deployment', home)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const home = await goTools()
  if (home) console.log(home)
  else {
    console.error('Go is not on PATH: install Go 1.26 or newer to build Helm, which the tests of the chart need')
    process.exitCode = 1
  }
}
