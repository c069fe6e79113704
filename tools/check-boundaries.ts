/**
 * Reads every import and holds it against who may know whom: domain <- algorithm libraries <- services, domain <- runtime <- services;
 * algorithm libraries and runtime never meet, no library imports a service, no service another (the command line and the tests assemble
 * them), Kafka's client stays inside the runtime, and stages and algorithms use no clock and no randomness of their own.
 */
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const ALGORITHMS = ['log-mining', 'anomaly-detection', 'root-cause', 'remediation']
const problems: string[] = []

const packageOf = (file: string): { kind: string; name: string } => {
  const [kind, name] = file.split('/')
  return { kind, name }
}
const allowed = (from: { kind: string; name: string }, file: string, target: string, typeOnly: boolean): string | undefined => {
  const isTest = /\.(test|contract)\.ts$/.test(file)
  if (from.kind === 'libs') {
    if (from.name === 'domain') return 'the domain depends on nothing'
    if (target === 'domain') return undefined
    return `a library may know the domain only, not ${target}`
  }
  if (from.kind === 'services') {
    if (from.name === 'cli') return undefined
    if (['domain', ...ALGORITHMS].includes(target)) return undefined
    if (target === 'runtime')
      return isTest || typeOnly || /\/(main|service)\.ts$/.test(file)
        ? undefined
        : 'of a service’s files only main.ts and service.ts may import the runtime (types apart)'
    return `no service may import another: ${target}`
  }
  return undefined
}

for (const file of globSync(['libs/*/src/**/*.ts', 'services/*/src/**/*.ts', 'deploy/demo-shop/src/**/*.ts'], { cwd: root })) {
  const text = readFileSync(path.join(root, file), 'utf8')
  const from = packageOf(file)
  const isTest = /\.(test|contract)\.ts$/.test(file)
  for (const m of text.matchAll(
    /^\s*(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]|import\(['"]([^'"]+)['"]\)/gms,
  )) {
    const specifier = m[2] ?? m[3]
    const line = text.slice(0, m.index).split('\n').length
    const say = (problem: string) => problems.push(`${file}:${line} imports ${specifier}: ${problem}`)
    if (/^kafkajs|^@platformatic\/kafka/.test(specifier) && !(from.kind === 'libs' && from.name === 'runtime'))
      say('Kafka’s client stays inside libs/runtime')
    if (specifier.startsWith('@aegis/')) {
      const target = specifier.slice('@aegis/'.length).split('/')[0]
      if (from.kind === 'deploy') say('the shop knows nothing of Aegis')
      else if (target !== from.name) {
        const problem = allowed(from, file, target, Boolean(m[1]))
        if (problem) say(problem)
      }
    } else if (specifier.startsWith('.')) {
      const target = packageOf(path.relative(root, path.resolve(root, path.dirname(file), specifier)))
      if (target.kind !== from.kind || target.name !== from.name) say('reaches into another package by path')
    }
  }
  const pure = !isTest && ((from.kind === 'libs' && from.name !== 'runtime') || (from.kind === 'services' && from.name !== 'cli'))
  if (pure) {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    for (const m of code.matchAll(/Date\.now\(|Math\.random\(|new Date\(\)/g))
      problems.push(`${file} uses ${m[0]}: time and randomness are handed in, or replays would differ`)
  }
}
if (problems.length > 0) {
  console.error(problems.join('\n'))
  process.exitCode = 1
} else console.log('boundaries hold')
