/**
 * Holds every import against who may know whom, and says where the house stands. With `--map` it draws the house.
 *
 * domain <- algorithm libraries (learning below the others) <- services <- apps, lab, tests; domain <- runtime <- services. Algorithm libraries and
 * runtime never meet, no library imports a service, no service another, nothing that runs imports the lab; no circles among files, nothing reaches
 * into another package by path; Kafka's client stays inside the runtime; and stages and algorithms use no clock and no randomness of their own.
 */
import { drawMap, unreachedLines } from './draw-house.ts'
import { circlesAmong, isTest, type Place, placeOf, readSources, type Source } from './read-imports.ts'

const FAMILY = ['log-mining', 'anomaly-detection', 'root-cause', 'remediation', 'build-analysis', 'drift-analysis', 'inference']

/** Who puts services together: the command line, the lab, the tests, the tools. */
const ASSEMBLES = ['apps', 'lab', 'test', 'tools']

const RANK: Readonly<Record<string, number>> = { tools: 0, lab: 1, apps: 2, test: 3 }

const objection = (from: Place, source: Source, to: Place, typeOnly: boolean): string | undefined => {
  const test = isTest(source.file)
  if (to.kind === 'lab') {
    if (['apps', 'lab', 'test'].includes(from.kind) || test) return undefined
    return 'what runs never imports the lab'
  }
  if (from.kind === 'deploy') return 'the shop knows nothing of Aegis'
  if (ASSEMBLES.includes(from.kind))
    return !test && ASSEMBLES.includes(to.kind) && RANK[to.kind] > RANK[from.kind]
      ? 'tools know no lab, the lab no app, an app no test'
      : undefined
  if (from.kind === 'libs') {
    if (to.kind !== 'libs') return 'no library imports a service'
    if (from.name === 'domain') return 'the domain depends on nothing'
    if (to.name === 'domain' || (['learning', 'model-registry'].includes(to.name) && FAMILY.includes(from.name))) return undefined
    if (from.name === 'model-registry' && to.name === 'learning') return undefined
    // What services that people call share: keys, and what the runtime hands a service.
    if (from.name === 'api' && (to.name === 'authority' || (to.name === 'runtime' && typeOnly))) return undefined
    return test && to.name === 'runtime'
      ? undefined
      : `libs/${from.name} may know the domain only${FAMILY.includes(from.name) ? ', learning and model-registry' : ''}`
  }
  if (to.kind !== 'libs') return 'no service may import another'
  if (to.name === 'runtime')
    return test || typeOnly || /\/(main|service)\.ts$/.test(source.file)
      ? undefined
      : 'of a service’s files only main.ts and service.ts may import the runtime (types apart)'
  return undefined
}

/** A file of its own process, started by its path: not known by import, and so no reach into another package. */
const sources = readSources()
const problems: string[] = []
for (const source of sources) {
  const from = placeOf(source.file)
  for (const { specifier, line, typeOnly, file } of source.imports) {
    const say = (problem: string) => problems.push(`${source.file}:${line} imports ${specifier}: ${problem}`)
    if (/^kafkajs|^@platformatic\/kafka/.test(specifier) && !['runtime', 'lab', 'test'].includes(from.name))
      say('Kafka’s client stays inside libs/runtime')
    if (!file) continue
    const to = placeOf(file)
    if (to.kind === from.kind && to.name === from.name) continue
    if (specifier.startsWith('.') && to.name !== 'tools') say('reaches into another package by path')
    const problem = objection(from, source, to, typeOnly)
    if (problem) say(problem)
  }
  const pure = !isTest(source.file) && ((from.kind === 'libs' && from.name !== 'runtime') || from.kind === 'services')
  if (pure)
    for (const m of source.text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '').matchAll(/Date\.now\(|Math\.random\(|new Date\(\)/g))
      problems.push(`${source.file} uses ${m[0]}: time and randomness are handed in, or replays would differ`)
}
for (const circle of circlesAmong(sources)) problems.push(`a circle: ${circle.join(' -> ')}`)
for (const { file, lines } of unreachedLines(sources).files)
  problems.push(`${file}: ${lines} lines that no service and no app reaches; they belong to lab/ or nowhere`)

if (process.argv.includes('--map')) console.log(drawMap(sources))
if (problems.length > 0) {
  console.error(problems.join('\n'))
  process.exitCode = 1
} else console.log('boundaries hold: no circle, no upward import, every library line reached by a service or in lab/')
