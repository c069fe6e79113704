/** The house as its imports draw it: who stands on whom, how many lines each package has, and which of them no service reaches. */
import { isTest, packageOf, placeOf, type Source } from './read-imports.ts'

const EXPORTED = /^export\s+(?:async\s+)?(?:abstract\s+)?(?:const|let|function\*?|class|interface|type|enum)\s+(\w+)/gm
const RE_EXPORT = /^export\s+(?:type\s+)?(\*|\{[^}]*\})\s+from\s+['"]([^'"]+)['"]/gm
const NAMED = /^[ \t]*import\s+(?:type\s+)?(?:(\w+)\s*,?\s*)?(\*\s+as\s+\w+|\{[^}]*\})?\s*from\s+['"]([^'"]+)['"]/gm

const namesIn = (clause: string): string[] =>
  clause
    .replace(/[{}]/g, '')
    .split(',')
    .map(
      name =>
        name
          .trim()
          .replace(/^type\s+/, '')
          .split(/\s+as\s+/)[0],
    )
    .filter(Boolean)

/**
 * Files that services and apps lead to, not by way of the lab. An index that only passes on is followed by the names that are taken from it, so that a file is not reached just
 * because an index mentions it.
 */
export const reachedByServices = (sources: readonly Source[]): Set<string> => {
  const known = new Map(sources.map(s => [s.file, s]))
  const fileOf = (source: Source, specifier: string) => source.imports.find(i => i.specifier === specifier)?.file
  const isIndex = (file: string) => file.endsWith('/index.ts')
  /** Which file behind an index gives this name. */
  const behind = (file: string, name: string): string | undefined => {
    const source = known.get(file)
    if (!source) return undefined
    for (const [, what, specifier] of source.text.matchAll(RE_EXPORT)) {
      const target = fileOf(source, specifier)
      if (!target) continue
      if (what !== '*') {
        const names = what
          .replace(/[{}]/g, '')
          .split(',')
          .map(n =>
            n
              .trim()
              .replace(/^type\s+/, '')
              .split(/\s+as\s+/)
              .at(-1),
          )
        if (names.includes(name)) return target
      } else if (isIndex(target)) {
        const found = behind(target, name)
        if (found) return found
      } else if (
        [...(known.get(target)?.text.matchAll(EXPORTED) ?? []), ...(known.get(target)?.text.matchAll(RE_EXPORT) ?? [])].some(
          m => m[1] === name || (m[2] && m[1] !== '*' && namesIn(m[1]).includes(name)),
        )
      )
        return target
    }
    return undefined
  }
  const reached = new Set<string>()
  const queue = sources.filter(s => /^(services|apps)\/[^/]+\/src\/(main|service)\.ts$/.test(s.file)).map(s => s.file)
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file) || placeOf(file).kind === 'lab') continue
    reached.add(file)
    const source = known.get(file)!
    const byName = new Set<string>()
    for (const [, , clause, specifier] of source.text.matchAll(NAMED)) {
      const target = fileOf(source, specifier)
      if (!target || !isIndex(target) || !clause || clause.startsWith('*')) continue
      byName.add(specifier)
      reached.add(target)
      for (const name of namesIn(clause)) {
        const found = behind(target, name)
        if (found) queue.push(found)
      }
    }
    for (const { specifier, file: target } of source.imports)
      if (target && known.has(target) && !byName.has(specifier)) queue.push(target)
  }
  return reached
}

export const unreachedLines = (sources: readonly Source[]): { files: { file: string; lines: number }[]; lines: number } => {
  const reached = reachedByServices(sources)
  const files = sources
    .filter(({ file }) => file.startsWith('libs/') && !isTest(file) && !reached.has(file) && !/\/(index|testing)\.ts$/.test(file))
    .map(({ file, lines }) => ({ file, lines }))
  return { files, lines: files.reduce((sum, f) => sum + f.lines, 0) }
}

/** Floors from the ground up: a package stands one above the highest that it imports. */
export const drawMap = (sources: readonly Source[]): string => {
  const running = sources.filter(s => !isTest(s.file))
  const packages = [...new Set(running.map(s => packageOf(s.file)))]
  const below = new Map(packages.map(p => [p, new Set<string>()]))
  for (const source of running)
    for (const { file } of source.imports)
      if (file && packageOf(file) !== packageOf(source.file)) below.get(packageOf(source.file))?.add(packageOf(file))
  const floors = new Map<string, number>()
  const floorOf = (name: string, seen: readonly string[] = []): number => {
    const known = floors.get(name)
    if (known !== undefined) return known
    const floor =
      1 + Math.max(-1, ...[...(below.get(name) ?? [])].filter(b => !seen.includes(b)).map(b => floorOf(b, [...seen, name])))
    floors.set(name, floor)
    return floor
  }
  for (const name of packages) floorOf(name)
  const lines = (name: string) => running.filter(s => packageOf(s.file) === name).reduce((sum, s) => sum + s.lines, 0)
  const out: string[] = []
  for (const floor of [...new Set(floors.values())].sort((a, b) => b - a)) {
    out.push(`floor ${floor}`)
    for (const name of packages.filter(p => floors.get(p) === floor).sort())
      out.push(
        `  ${name.padEnd(30)} ${String(lines(name)).padStart(6)} lines   on ${[...(below.get(name) ?? [])].sort().join(', ') || 'nothing'}`,
      )
  }
  const libraries = running.filter(s => placeOf(s.file).kind === 'libs').reduce((sum, s) => sum + s.lines, 0)
  out.push(`${unreachedLines(sources).lines} of ${libraries} library lines are reached by no service and no app`)
  return out.join('\n')
}
