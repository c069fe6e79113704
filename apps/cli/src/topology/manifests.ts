/** Kubernetes manifests of a file, a folder or a kustomization, as documents. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { AegisError, type AegisError as Problem } from '@aegis/domain'
import { get, isDoc, listOf, textOf } from '@aegis/domain/document'
import { kustomizationIn, renderKustomization } from './kustomize.ts'
import { documentsIn, readText, renderedFrom, Unrendered } from './read-yaml.ts'

export interface Manifests {
  readonly documents: readonly unknown[]
  readonly notes: readonly string[]
}
const chartAt = (folder: string) => existsSync(path.join(folder, 'Chart.yaml'))
const helm = (folder: string) =>
  new Unrendered(folder, 'a Helm chart', `helm template ${path.basename(path.resolve(folder))} ${folder}`)
/** Folders of other tools, with what makes manifests of them. */
const TOOLS: readonly (readonly [file: string, what: string, command: (folder: string) => string])[] = [
  ['helmfile.yaml', 'a Helmfile', f => `helmfile -f ${f}/helmfile.yaml template`],
  ['skaffold.yaml', 'a Skaffold project', f => `skaffold render -f ${f}/skaffold.yaml`],
  ['Pulumi.yaml', 'a Pulumi program', f => `pulumi -C ${f} stack export (with renderYamlToDirectory set)`],
  ['jsonnetfile.json', 'a Jsonnet project', f => `tk show ${f} --dangerous-allow-redirect`],
]
const SKIPPED = /^(\.git|node_modules|\.terraform|vendor)$/

/** @param where a file or a folder */
export const readManifests = (where: string): Manifests => {
  if (!existsSync(where)) throw new AegisError('INPUT_INVALID', `${where} cannot be read`)
  if (!statSync(where).isDirectory()) {
    const folder = path.dirname(where)
    // A template that is named alone belongs to a chart all the same.
    const chart = [folder, path.dirname(folder)].find(chartAt)
    if (chart && path.basename(folder) === 'templates') throw helm(chart)
    if (/^kustomization\.ya?ml$/i.test(path.basename(where))) return readFolder(folder)
    const other = renderedFrom(where)
    if (other) throw other
    return { documents: documentsIn(where, readText(where)), notes: [] }
  }
  const above = [path.dirname(path.resolve(where)), path.dirname(path.dirname(path.resolve(where)))].find(chartAt)
  if (above && /^templates$/.test(path.basename(where))) throw helm(above)
  return readFolder(where)
}

const readFolder = (root: string): Manifests => {
  const documents: unknown[] = []
  const notes: string[] = []
  const problems: Problem[] = []
  const left = (problem: unknown) => {
    if (!(problem instanceof AegisError)) throw problem
    problems.push(problem)
  }
  const rendered: string[] = []
  const kustomized: string[] = []
  const visit = (folder: string): void => {
    if (chartAt(folder)) return left(helm(folder))
    const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    if (kustomizationIn(folder)) {
      kustomized.push(folder)
    } else {
      for (const e of entries) {
        const file = path.join(folder, e.name)
        const tool = TOOLS.find(([name]) => name === e.name)
        if (tool) left(new Unrendered(folder, tool[1], tool[2](folder)))
        else if (e.isFile() && renderedFrom(file)) left(renderedFrom(file))
        else if (e.isFile() && /\.(ya?ml|json)$/i.test(e.name))
          try {
            documents.push(...documentsIn(file, readText(file)))
          } catch (problem) {
            left(problem)
          }
      }
    }
    for (const e of entries) if (e.isDirectory() && !SKIPPED.test(e.name)) visit(path.join(folder, e.name))
  }
  visit(root)
  // A base is part of the overlays that name it; those that nobody names are what somebody deploys.
  const named = new Set(
    kustomized.flatMap(folder => {
      const file = kustomizationIn(folder)!
      const k = documentsIn(file, readText(file))[0]
      return [...listOf(get(k, 'resources')), ...listOf(get(k, 'bases')), ...listOf(get(k, 'components'))].map(r =>
        path.join(folder, textOf(r)),
      )
    }),
  )
  const tops = kustomizationIn(root) ? [root] : kustomized.filter(folder => !named.has(folder) && !isComponent(folder))
  for (const folder of tops)
    try {
      documents.push(...renderKustomization(folder, line => notes.push(line)))
      rendered.push(folder)
    } catch (problem) {
      left(problem)
    }
  if (rendered.length > 1) notes.push(`read together: ${rendered.join(', ')}; name one of them to read it alone`)
  const found =
    documents.some(d => isDoc(d) && (typeof d.kind === 'string' || d.services !== undefined)) || documents.some(Array.isArray)
  if (!found && problems.length > 0) throw problems.find(p => p instanceof Unrendered) ?? problems[0]
  if (!found) throw new AegisError('INPUT_INVALID', `${root}: no Kubernetes manifest (.yaml, .yml, .json) in it`)
  return { documents, notes: [...notes, ...problems.map(p => `left out: ${p.message}`)] }
}
const isComponent = (folder: string): boolean => {
  const file = kustomizationIn(folder)!
  return get(documentsIn(file, readText(file))[0], 'kind') === 'Component'
}
