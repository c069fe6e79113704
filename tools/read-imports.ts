/** Reads the imports of every TypeScript file of the house: who names whom, where, and whether for its types only. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const ROOT = path.resolve(import.meta.dirname, '..')

export interface Import {
  readonly specifier: string
  readonly line: number
  readonly typeOnly: boolean
  /** The file it leads to, relative to the root; undefined for packages from outside. */
  readonly file?: string
}
export interface Source {
  /** Relative to the root, with forward slashes. */
  readonly file: string
  readonly text: string
  readonly lines: number
  readonly imports: readonly Import[]
}

export interface Place {
  readonly kind: string
  readonly name: string
}
/** `libs/domain/src/ids.ts` is of kind `libs` and name `domain`; `lab/bench/main.ts` is of kind and name `bench`. */
export const placeOf = (file: string): Place => {
  const [kind, name] = file.split('/')
  const own = ['libs', 'services', 'apps', 'deploy'].includes(kind) || (kind === 'tools' && name === 'stack')
  return own ? { kind, name } : { kind, name: kind }
}
export const packageOf = (file: string): string => {
  const { kind, name } = placeOf(file)
  return kind === name ? kind : `${kind}/${name}`
}
/** Tests, contracts and the cases they share: they may know more than what runs. */
export const isTest = (file: string): boolean => /\.(test|contract|cases)\.ts$/.test(file) || file.startsWith('test/')

const IMPORT =
  /^[ \t]*(?:import|export)\s+(type\s)?(?:[^'"()]*?\sfrom\s+)?['"]([^'"\n]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|new URL\(\s*['"](\.[^'"]+\.ts)['"]/gm

/** Folder of each workspace package by its name, and what its `exports` say of a subpath. */
const packageFolders = (): Map<string, { folder: string; exports: Record<string, string> }> => {
  const found = new Map<string, { folder: string; exports: Record<string, string> }>()
  for (const file of globSync(
    [
      'libs/*/package.json',
      'services/*/package.json',
      'apps/*/package.json',
      'lab/package.json',
      'tools/*/package.json',
      'lab/bench/package.json',
      'deploy/demo-shop/package.json',
    ],
    { cwd: ROOT },
  )) {
    const json = JSON.parse(readFileSync(path.join(ROOT, file), 'utf8'))
    found.set(json.name, { folder: path.posix.dirname(file), exports: json.exports ?? {} })
  }
  return found
}

export const readSources = (): Source[] => {
  const packages = packageFolders()
  const resolve = (from: string, specifier: string): string | undefined => {
    if (specifier.startsWith('.')) return path.posix.normalize(path.posix.join(path.posix.dirname(from), specifier))
    const [scope, name, ...rest] = specifier.split('/')
    const known = packages.get(`${scope}/${name}`)
    if (!known) return undefined
    const under = rest.length === 0 ? '.' : `./${rest.join('/')}`
    const exact = known.exports[under]
    const target = exact ?? known.exports['./*']?.replace('*', rest.join('/'))
    const file = target && path.posix.normalize(path.posix.join(known.folder, target))
    return file && existsSync(path.join(ROOT, file)) ? file : undefined
  }
  const patterns = [
    'libs/*/src/**/*.ts',
    'services/*/src/**/*.ts',
    'apps/*/src/**/*.ts',
    'lab/**/*.ts',
    'lab/bench/**/*.ts',
    'test/**/*.ts',
    'tools/**/*.ts',
    'deploy/demo-shop/src/**/*.ts',
  ]
  return globSync(patterns, { cwd: ROOT })
    .filter(file => !file.includes('node_modules'))
    .map(file => file.split(path.sep).join('/'))
    .sort()
    .map(file => {
      const text = readFileSync(path.join(ROOT, file), 'utf8')
      const imports: Import[] = []
      for (const m of text.matchAll(IMPORT)) {
        const specifier = m[2] ?? m[3] ?? m[4]
        imports.push({
          specifier,
          line: text.slice(0, m.index).split('\n').length,
          typeOnly: Boolean(m[1]),
          file: resolve(file, specifier),
        })
      }
      return { file, text, lines: text.split('\n').length - 1, imports }
    })
}

/** Circles among the files: strongly connected components of more than one, each sorted (Tarjan 1972). */
export const circlesAmong = (sources: readonly Source[]): string[][] => {
  const known = new Map(sources.map(source => [source.file, source]))
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const open: string[] = []
  const found: string[][] = []
  const visit = (file: string): void => {
    index.set(file, index.size)
    low.set(file, index.get(file)!)
    open.push(file)
    for (const { file: next } of known.get(file)!.imports) {
      if (!next || !known.has(next)) continue
      if (!index.has(next)) {
        visit(next)
        low.set(file, Math.min(low.get(file)!, low.get(next)!))
      } else if (open.includes(next)) low.set(file, Math.min(low.get(file)!, index.get(next)!))
    }
    if (low.get(file) !== index.get(file)) return
    const circle = open.splice(open.indexOf(file))
    if (circle.length > 1) found.push(circle.sort())
  }
  for (const { file } of sources) if (!index.has(file)) visit(file)
  return found
}

/** Every file that these lead to, themselves among them. */
export const reachedFrom = (starts: readonly string[], sources: readonly Source[]): Set<string> => {
  const known = new Map(sources.map(source => [source.file, source]))
  const reached = new Set<string>()
  const queue = starts.filter(file => known.has(file))
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file)) continue
    reached.add(file)
    for (const { file: next } of known.get(file)!.imports) if (next && known.has(next)) queue.push(next)
  }
  return reached
}
