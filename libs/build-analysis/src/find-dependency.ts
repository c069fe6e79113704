/**
 * The dependency that a failure speaks of, with its versions: named outright by a resolver or a rule; else the artefact of the log whose name fits the
 * packages, classes and jars in the lines of the cause best (the shared parts of the names, rarer parts counting more).
 */
export interface Dependency {
  readonly name: string
  readonly from: string | null
  readonly to: string | null
  readonly confidence: number
  readonly others: readonly string[]
}
const VERSION = String.raw`v?\d[\w.+-]*`
const REPOSITORY = new RegExp(
  String.raw`https?://\S+?/(?:maven2?|repository/[\w.-]+|[\w-]+)/((?:[\w-]+/)+)([\w.-]+)/(${VERSION})/\2-\3[\w.-]*\.(?:pom|jar)`,
)
const COORDINATES = new RegExp(
  String.raw`\b([a-z][\w-]*(?:\.[\w-]+)*):([\w.-]{2,}):(?:(?:jar|pom|war|aar|maven-plugin|test-jar|bundle|zip)(?::[\w-]+)?:)?(${VERSION})`,
  'g',
)
const JAR = new RegExp(String.raw`([\w.-]+?)-(\d[\w.]*(?:-[\w.]+)*)\.jar`, 'g')
const NAMED: readonly (readonly [RegExp, number, number])[] = [
  [
    /(?:Dependency convergence error for|Require upper bound dependencies error for) ([\w.-]+:[\w.-]+):(?:jar:)?(\S+?)(?:\s|$)/,
    1,
    2,
  ],
  [
    /Could not (?:find artifact|transfer artifact|resolve|find) ([\w.-]+:[\w.-]+):(?:(?:jar|pom|war):)?([\w.+-]+?)[.\s]*(?:$|\s|in |from |\.$)/,
    1,
    2,
  ],
  [/No matching (?:distribution|version) found for ([\w.@/-]+?)(?:(?:==|>=|~=|@)(\S+))?$/, 1, 2],
  [/satisfies the requirement ([\w.-]+?)(?:[=~<>!]=?([\w.]+))?[\s,]/, 1, 2],
  [/requires ([\w.-]+)[<>=!~]\S*, but you(?:'ll)? have \S+ ([\w.]+) which is incompatible/, 1, 2],
  [/Could not resolve dependency:|peer (@?[\w./-]+)@"?([^"\s]+)"? from/, 1, 2],
  [/no matching package named `([\w-]+)`|failed to select a version for (?:the requirement )?`([\w-]+)/, 1, 9],
  [/go: ([\w./-]+)@(v[\w.+-]+)/, 1, 2],
  [/Could not find gem '([\w-]+)(?: \(\D*([\d.]+)\))?/, 1, 2],
  [/Unable to find package ([\w.]+) with version \(\D*([\d.]+)\)/, 1, 2],
]
/** Parts of names that say nothing of whose they are. */
const COMMON = new Set([
  'org',
  'com',
  'io',
  'net',
  'apache',
  'github',
  'google',
  'java',
  'javax',
  'api',
  'core',
  'common',
  'commons',
  'maven',
  'plugin',
  'plugins',
  'parent',
  'bom',
  'jar',
  'lib',
  'test',
  'tests',
  'impl',
  'util',
  'utils',
  'error',
  'exception',
  'class',
  'package',
  'src',
  'main',
  'project',
  'dependencies',
  'the',
  'cannot',
  'symbol',
  'method',
  'for',
  'does',
  'not',
  'exist',
  'find',
  'location',
  'type',
  'string',
  'http',
  'https',
  'lang',
  'internal',
  'client',
  'server',
  'base',
  'model',
  'builder',
  'failure',
  'build',
  'spring',
  'boot',
])
const SPLIT = /[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])/
const words = (text: string): string[] =>
  text
    .split(SPLIT)
    .map(w => w.toLowerCase())
    .filter(w => w.length > 2)
/** Words of Java that stand in packages of artefacts under another name. */
const JAVA = /\b(?:[a-z][\w]*\.){1,}[\w$.]+/g

interface Artefact {
  readonly group: string
  readonly artefact: string
  readonly versions: Map<string, number>
  plugin: boolean
}

export const findDependency = (lines: readonly string[], cause: readonly string[]): Dependency | undefined => {
  for (const [pattern, name, version] of NAMED)
    for (const text of cause) {
      const m = pattern.exec(text)
      if (m?.[name] ?? m?.[2])
        if (m?.[name])
          return {
            name: m[name] as string,
            from: null,
            to: m[version] ?? null,
            confidence: 0.5,
            others: rest(lines, cause, m[name] as string),
          }
    }
  const ranked = rankArtefacts(lines, cause)
  const [first, second] = ranked
  if (!first || first.score <= 0) return undefined
  const versions = [...first.a.versions.keys()]
  const margin = second ? first.score / (first.score + second.score) : 0.8
  return {
    name: `${first.a.group}:${first.a.artefact}`,
    from: versions.length > 1 ? (versions[0] as string) : null,
    to: versions.at(-1) ?? null,
    confidence: Math.min(0.6, 0.1 + 0.5 * (margin - 0.4)),
    others: ranked.slice(1, 6).map(r => `${r.a.group}:${r.a.artefact}`),
  }
}
const rest = (lines: readonly string[], cause: readonly string[], but: string) =>
  rankArtefacts(lines, cause)
    .map(r => `${r.a.group}:${r.a.artefact}`)
    .filter(n => n !== but)
    .slice(0, 5)

const rankArtefacts = (lines: readonly string[], cause: readonly string[]) => {
  const all = new Map<string, Artefact>()
  const note = (group: string, artefact: string, version: string, plugin: boolean) => {
    const key = `${group}:${artefact}`
    const a = all.get(key) ?? { group, artefact, versions: new Map(), plugin }
    a.versions.set(version, (a.versions.get(version) ?? 0) + 1)
    a.plugin &&= plugin
    all.set(key, a)
  }
  for (const text of lines) {
    if (text.length > 2000) continue
    if (text.includes('://')) {
      const m = REPOSITORY.exec(text)
      if (m)
        note(
          (m[1] as string)
            .slice(0, -1)
            .replace(/^(?:maven2|releases|public|repository|content)\//, '')
            .replace(/\//g, '.'),
          m[2] as string,
          m[3] as string,
          /plugin/.test(m[2] as string),
        )
    } else if (text.includes(':'))
      for (const m of text.matchAll(COORDINATES))
        note(m[1] as string, m[2] as string, m[3] as string, /-plugin$|^maven-/.test(m[2] as string))
  }
  if (all.size === 0) return []
  const told = new Map<string, number>()
  const tell = (text: string, weight: number) => {
    for (const w of words(text)) if (!COMMON.has(w)) told.set(w, (told.get(w) ?? 0) + weight)
  }
  const jars = new Map<string, string>()
  cause.forEach((text, i) => {
    const near = 1 / (1 + i / 8)
    for (const m of text.matchAll(JAR)) jars.set(m[1] as string, m[2] as string)
    for (const m of text.matchAll(JAVA)) tell(m[0], near)
  })
  const spread = new Map<string, number>()
  for (const a of all.values())
    for (const w of new Set(words(`${a.group} ${a.artefact}`))) spread.set(w, (spread.get(w) ?? 0) + 1)
  const causeText = cause.join('\n')
  return [...all.values()]
    .map(a => {
      let score = 0
      const own = [...new Set(words(`${a.group}.${a.artefact}`))].filter(w => !COMMON.has(w))
      let hit = 0
      for (const w of own) {
        const t = told.get(w)
        if (t) {
          hit++
          score += Math.log1p(t) * Math.log(1 + all.size / (spread.get(w) as number))
        }
      }
      score *= (hit + 0.3) / (own.length + 0.6)
      if (jars.has(a.artefact)) score += 12
      if (causeText.includes(`${a.group}:${a.artefact}`)) score += a.plugin ? 1 : 6
      if (a.versions.size > 1) score *= 1.3
      if ([...a.versions.keys()].every(v => v.endsWith('-SNAPSHOT'))) score *= 0.2
      if (a.plugin) score *= 0.35
      return { a, score }
    })
    .filter(r => r.score > 0)
    .sort((x, y) => y.score - x.score)
}
