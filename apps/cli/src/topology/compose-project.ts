/**
 * A compose project as `docker compose config` puts it together (https://github.com/compose-spec/compose-spec): variables from `.env` with their
 * defaults, `include`, `extends`, override files and `env_file`. The environment of whoever asks is not used: two people read the same system.
 */
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { AegisError } from '@aegis/domain'
import { type Doc, get, isDoc, listOf, textOf } from '@aegis/domain/document'
import { pairsOf } from '@aegis/root-cause'
import { documentsIn, readText } from './read-yaml.ts'

type Variables = ReadonlyMap<string, string>
const NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml']
/** Settings mounted into a service are read up to this size, bytes. */
const MAX_FILE = 1 << 18

/** `$A`, `${A}`, `${A:-b}`, `${A-b}`, `${A:+b}`, `${A:?why}`, nested, and `$$` for a dollar. */
export const interpolate = (text: string, variables: Variables): string => {
  let out = ''
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '$') {
      out += text[i]
      continue
    }
    if (text[i + 1] === '$') {
      out += '$'
      i++
      continue
    }
    if (text[i + 1] !== '{') {
      const name = /^[A-Za-z_]\w*/.exec(text.slice(i + 1))?.[0]
      out += name ? (variables.get(name) ?? '') : '$'
      i += name?.length ?? 0
      continue
    }
    let depth = 0
    let end = i + 1
    for (; end < text.length; end++) {
      if (text[end] === '{') depth++
      if (text[end] === '}' && --depth === 0) break
    }
    const [, name = '', colon = '', sign = '', rest = ''] = /^([A-Za-z_]\w*)(:?)([-?+]?)(.*)$/s.exec(text.slice(i + 2, end)) ?? []
    const value = variables.get(name)
    const set = value !== undefined && !(colon && value === '')
    if (sign === '-') out += set ? value : interpolate(rest, variables)
    else if (sign === '+') out += set ? interpolate(rest, variables) : ''
    else out += value ?? ''
    i = end
  }
  return out
}
const filled = (value: unknown, variables: Variables): unknown => {
  if (typeof value === 'string') return value.includes('$') ? interpolate(value, variables) : value
  if (Array.isArray(value)) return value.map(v => filled(v, variables))
  return isDoc(value) ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, filled(v, variables)])) : value
}

/** A file of variables: comments, `export`, quotes; single quotes keep dollars. */
export const variablesIn = (text: string, known: Variables = new Map()): Map<string, string> => {
  const found = new Map<string, string>()
  for (const m of text.matchAll(
    /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*[=:][ \t]*(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|([^\r\n]*?))[ \t]*(?:#.*)?\r?$/gm,
  )) {
    const [, name, single, double, plain] = m
    const all = new Map([...known, ...found])
    const raw =
      double?.replace(/\\(["\\nt])/g, (_, c) => ({ n: '\n', t: '\t' })[c as 'n'] ?? c) ?? plain?.replace(/\s+#.*$/, '') ?? ''
    found.set(name, single ?? interpolate(raw, all))
  }
  return found
}

/** What a later file or an extending service adds: mappings by key, lists behind each other, a command replaced. */
const merged = (a: unknown, b: unknown, key = ''): unknown => {
  if (b === undefined) return a
  if (a === undefined || b === null) return b
  if (key === 'environment' || key === 'labels') return Object.fromEntries([...pairsOf(a), ...pairsOf(b)])
  if (key === 'depends_on' && (isDoc(a) || isDoc(b))) return { ...asNeeds(a), ...asNeeds(b) }
  if (isDoc(a) && isDoc(b))
    return Object.fromEntries([...new Set([...Object.keys(a), ...Object.keys(b)])].map(k => [k, merged(a[k], b[k], k)]))
  if (key === 'command' || key === 'entrypoint') return b
  return Array.isArray(a) && Array.isArray(b) ? [...a, ...b] : b
}
const asNeeds = (needs: unknown): Doc => (isDoc(needs) ? needs : Object.fromEntries(listOf(needs).map(n => [textOf(n), {}])))

interface Loaded {
  readonly services: Readonly<Record<string, Doc>>
  readonly configs: Doc
}
const filesUnder = (value: unknown): string[] =>
  (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(v => textOf(get(v, 'path')) || textOf(v))

const load = (files: readonly string[], given: Variables, notes: string[], seen: readonly string[]): Loaded => {
  let all: unknown = {}
  for (const file of files) {
    const folder = path.dirname(file)
    const document = filled(documentsIn(file, readText(file))[0], given)
    if (isDoc(document) && typeof document.kind === 'string')
      throw new AegisError('INPUT_INVALID', `${file} is a Kubernetes manifest: read it as k8s`)
    const plain = isDoc(document) && document.services === undefined && document.include === undefined
    const services = Object.entries((plain ? document : get(document, 'services')) ?? {}).filter(
      ([k, s]) => isDoc(s) && !k.startsWith('x-'),
    )
    const resolved = Object.fromEntries(
      services.map(([name, s]) => [name, withExtends(s as Doc, file, services, given, notes, [name])]),
    )
    for (const entry of listOf(get(document, 'include'))) {
      const parts = filesUnder(isDoc(entry) ? entry.path : entry).map(f => path.resolve(folder, f))
      const missing = parts.find(f => !existsSync(f) && !seen.includes(f))
      if (missing) notes.push(`${file}: include ${path.relative(folder, missing)} is not there, left out`)
      const present = parts.filter(f => existsSync(f) && !seen.includes(f))
      if (present.length === 0) continue
      const home = textOf(get(entry, 'project_directory'))
        ? path.resolve(folder, textOf(get(entry, 'project_directory')))
        : path.dirname(present[0])
      const own = filesUnder(get(entry, 'env_file')).map(f => path.resolve(folder, f))
      const variables = new Map([...variablesOfFiles(own.length > 0 ? own : [path.join(home, '.env')]), ...given])
      all = merged(all, load(present, variables, notes, [...seen, ...files]))
    }
    all = merged(all, { services: resolved, configs: absolute(get(document, 'configs'), folder), secrets: {} })
  }
  return all as Loaded
}
const absolute = (configs: unknown, folder: string): Doc =>
  Object.fromEntries(
    Object.entries(isDoc(configs) ? configs : {}).map(([k, c]) => [
      k,
      textOf(get(c, 'file')) ? { file: path.resolve(folder, textOf(get(c, 'file'))) } : c,
    ]),
  )
const variablesOfFiles = (files: readonly string[]): Map<string, string> => {
  const found = new Map<string, string>()
  for (const file of files)
    if (existsSync(file) && statSync(file).isFile()) for (const [k, v] of variablesIn(readText(file), found)) found.set(k, v)
  return found
}

/** A service with what it extends, its files of variables read and its mounted files told by whole paths. */
const withExtends = (
  service: Doc,
  file: string,
  services: readonly (readonly [string, unknown])[],
  given: Variables,
  notes: string[],
  seen: readonly string[],
): Doc => {
  const folder = path.dirname(file)
  const { extends: from, ...rest } = service
  const files = filesUnder(rest.env_file).map(f => path.resolve(folder, f))
  const missing = files.filter(f => !existsSync(f))
  if (missing.length > 0)
    notes.push(`${file}: env_file ${missing.map(f => path.relative(folder, f)).join(', ')} is not there, left out`)
  const volumes = listOf(rest.volumes).map(v =>
    typeof v === 'string' && /^\.{0,2}\//.test(v)
      ? path.resolve(folder, v.split(':')[0])
      : isDoc(v) && v.type === 'bind'
        ? path.resolve(folder, textOf(v.source))
        : '',
  )
  const own: Doc = {
    ...rest,
    // A key without a value is taken from the project's variables.
    environment: Object.fromEntries([
      ...variablesOfFiles(files),
      ...pairsOf(rest.environment).map(([k, v]) => [k, v === '' ? (given.get(k) ?? '') : v]),
    ]),
    volumes: volumes.filter(Boolean),
  }
  if (from === undefined) return own
  const name = textOf(get(from, 'service')) || textOf(from)
  const other = textOf(get(from, 'file'))
  const where = other ? path.resolve(folder, other) : file
  if (other && !existsSync(where)) {
    notes.push(`${file}: extends ${other} is not there, left out`)
    return own
  }
  const document = other ? filled(documentsIn(where, readText(where))[0], given) : undefined
  const pool = other ? Object.entries((get(document, 'services') ?? document ?? {}) as object) : services
  const base = pool.find(([k]) => k === name)?.[1]
  if (!isDoc(base) || seen.includes(`${where} ${name}`)) return own
  return merged(withExtends(base, where, pool, given, notes, [...seen, `${where} ${name}`]), own) as Doc
}

export interface ComposeProject {
  readonly document: Doc
  readonly profiles: readonly string[]
  readonly filesOf: (service: unknown) => readonly string[]
  readonly notes: readonly string[]
}
/** @param where a compose file, or a folder that holds one (with its override file, as `docker compose` takes it) */
export const readComposeProject = (where: string): ComposeProject => {
  if (!existsSync(where)) throw new AegisError('INPUT_INVALID', `${where} cannot be read`)
  const folder = statSync(where).isDirectory() ? where : path.dirname(where)
  const dotEnv = variablesOfFiles([path.join(folder, '.env')])
  let files = [where]
  if (folder === where) {
    const named = dotEnv.get('COMPOSE_FILE')?.split(dotEnv.get('COMPOSE_PATH_SEPARATOR') ?? ':')
    const main = NAMES.find(name => existsSync(path.join(folder, name)))
    const override =
      main && ['.yaml', '.yml'].map(e => main.replace(/\.ya?ml$/, `.override${e}`)).find(f => existsSync(path.join(folder, f)))
    files = (named ?? [main, override]).flatMap(f => (f ? [path.join(folder, f)] : []))
    if (files.length === 0) throw new AegisError('INPUT_INVALID', `${where}: no ${NAMES.join(', ')} in it; name the compose file`)
  }
  const notes: string[] = []
  const { services = {}, configs = {} } = load(
    files.map(f => path.resolve(f)),
    dotEnv,
    notes,
    [],
  )
  const filesOf = (service: unknown): string[] => {
    const named = listOf(get(service, 'configs')).map(c => get(configs, textOf(get(c, 'source')) || textOf(c)))
    const texts = named.map(c => textOf(get(c, 'content'))).filter(Boolean)
    const paths = [...named.map(c => textOf(get(c, 'file'))), ...listOf(get(service, 'volumes')).map(textOf)].filter(Boolean)
    return [
      ...texts,
      ...paths
        .filter(p => existsSync(p) && statSync(p).isFile() && statSync(p).size <= MAX_FILE)
        .map(readText)
        .filter(t => !t.includes('\0')),
    ]
  }
  const profiles = (dotEnv.get('COMPOSE_PROFILES') ?? '')
    .split(',')
    .map(p => p.trim())
    .filter(Boolean)
  return { document: { services }, profiles, filesOf, notes }
}
