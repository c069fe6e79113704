import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onPath, readJson } from './places.mjs'
import { step } from './progress.mjs'

const stampFile = root => join(root, 'node_modules', '.aegis', 'packages')

export const hashOf = text => createHash('sha256').update(text).digest('hex').slice(0, 16)

const lockHash = root => hashOf(readFileSync(join(root, 'package-lock.json')))

export function packagesAreStamped(root) {
  try {
    return readFileSync(stampFile(root), 'utf8') === lockHash(root)
  } catch {
    return false
  }
}

export function stampPackages(root) {
  mkdirSync(join(root, 'node_modules', '.aegis'), { recursive: true })
  writeFileSync(stampFile(root), lockHash(root))
}

/**
 * Says whether what npm wrote down about node_modules has everything the lock file asks for. True after somebody's own
 * `npm install`, so that their work is not thrown away and done again.
 */
export function treeMatches(lock, tree) {
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === '' || !path.includes('node_modules/')) return true // ourselves and our workspaces
    const found = tree.packages[path]
    if (!found) return wanted.optional === true || wanted.devOptional === true || wanted.peer === true
    return wanted.link === true ? found.link === true : found.version === wanted.version
  })
}

function treeIsThere(root) {
  try {
    const tree = readJson(join(root, 'node_modules', '.package-lock.json'))
    const present = Object.keys(tree.packages).every(path => existsSync(join(root, path)))
    return present && treeMatches(readJson(join(root, 'package-lock.json')), tree)
  } catch {
    return false
  }
}

/**
 * npm runs this very script from node_modules/.bin when that is first on PATH. `npm ci` deletes that folder: the files stay
 * alive while we run, but npm must be started with a Node outside it.
 */
function npmCommand(root, env) {
  const inside = join(root, 'node_modules')
  const outside = [env.npm_node_execpath, process.execPath, onPath('node', env)].find(
    path => path && !path.startsWith(inside) && existsSync(path),
  )
  const script = env.npm_execpath
  if (script && /\.c?js$/.test(script) && existsSync(script) && !script.startsWith(inside))
    return [outside || process.execPath, [script]]
  const npm = onPath('npm', env)
  if (!npm) throw new Error('npm is not on PATH: install Node.js with npm, version 18 or newer')
  return [npm, []]
}

export async function installPackages(root, voice, env = process.env) {
  if (packagesAreStamped(root)) return false
  if (!treeIsThere(root)) {
    const [file, first] = npmCommand(root, env)
    // What npm puts into the environment of a script describes the outer command, and would be taken for settings of this one.
    const clean = Object.fromEntries(
      Object.entries(env).filter(
        ([name]) => !/^npm_(config_(?!userconfig|globalconfig|cache)|lifecycle|package|command)/i.test(name),
      ),
    )
    await step(voice, 'installing packages', file, [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: root,
      env: clean,
    })
  }
  stampPackages(root)
  return true
}

const atLeast = (version, wanted) => {
  const [a, b] = [version, wanted].map(text => text.replace(/^v/, '').split('.').map(Number))
  for (let at = 0; at < 3; at++) if ((a[at] || 0) !== (b[at] || 0)) return (a[at] || 0) > (b[at] || 0)
  return true
}

/** Which Node the npm scripts will run: the pinned one where there is a package for this platform, else the machine's if new enough. */
export function toolchain(root, { platform = process.platform, arch = process.arch, env = process.env } = {}) {
  const minimum = readJson(join(root, 'package.json')).engines.node.replace(/^>=\s*/, '')
  const pinned = join(root, 'node_modules', '.bin', 'node')
  if (existsSync(pinned)) {
    const home = join(root, 'node_modules', `node-${platform}-${arch}`, 'package.json')
    return { path: pinned, version: existsSync(home) ? readJson(home).version : versionOf(pinned), pinned: true }
  }
  const own = onPath('node', env) || process.execPath
  const version = own === process.execPath ? process.version : versionOf(own)
  if (atLeast(version, minimum)) return { path: own, version: version.replace(/^v/, ''), pinned: false }
  throw new Error(
    `Node ${version} is too old and no Node package exists for ${platform} ${arch}: install Node ${minimum} or newer, then run the command again`,
  )
}

const versionOf = file => execFileSync(file, ['--version'], { encoding: 'utf8' }).trim()
