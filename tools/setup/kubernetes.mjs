#!/usr/bin/env node
/**
 * A real Kubernetes control plane without containers, for tests: API server, controller manager, scheduler and etcd built from Go modules
 * (`kubernetes/`), nodes and pods played by kwok. Built once per user and version (about five minutes on two cores), then found in the cache.
 * `node tools/setup/kubernetes.mjs` builds it ahead of the tests.
 */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lock.mjs'
import { hashOf } from './packages.mjs'
import { cacheFolder, onPath } from './places.mjs'
import { speaker, step } from './progress.mjs'
import { explain } from './servers.mjs'

const sources = join(dirname(fileURLToPath(import.meta.url)), 'kubernetes')
const kwok = 'sigs.k8s.io/kwok@v0.8.0'
const programs = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd', 'kwok']
/** What kwok plays: nodes that are ready as long as it renews their leases, pods that run at once and go when deleted. */
const stages = ['node/fast', 'node/heartbeat-with-lease', 'pod/fast']

/** Changes when a version does: modules with their checksums, and kwok. */
const mark = () =>
  hashOf(
    [
      ...['control-plane/go.mod', 'control-plane/go.sum', 'etcd/go.mod', 'etcd/go.sum'].map(f =>
        readFileSync(join(sources, f), 'utf8'),
      ),
      kwok,
      ...stages,
    ].join(),
  )

/** The folder with programs and stages, or nothing where neither the cache has it nor Go can build it. */
export async function controlPlane({ env = process.env, voice = speaker() } = {}) {
  const cache = cacheFolder(env)
  const home = join(cache, 'servers', `kubernetes-${mark()}`)
  if (existsSync(join(home, 'complete'))) return home
  const go = onPath('go', env)
  if (!go) return undefined
  const waiting = pid => voice.tell(`another set-up is under way (process ${pid}); waiting for it`)
  await withLock(join(cache, 'kubernetes.lock'), waiting, async onChild => {
    if (!existsSync(join(home, 'complete'))) await build(go, home, { ...voice, onChild }, env)
  })
  return home
}

async function build(go, home, voice, env) {
  mkdirSync(join(home, '..'), { recursive: true })
  const work = mkdtempSync(`${home}-`)
  const bin = join(work, 'bin')
  const run = (title, folder, ...args) =>
    step(voice, title, go, args, {
      cwd: folder,
      env: { ...env, GOBIN: bin, GOFLAGS: '-buildvcs=false -mod=readonly', CGO_ENABLED: '0' },
    })
  try {
    mkdirSync(bin)
    for (const [module, title] of [
      ['etcd', 'building etcd'],
      ['control-plane', 'building the Kubernetes control plane'],
    ]) {
      const folder = join(work, module)
      cpSync(join(sources, module), folder, { recursive: true })
      await run(title, folder, 'build', '-ldflags=-s -w', '-o', `${bin}/`, './...')
      rmSync(folder, { recursive: true })
    }
    await run('building kwok', work, 'install', `${kwok.replace('@', '/cmd/kwok@')}`)
    const { Dir } = JSON.parse(await run('fetching the stages of kwok', work, 'mod', 'download', '-json', kwok))
    mkdirSync(join(work, 'stages'))
    for (const stage of stages)
      for (const file of readdirSync(join(Dir, 'kustomize/stage', stage)))
        if (file.endsWith('.yaml') && !file.startsWith('kustomization'))
          copyFileSync(join(Dir, 'kustomize/stage', stage, file), join(work, 'stages', `${stage.replaceAll('/', '-')}-${file}`))
    const lacking = programs.filter(p => !readdirSync(bin).includes(p))
    if (lacking.length > 0) throw new Error(`the build made no ${lacking.join(', ')}`)
    writeFileSync(join(work, 'complete'), '')
    rmSync(home, { recursive: true, force: true })
    renameSync(work, home)
  } catch (error) {
    throw explain(error, 'building the Kubernetes control plane', home)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const home = await controlPlane()
  if (home) console.log(home)
  else {
    console.error(
      'Go is not on PATH: install Go 1.26 or newer to build the Kubernetes control plane that the tests of the Kubernetes executor need',
    )
    process.exitCode = 1
  }
}
