/** What `kubectl kustomize` makes of a folder, as far as it tells who calls whom: resources, generators, patches, names. Pure but for reading files. */
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { type Doc, get, isDoc, listOf, textOf } from '@aegis/domain/document'
import { pairsOf } from '@aegis/root-cause'
import { parse } from 'yaml'
import { documentsIn, readText } from './read-yaml.ts'

type Tree = Record<string, unknown>
const NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']
export const kustomizationIn = (folder: string): string | undefined =>
  NAMES.map(name => path.join(folder, name)).find(file => existsSync(file))

/** Lists whose members have a name are merged by it, as Kubernetes merges containers, variables and volumes. */
const merged = (target: unknown, patch: unknown): unknown => {
  if (isDoc(target) && isDoc(patch)) {
    if (patch.$patch === 'replace') return patch
    const out: Tree = { ...target }
    for (const [k, v] of Object.entries(patch))
      if (v === null) delete out[k]
      else out[k] = merged(out[k], v)
    return out
  }
  if (Array.isArray(target) && Array.isArray(patch)) {
    const idOf = (v: unknown) => textOf(get(v, 'name')) || textOf(get(v, 'mountPath')) || textOf(get(v, 'containerPort'))
    if (!patch.every(v => isDoc(v) && (idOf(v) || v.$patch))) return patch
    const out = [...target]
    for (const p of patch as Doc[]) {
      const at = out.findIndex(v => idOf(v) === idOf(p))
      if (p.$patch === 'delete') out.splice(at, at < 0 ? 0 : 1)
      else if (at < 0) out.push(p)
      else out[at] = merged(out[at], p)
    }
    return out
  }
  return patch
}
/** RFC 6902: add, replace and remove. */
const patched = (target: Doc, operations: readonly unknown[]): Doc => {
  const out = structuredClone(target) as Tree
  for (const o of operations) {
    const keys = textOf(get(o, 'path'))
      .split('/')
      .slice(1)
      .map(k => k.replaceAll('~1', '/').replaceAll('~0', '~'))
    const last = keys.pop()
    const parent = get(out, ...keys) as Tree | unknown[] | undefined
    if (last === undefined || parent === undefined) continue
    const op = textOf(get(o, 'op'))
    if (Array.isArray(parent)) {
      const at = last === '-' ? parent.length : Number(last)
      if (op === 'add') parent.splice(at, 0, get(o, 'value'))
      else if (op === 'replace') parent[at] = get(o, 'value')
      else parent.splice(at, 1)
    } else if (op === 'remove') delete parent[last]
    else parent[last] = get(o, 'value')
  }
  return out
}

const nameIn = (d: unknown) => textOf(get(d, 'metadata', 'name'))
const isTarget = (d: Doc, target: unknown): boolean =>
  (['kind', 'group', 'version', 'namespace', 'name'] as const).every(key => {
    const wanted = textOf(get(target, key))
    const [version, group = ''] = textOf(d.apiVersion).split('/').reverse()
    const has = { kind: textOf(d.kind), group, version, namespace: textOf(get(d, 'metadata', 'namespace')), name: nameIn(d) }[key]
    return wanted === '' || new RegExp(`^(?:${wanted})$`).test(has)
  })
/** References to objects by name, by the member that holds them. */
const REFERENCES: Readonly<Record<string, readonly [kind: string, member: string]>> = {
  configMapKeyRef: ['ConfigMap', 'name'],
  configMapRef: ['ConfigMap', 'name'],
  configMap: ['ConfigMap', 'name'],
  secretKeyRef: ['Secret', 'name'],
  secretRef: ['Secret', 'name'],
  secret: ['Secret', 'secretName'],
  service: ['Service', 'name'],
  backend: ['Service', 'serviceName'],
}

/** @param note told of what is not done */
export const renderKustomization = (folder: string, note: (line: string) => void, seen: readonly string[] = []): Doc[] => {
  const file = kustomizationIn(folder)!
  const k = (documentsIn(file, readText(file))[0] ?? {}) as Doc
  const render = `kubectl kustomize ${folder}`
  const fileAt = (name: unknown) => path.join(folder, textOf(name))
  const docsAt = (name: unknown): Doc[] => {
    const at = fileAt(name)
    if (!existsSync(at)) {
      note(`${file}: ${textOf(name)} is not there, left out; ${render} reads it`)
      return []
    }
    if (!statSync(at).isDirectory()) return documentsIn(at, readText(at)).filter(isDoc)
    if (seen.includes(at) || !kustomizationIn(at)) return []
    return renderKustomization(at, note, [...seen, folder])
  }
  let docs = [...listOf(k.resources), ...listOf(k.bases)].flatMap(docsAt)
  for (const [key, kind] of [
    ['configMapGenerator', 'ConfigMap'],
    ['secretGenerator', 'Secret'],
  ] as const)
    for (const g of listOf(k[key])) {
      const read = (name: string) => (existsSync(fileAt(name)) ? readText(fileAt(name)) : '')
      const envs = [...listOf(get(g, 'envs')), get(g, 'env')].map(textOf).filter(Boolean)
      const data = Object.fromEntries([
        ...envs.flatMap(name =>
          read(name)
            .split(/\r?\n/)
            .flatMap(line => (/^\s*(#|$)/.test(line) ? [] : pairsOf([line]))),
        ),
        ...listOf(get(g, 'files')).map(f => {
          const [key2, from = key2] = textOf(f).split('=')
          return [path.basename(key2), read(from)] as const
        }),
        ...pairsOf(get(g, 'literals')),
      ])
      const made = { kind, metadata: { name: textOf(get(g, 'name')) }, [kind === 'Secret' ? 'stringData' : 'data']: data }
      const at = docs.findIndex(d => d.kind === kind && nameIn(d) === nameIn(made))
      if (at < 0) docs.push(made)
      else docs[at] = (textOf(get(g, 'behavior')) === 'replace' ? made : merged(docs[at], made)) as Doc
    }
  const textAt = (p: unknown) =>
    textOf(get(p, 'patch')) ||
    (get(p, 'path') !== undefined && existsSync(fileAt(get(p, 'path'))) ? readText(fileAt(get(p, 'path'))) : '')
  const apply = (patch: unknown, target?: unknown) => {
    if (Array.isArray(patch)) docs = docs.map(d => (isTarget(d, target) ? patched(d, patch) : d))
    else if (isDoc(patch)) {
      const whom = target ?? { kind: patch.kind, name: nameIn(patch) }
      const { metadata, ...rest } = patch
      docs =
        patch.$patch === 'delete'
          ? docs.filter(d => !isTarget(d, whom))
          : docs.map(d => (isTarget(d, whom) ? (merged(d, target ? rest : { ...rest, metadata }) as Doc) : d))
    }
  }
  for (const p of listOf(k.patchesStrategicMerge))
    for (const d of /\n/.test(textOf(p)) ? documentsIn(file, textOf(p)) : docsAt(p)) apply(d)
  for (const p of [...listOf(k.patches), ...listOf(k.patchesJson6902)]) {
    const text = textAt(p)
    if (text)
      for (const d of /^\s*-\s/.test(text) || text.trim().startsWith('[') ? [parse(text)] : documentsIn(file, text))
        apply(d, get(p, 'target'))
  }
  for (const c of listOf(k.components)) {
    const at = fileAt(c)
    const inner = existsSync(at) ? kustomizationIn(at) : undefined
    if (inner) {
      const component = documentsIn(inner, readText(inner))[0]
      docs.push(...listOf(get(component, 'resources')).flatMap(r => docsAt(path.join(textOf(c), textOf(r)))))
      for (const p of listOf(get(component, 'patches'))) {
        const text = textOf(get(p, 'patch')) || (get(p, 'path') ? readText(path.join(at, textOf(get(p, 'path')))) : '')
        if (text) apply(parse(text), get(p, 'target'))
      }
    }
  }
  for (const image of listOf(k.images)) {
    const [from, to] = [textOf(get(image, 'name')), textOf(get(image, 'newName'))]
    const walk = (v: unknown): unknown =>
      Array.isArray(v)
        ? v.map(walk)
        : isDoc(v)
          ? Object.fromEntries(
              Object.entries(v).map(([key, inner]) => [
                key,
                key === 'image' && to && textOf(inner).replace(/[:@].*$/, '') === from ? to : walk(inner),
              ]),
            )
          : v
    docs = docs.map(d => walk(d) as Doc)
  }
  const unread = ['helmCharts', 'helmChartInflationGenerator', 'generators', 'transformers', 'replacements', 'vars'].filter(
    key => listOf(k[key]).length > 0,
  )
  if (unread.length > 0)
    note(`${file}: ${unread.join(', ')} are not carried out here; ${render} > rendered.yaml does, then name rendered.yaml`)
  return renamed(docs, k)
}

const renamed = (docs: readonly Doc[], k: Doc): Doc[] => {
  const [prefix, suffix, namespace] = [textOf(k.namePrefix), textOf(k.nameSuffix), textOf(k.namespace)]
  const own = new Set(docs.map(d => `${textOf(d.kind)} ${nameIn(d)}`))
  const walk = (v: unknown): unknown => {
    if (Array.isArray(v)) return v.map(walk)
    if (!isDoc(v)) return v
    return Object.fromEntries(
      Object.entries(v).map(([key, inner]) => {
        const [kind, member] = REFERENCES[key] ?? []
        const name = member && textOf(get(inner, member))
        const next = walk(inner)
        return [key, name && own.has(`${kind} ${name}`) ? { ...(next as Tree), [member!]: prefix + name + suffix } : next]
      }),
    )
  }
  return docs.map(d => {
    const out = (prefix || suffix ? walk(d) : d) as Tree
    const metadata = { ...(out.metadata as Tree), name: prefix + nameIn(d) + suffix }
    return { ...out, metadata: namespace ? { ...metadata, namespace } : metadata }
  })
}
