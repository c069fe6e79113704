/** YAML and JSON files as documents; a file that only becomes YAML when somebody renders it is named with the command that does. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { AegisError } from '@aegis/domain'
import { get, isDoc, listOf } from '@aegis/domain/document'
import { parseAllDocuments } from 'yaml'

/** A file of a template, and what makes YAML of it. */
export class Unrendered extends AegisError {
  readonly what: string
  readonly command: string
  constructor(file: string, what: string, command: string) {
    super(
      'INPUT_INVALID',
      `${file} is ${what} and no YAML yet. Render it first: ${command} > rendered.yaml, then name rendered.yaml here`,
    )
    this.what = what
    this.command = command
  }
}

/** Marks of templates in a text, the most telling first. */
const TEMPLATES: readonly (readonly [mark: RegExp, what: string, command: (file: string) => string])[] = [
  [
    /\{\{-?\s*(?:\/\*|include|template|define|.*\.(?:Values|Release|Chart)\b)/,
    'a template of a Helm chart',
    f => `helm template RELEASE ${path.dirname(f)}`,
  ],
  [/\{%-?\s*\w+/, 'a Jinja template', f => `jinja2 ${f} values.yaml (or the Ansible template module)`],
  [/(^|\s)#@\s*\S|(^|\s)#@(overlay|data|schema|library)/m, 'a ytt template', f => `ytt -f ${f}`],
  [/<%[=-]?\s*\S/, 'an ERB template', f => `erb ${f}`],
  [/\{\{-?\s*(?:\.|\$|if|range|with|end)/, 'a Go template', f => `gomplate -f ${f} (or the tool it was written for)`],
  [/\{\{-?\s*\w+/, 'a template', f => `jinja2 ${f} values.yaml (or the tool it was written for)`],
]
const templateOf = (file: string, text: string): Unrendered | undefined => {
  const found = TEMPLATES.find(([mark]) => mark.test(text))
  return found && new Unrendered(file, found[1], found[2](file))
}
/** Files that people keep beside manifests in other languages. */
const LANGUAGES: Readonly<Record<string, (file: string) => string>> = {
  '.jsonnet': f => `jsonnet -y ${f}`,
  '.cue': f => `cue export --out yaml ${f}`,
  '.j2': f => `jinja2 ${f} values.yaml`,
  '.tpl': f => `gomplate -f ${f}`,
  '.gotmpl': f => `gomplate -f ${f}`,
  '.tmpl': f => `gomplate -f ${f}`,
  '.erb': f => `erb ${f}`,
  '.dhall': f => `dhall-to-yaml --file ${f}`,
}
export const renderedFrom = (file: string): Unrendered | undefined => {
  const command = LANGUAGES[path.extname(file)]
  return command && new Unrendered(file, `written in another language (${path.extname(file)})`, command(file))
}

/** An object whose name or containers still hold the marks of a template. */
const isUnrendered = (d: unknown): boolean => {
  if (!isDoc(d) || typeof d.kind !== 'string' || d.kind === 'Template') return false
  const name = get(d, 'metadata', 'name')
  const spec =
    get(d, 'spec', 'template', 'spec') ??
    get(d, 'spec', 'jobTemplate', 'spec', 'template', 'spec') ??
    (d.kind === 'Pod' ? d.spec : undefined)
  const telling = [
    name,
    ...listOf(get(spec, 'containers')).flatMap(c => [get(c, 'image'), ...listOf(get(c, 'env')).map(v => get(v, 'value'))]),
  ]
  if (name === null || isDoc(name) || (typeof name === 'string' && /\$[{(]\w+[})]/.test(name))) return true
  return telling.some(v => isDoc(v) || (typeof v === 'string' && /\{\{|\{%|<%/.test(v)))
}

export const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new AegisError('INPUT_INVALID', `${file} cannot be read`)
  }
}
/** The documents of a text. Merge keys are resolved, as the tools do that these files are for. */
export const documentsIn = (file: string, text: string): unknown[] => {
  const parsed = [...parseAllDocuments(text, { merge: true, uniqueKeys: false, logLevel: 'error' })]
  const error = parsed.flatMap(d => d.errors)[0]
  if (error) {
    const template = templateOf(file, text)
    if (template) throw template
    throw new AegisError('INPUT_INVALID', `${file}: ${error.message.split('\n')[0]}`)
  }
  const documents = parsed.map(d => d.toJS({ maxAliasCount: -1 }) as unknown)
  if (documents.some(isUnrendered))
    throw templateOf(file, text) ?? new Unrendered(file, 'a template with variables', `envsubst < ${file}`)
  return documents
}
