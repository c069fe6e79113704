/**
 * Links TensorFlow.js to a native TensorFlow. The package's own install step downloads a library from one fixed place; ours takes
 * the library out of the Python wheel of the same TensorFlow and compiles the two files of the binding against it. Library and
 * compiled binding are cached per user, so that the next clone only makes a link and a copy.
 */
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { readJson } from './places.mjs'
import { step } from './progress.mjs'
import { explain } from './servers.mjs'

export const cpu = { package: '@tensorflow/tfjs-node', wheel: 'tensorflow-cpu==2.15.1', bytes: 1.1e9 }
export const gpu = { package: '@tensorflow/tfjs-node-gpu', wheel: 'tensorflow==2.20.0', bytes: 4e9 }

const napi = 8
const bindingOf = home => join(home, 'lib', `napi-v${napi}`, 'tfjs_binding.node')
const stampOf = home => join(home, 'lib', 'linked')
const packageHome = (root, kind) => join(root, 'node_modules', kind.package)
const cacheHome = (root, cache, kind) =>
  join(
    cache,
    'tensorflow',
    `${kind.wheel.replace('==', '-')}-tfjs-${readJson(join(packageHome(root, kind), 'package.json')).version}-${process.platform}-${process.arch}`,
  )

export const isInstalled = (root, kind) => existsSync(join(packageHome(root, kind), 'package.json'))

export function isLinked(root, kind) {
  const home = packageHome(root, kind)
  try {
    return (
      readFileSync(stampOf(home), 'utf8') === kind.wheel &&
      existsSync(join(home, 'deps', 'lib', 'libtensorflow_framework.so.2')) &&
      existsSync(bindingOf(home))
    )
  } catch {
    return false
  }
}

export async function link(root, cache, kind, machine, node, voice) {
  const cached = cacheHome(root, cache, kind)
  if (!existsSync(bindingOf(cached))) await build(root, cached, kind, machine, voice)
  const home = packageHome(root, kind)
  rmSync(stampOf(home), { force: true })
  removeAny(join(home, 'deps'))
  mkdirSync(join(home, 'lib', `napi-v${napi}`), { recursive: true })
  symlinkSync(join(cached, 'deps'), join(home, 'deps'))
  // A copy, not a link: the loader looks for the library beside the file's real place.
  const beside = `${bindingOf(home)}.${process.pid}`
  copyFileSync(bindingOf(cached), beside)
  renameSync(beside, bindingOf(home))
  await step(voice, 'trying native TensorFlow', node, ['-e', trial, home], {
    env: { ...process.env, NODE_OPTIONS: '', TF_CPP_MIN_LOG_LEVEL: '3' },
  })
  writeFileSync(stampOf(home), kind.wheel)
}

const trial = `const u = require('util'); u.isNullOrUndefined ??= v => v == null; u.isArray ??= Array.isArray; u.isUndefined ??= v => v === undefined
const tf = require(process.argv[1])
tf.ready().then(async () => { const sum = await tf.tensor1d([1, 2, 3]).sum().data(); if (tf.getBackend() !== 'tensorflow' || sum[0] !== 6) throw new Error('computed nothing natively') }).catch(e => { console.error(e.message); process.exit(1) })`

async function build(root, cached, kind, machine, voice) {
  mkdirSync(join(cached, '..'), { recursive: true })
  const work = mkdtempSync(`${cached}-`)
  try {
    const wheels = join(work, 'wheel')
    const platforms = ['manylinux_2_17_x86_64', 'manylinux2014_x86_64'].flatMap(name => ['--platform', name])
    await step(voice, `fetching TensorFlow (${kind.wheel})`, machine.python, [
      ...[
        '-m',
        'pip',
        'download',
        '-q',
        '--disable-pip-version-check',
        '--no-deps',
        '--only-binary=:all:',
        '--python-version',
        '3.11',
      ],
      ...[...platforms, '-d', wheels, kind.wheel],
    ])
    const [wheel] = readdirSync(wheels)
    const deps = join(work, 'deps')
    await step(voice, 'unpacking TensorFlow', machine.python, ['-c', unpack, join(wheels, wheel), deps])
    symlinkSync('libtensorflow_cc.so.2', join(deps, 'lib', 'libtensorflow.so'))
    symlinkSync('libtensorflow_framework.so.2', join(deps, 'lib', 'libtensorflow_framework.so'))
    mkdirSync(join(work, 'lib', `napi-v${napi}`), { recursive: true })
    const home = packageHome(root, kind)
    const sources = readdirSync(join(home, 'binding'))
      .filter(name => name.endsWith('.cc'))
      .map(name => join(home, 'binding', name))
    await step(voice, 'compiling the TensorFlow binding', machine.compiler, [
      ...[
        '-O2',
        '-std=c++17',
        '-shared',
        '-fPIC',
        `-DNAPI_VERSION=${napi}`,
        '-DNODE_GYP_MODULE_NAME=tfjs_binding',
        '-DBUILDING_NODE_EXTENSION',
      ],
      ...['-I', nodeHeaders(root), '-I', join(deps, 'include'), '-I', home, ...sources, '-o', bindingOf(work)],
      ...['-L', join(deps, 'lib'), '-ltensorflow', '-ltensorflow_framework', '-Wl,-rpath,$ORIGIN/../../deps/lib'],
    ])
    rmSync(wheels, { recursive: true })
    removeAny(cached)
    renameSync(work, cached)
  } catch (error) {
    throw explain(error, 'linking TensorFlow', cached)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The binding speaks N-API, so headers of any Node of the last years serve. */
function nodeHeaders(root) {
  const places = [
    join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'include', 'node'),
    join(process.execPath, '../../include/node'),
    '/usr/include/node',
  ]
  const found = places.find(place => existsSync(join(place, 'node_api.h')))
  if (!found) throw new Error("no Node headers (node_api.h) found beside the packages or the machine's Node")
  return found
}

const removeAny = path => rmSync(path, { recursive: lstatOf(path) !== undefined && !lstatOf(path).isSymbolicLink(), force: true })

function lstatOf(path) {
  try {
    return lstatSync(path)
  } catch {
    return undefined
  }
}

const unpack = `
import os, shutil, sys, zipfile
wheel, out = sys.argv[1:3]
heads = ('tensorflow/c/', 'tensorflow/core/platform/ctstring', 'tensorflow/tsl/platform/ctstring', 'tsl/platform/ctstring', 'xla/tsl/c/', 'tsl/c/')
root = 'tensorflow/include/'
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        base = os.path.basename(name)
        if base in ('libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'):
            to = os.path.join(out, 'lib', base)
        elif name.startswith(root) and name[len(root):].startswith(heads) and not name.endswith('/'):
            to = os.path.join(out, 'include', name[len(root):])
        else:
            continue
        os.makedirs(os.path.dirname(to), exist_ok=True)
        with archive.open(name) as source, open(to, 'wb') as target:
            shutil.copyfileobj(source, target, 1 << 20)
`
