/**
 * The dependency that a failure speaks of, with its versions: named outright by a resolver; else the project's own dependency on the paths that a rule
 * on versions prints; else the artefact of the log whose name fits the packages, classes and jars in the lines of the cause best (parts of names shared,
 * rarer parts counting more, as in TF-IDF).
 */
export interface Dependency {
  readonly name: string
  readonly from: string | null
  readonly to: string | null
  readonly confidence: number
  readonly others: readonly string[]
}
const VERSION = String.raw`v?\d[\w.+-]*`
const REPOSITORY = new RegExp(String.raw`https?://[^/\s]+/((?:[\w.-]+/)+)([\w.-]+)/(${VERSION})/\2-\3[\w.-]*\.(pom|jar)`)
/** What stands in an address of a repository before the group. */
const ROOTS =
  /^(?:maven2?|repository|repositories|content|groups?|public|releases?|snapshots?|central|artifactory|nexus|repo|m2|dist|pub|thirdparty|libs-\w+|plugins-\w+|maven-\w+|[\w-]*-releases?)$/
const COORDINATES = new RegExp(
  String.raw`\b([a-z][\w-]*(?:\.[\w-]+)*):([a-z][\w.-]+):(?:(?:jar|pom|war|aar|maven-plugin|test-jar|bundle|zip)(?::[\w-]+)?:)?(${VERSION})`,
  'g',
)
const JAR = /([\w.-]+?)-(\d[\w.]*(?:-[\w.]+)*)\.jar/g
/** Pattern, group of the name, group of the version. */
const NAMED: readonly (readonly [RegExp, number, number])[] = [
  [
    /Could not (?:find artifact|transfer artifact|resolve|find) ([\w.-]+:[\w.-]+):(?:(?:jar|pom|war):)?([\w.+-]+?)[.\s]*(?:$|\s|in |from )/,
    1,
    2,
  ],
  [/No matching (?:distribution|version) found for ([\w.@/-]+?)(?:(?:==|>=|~=|@)(\S+))?$/, 1, 2],
  [/satisfies the requirement ([\w.-]+?)(?:[=~<>!]=?([\w.]+))?[\s,]/, 1, 2],
  [/requires ([\w.-]+)[<>=!~]\S*, but you(?:'ll)? have \S+ ([\w.]+) which is incompatible/, 1, 2],
  [/peer (@?[\w./-]+)@"?([^"\s]+)"? from/, 1, 2],
  [/(?:no matching package named|failed to select a version for(?: the requirement)?) `([\w-]+)/, 1, 2],
  [/go: ([\w./-]+)@(v[\w.+-]+)/, 1, 2],
  [/Could not find gem '([\w-]+)(?: \(\D*([\d.]+)\))?/, 1, 2],
  [/Unable to find package ([\w.]+) with version \(\D*([\d.]+)\)/, 1, 2],
]
/** Parts of names that say nothing of whose they are. */
const COMMON = new Set(
  `org com io net apache github google java javax api core common commons maven plugin plugins parent bom jar lib test tests impl util utils error
  exception class package src main project dependencies the cannot symbol method for does not exist find location type string http https lang internal
  client server base model builder failure build boot junit surefire jupiter platform engine runner logger booter initialize runtime`.split(
    /\s+/,
  ),
)
const words = (text: string): string[] =>
  text
    .split(/[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])/)
    .map(w => w.toLowerCase())
    .filter(w => w.length > 2)
const DOTTED = /\b(?:[a-z]\w*[./]){1,}[\w$./]+/g

/** Whoever is named so was looked for and not found as it was: a class, package or jar of the dependency itself. */
const LINKAGE =
  /(?:package|cannot access|class file for|bad class file:|NoClassDefFoundError:|ClassNotFoundException:|NoSuchMethodError:|NoSuchFieldError:|AbstractMethodError:|IncompatibleClassChangeError:|UnsupportedClassVersionError:|Could not initialize class|location: (?:class|interface|package|variable \w+ of type)|ClassCastException:|has been deprecated|cannot be converted to) /
const RUNNER =
  /\bat (?:java|javax|jdk|sun|com\.sun|org\.junit|org\.apache\.maven|org\.gradle|junit|org\.testng|org\.codehaus|org\.mockito)\./
const SOURCE = /\/src\/(?:main|test)\/\w+\/([\w/]+)\//

interface Artefact {
  readonly group: string
  readonly artefact: string
  readonly versions: Set<string>
  plugin: boolean
  /** Its jar was fetched: it is used, and not only named as a parent or a list of versions. */
  jar: boolean
}
const nameOf = (a: Artefact) => `${a.group}:${a.artefact}`

/** Versions by their numbers; a word in the place of a number (RC, SNAPSHOT) is lower. */
export const compareVersions = (a: string, b: string): number => {
  const [x, y] = [a, b].map(v => v.replace(/^v/, '').split(/[.-]/)) as [string[], string[]]
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const p = x[i] ?? '0'
    const q = y[i] ?? '0'
    if (p === q) continue
    const [m, n] = [/^\d+$/.test(p), /^\d+$/.test(q)]
    if (m && n && Number(p) === Number(q)) continue
    return m && n ? Number(p) - Number(q) : m ? 1 : n ? -1 : p < q ? -1 : 1
  }
  return 0
}

/** Dependencies that the project itself names, on the paths a rule on versions prints: the first below the root. */
const directOnPaths = (lines: readonly string[]): [string, string, number][] => {
  const found = new Map<string, [string, string, number]>()
  for (const text of lines) {
    const m = /^(?:\[\w+\] )?( *)\+-([\w.-]+:[\w.-]+):(?:(?:jar|pom|war|bundle):)?([\w.+-]+)/.exec(text)
    if (m?.[1]?.length !== 2) continue
    const at = found.get(m[2] as string) ?? [m[2] as string, m[3] as string, 0]
    at[2]++
    found.set(at[0], at)
  }
  return [...found.values()].sort((a, b) => b[2] - a[2])
}

export const findDependency = (lines: readonly string[], cause: readonly string[]): Dependency | undefined => {
  for (const [pattern, name, version] of NAMED)
    for (const text of cause) {
      const m = pattern.exec(text)
      if (!m?.[name]) continue
      const others = rankArtefacts(lines, cause).map(r => nameOf(r.a))
      return {
        name: m[name],
        from: null,
        to: m[version] ?? null,
        confidence: 0.5,
        others: others.filter(n => n !== m[name]).slice(0, 5),
      }
    }
  const direct = directOnPaths(lines)
  const [path] = direct
  if (path) return { name: path[0], from: null, to: path[1], confidence: 0.35, others: direct.slice(1, 6).map(([n]) => n) }
  const ranked = rankArtefacts(lines, cause)
  const [first, second] = ranked
  if (!first) return undefined
  const versions = [...first.a.versions].sort(compareVersions)
  const margin = second ? first.score / (first.score + second.score) : 0.8
  return {
    name: nameOf(first.a),
    from: versions.length > 1 ? (versions[0] as string) : null,
    to: versions.at(-1) ?? null,
    confidence: Math.round(100 * Math.min(0.6, 0.3 + 0.6 * (margin - 0.5))) / 100,
    others: ranked.slice(1, 6).map(r => nameOf(r.a)),
  }
}

const artefactsOf = (lines: readonly string[]): Artefact[] => {
  const all = new Map<string, Artefact>()
  const note = (group: string, artefact: string, version: string, jar: boolean) => {
    const plugin = /plugin/.test(artefact) || /\.plugins?\b/.test(group)
    const key = `${group}:${artefact}`
    const a = all.get(key) ?? { group, artefact, versions: new Set(), plugin, jar }
    a.versions.add(version)
    a.jar ||= jar
    all.set(key, a)
  }
  for (const text of lines) {
    if (text.length > 2000) continue
    if (text.includes('://')) {
      const m = REPOSITORY.exec(text)
      if (!m) continue
      const path = (m[1] as string).slice(0, -1).split('/')
      while (path.length > 1 && ROOTS.test(path[0] as string)) path.shift()
      note(path.join('.'), m[2] as string, m[3] as string, m[4] === 'jar')
    } else if (text.includes(':'))
      for (const m of text.matchAll(COORDINATES))
        if (!/\.(?:java|kt|scala|py|js|ts)$/.test(m[1] as string)) note(m[1] as string, m[2] as string, m[3] as string, false)
  }
  return [...all.values()]
}

const rankArtefacts = (lines: readonly string[], cause: readonly string[]): { a: Artefact; score: number }[] => {
  const all = artefactsOf(lines)
  const ours = new Set(cause.flatMap(text => words(SOURCE.exec(text)?.[1] ?? '')))
  const told = new Map<string, number>()
  const jars = new Map<string, string>()
  cause.forEach((text, i) => {
    if (RUNNER.test(text)) return
    for (const m of text.matchAll(JAR)) jars.set(m[1] as string, m[2] as string)
    const strong = LINKAGE.test(text) ? 3 : /^\s+at /.test(text) ? 0.5 : 1
    for (const m of text.replace(/\S+\.java:?\S*/g, '').matchAll(DOTTED))
      for (const w of words(m[0])) if (!COMMON.has(w) && !ours.has(w)) told.set(w, (told.get(w) ?? 0) + strong / (1 + i / 8))
  })
  const spread = new Map<string, number>()
  for (const a of all) for (const w of new Set(words(nameOf(a)))) spread.set(w, (spread.get(w) ?? 0) + 1)
  const text = cause.join('\n')
  return all
    .map(a => {
      const own = [...new Set(words(nameOf(a)))].filter(w => !COMMON.has(w))
      const hits = own.filter(w => told.has(w))
      let score = hits.reduce(
        (s, w) => s + Math.log1p(told.get(w) as number) * Math.log(1 + all.length / (spread.get(w) as number)),
        0,
      )
      score *= (hits.length + 0.3) / (own.length + 0.6)
      if (jars.has(a.artefact)) score += 12
      if (text.includes(nameOf(a))) score += a.plugin ? 1 : 6
      if (a.versions.size > 1) score *= 1.3
      if (!a.jar) score *= 0.5
      if ([...a.versions].every(v => v.endsWith('-SNAPSHOT'))) score *= 0.2
      if (a.plugin) score *= 0.35
      return { a, score }
    })
    .filter(r => r.score > 0)
    .sort((x, y) => y.score - x.score)
}
