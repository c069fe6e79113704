// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of other tools
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { interpolate, variablesIn } from './compose-project.ts'
import { READERS } from './readers.ts'

let folder = ''
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const files = (of: Record<string, string>) => {
  folder = mkdtempSync(path.join(tmpdir(), 'aegis-described-'))
  for (const [name, text] of Object.entries(of)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), text)
  }
  return folder
}
const read = (format: string, where: string) => {
  const system = READERS[format](where)
  return { ...system, pairs: system.edges.map(e => `${e.from.replace(/^\w+:/, '')} ${e.to.replace(/^\w+:/, '')}`).sort() }
}
const workload = (name: string, env = '', kind = 'Deployment') =>
  `kind: ${kind}\nmetadata: {name: ${name}}\nspec: {template: {spec: {containers: [{name: main, image: ${name}, env: [${env}]}]}}}\n`

describe('variables of compose', () => {
  it.each([
    ['$A ${A} $$A', '1 1 $A'],
    ['${B:-x} ${B-x} ${E:-x} ${E-x}', 'x x x '],
    ['${B:-http://${A}:80}', 'http://1:80'],
    ['${A:+set} ${B:+set} ${A:?must}', 'set  1'],
    ['cost: 5$', 'cost: 5$'],
  ])('%s', (text, filled) => {
    expect(
      interpolate(
        text,
        new Map([
          ['A', '1'],
          ['E', ''],
        ]),
      ),
    ).toBe(filled)
  })
  it('come from files with quotes, comments and each other', () => {
    const found = variablesIn('# no\nexport A=1 # why\nB="two ${A}"\r\nC=\'$A\'\nD=\n')
    expect(Object.fromEntries(found)).toEqual({ A: '1', B: 'two 1', C: '$A', D: '' })
  })
})

it('a compose project is put together as docker compose does', () => {
  const where = files({
    'compose.yaml': `
x-common: &common
  environment: &env {CACHE: "redis://\${CACHE_NAME:-kv}:6379"}
include: [parts/queue.yaml, gone.yaml]
services:
  web:
    <<: *common
    image: web
    env_file: [{path: web.env}, {path: none.env, required: false}]
  api: {extends: {file: base.yaml, service: api}, image: api, environment: {<<: *env, ORDERS_URL: "http://\${ORDERS}"}}
  proxy: {image: nginx, volumes: ["./nginx.conf:/etc/nginx/nginx.conf:ro"]}
  orders: {image: orders}
  kv: {image: redis}
`,
    'compose.override.yaml': 'services: {orders: {environment: ["BROKER=queue:9092"]}}',
    'base.yaml': 'services: {api: {environment: [AUTH_HOST=auth], depends_on: [kv]}}',
    'parts/queue.yaml': 'services: {queue: {image: kafka}, auth: {image: auth}}',
    'web.env': 'API_URL="http://api:80"\n',
    'nginx.conf': 'location / { proxy_pass http://web:8080; }\n# server orders;\n',
    '.env': 'ORDERS=orders\n',
  })
  const system = read('compose', where)
  expect(system.pairs).toEqual(['api auth', 'api kv', 'api orders', 'orders queue', 'proxy web', 'web api', 'web kv'])
  expect(system.notes.join('\n')).toMatch(
    /none.env is not there[\s\S]*gone.yaml is not there|gone.yaml is not there[\s\S]*none.env is not there/,
  )
  expect(read('compose', path.join(where, 'compose.yaml')).pairs).not.toContain('orders queue')
})

describe('kustomizations', () => {
  const base = {
    'base/kustomization.yaml':
      'resources: [web.yaml, pay.yaml]\nconfigMapGenerator: [{name: hosts, literals: [PAY_URL=http://pay:80]}]\n',
    'base/web.yaml':
      'kind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: main, image: web, envFrom: [{configMapRef: {name: hosts}}]}]}}}\n',
    'base/pay.yaml': workload('pay'),
  }
  it('are rendered: bases, generators, patches and namespaces', () => {
    const where = files({
      ...base,
      'prod/kustomization.yaml':
        'resources: [../base, cache.yaml]\nnamespace: prod\npatches: [{path: more.yaml}, {target: {kind: Deployment, name: pay}, patch: "- {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: C, value: \'cache:6379\'}}"}]\n',
      'prod/cache.yaml': workload('cache'),
      'prod/more.yaml': workload('web', '{name: D, value: "cache:6379"}').replace('image: web, ', ''),
    })
    expect(read('k8s', path.join(where, 'prod')).pairs).toEqual(['pay cache', 'web cache', 'web pay'])
    expect(read('k8s', where).pairs).toEqual(['pay cache', 'web cache', 'web pay'])
  })
  it('say what is not carried out here, and what does it', () => {
    const where = files({
      ...base,
      'base/kustomization.yaml': 'resources: [web.yaml, pay.yaml, "https://example.org/x"]\nhelmCharts: [{name: c}]\n',
    })
    expect(read('k8s', path.join(where, 'base')).notes.join('\n')).toMatch(
      /example\.org\/x is not there[\s\S]*helmCharts .* kubectl kustomize/,
    )
  })
})

describe('what must be rendered first is named with what renders it', () => {
  it.each([
    [
      'a folder of a chart',
      { 'c/Chart.yaml': 'name: c', 'c/templates/a.yaml': 'kind: {{ .Values.x }}' },
      'c',
      'helm template c ',
    ],
    [
      'a template of a chart',
      { 'c/Chart.yaml': 'name: c', 'c/templates/a.yaml': 'a: 1' },
      'c/templates/a.yaml',
      'helm template c ',
    ],
    [
      'a template without its chart',
      { 'a.yaml': '{{- if .Values.x }}\nkind: Pod\n{{- end }}' },
      'a.yaml',
      'helm template RELEASE',
    ],
    ['names that parse as maps', { 'a.yaml': workload('{{ name }}') }, 'a.yaml', 'jinja2 '],
    [
      'images in quotes',
      { 'a.yaml': workload('a').replace('image: a', 'image: "{{ .Values.image }}"') },
      'a.yaml',
      'helm template',
    ],
    ['Jinja', { 'a.yaml': '{% for x in y %}\nkind: Pod\n{% endfor %}' }, 'a.yaml', 'jinja2 '],
    [
      'ytt',
      { 'a.yaml': workload('#@ data.values.name\n  ').replace('{name: ', '\n  name: ').replace('}\nspec', '\nspec') },
      'a.yaml',
      'ytt -f ',
    ],
    ['ERB', { 'a.yaml': '<% x %>\nkind: Pod: a' }, 'a.yaml', 'erb '],
    ['variables', { 'a.yaml': 'kind: Pod\nmetadata:\n  name: ${NAME}\n' }, 'a.yaml', 'envsubst < '],
    ['Jsonnet', { 'a.jsonnet': '{}' }, '.', 'jsonnet -y '],
    ['a Helmfile', { 'helmfile.yaml': 'releases: []' }, '.', 'helmfile '],
  ])('%s', (_, of, at, command) => {
    const where = files(of)
    expect(() => READERS.k8s(path.join(where, at))).toThrow(command)
  })
  it('beside manifests, which are read all the same', () => {
    const where = files({
      'a.yaml': workload('a', '{name: B, value: "http://b"}'),
      'b.yaml': workload('b'),
      'c/Chart.yaml': '',
      'd.yaml': 'x: [',
    })
    const system = read('k8s', where)
    expect(system.pairs).toEqual(['a b'])
    expect(system.notes.join('\n')).toMatch(/left out: .*d\.yaml[\s\S]*helm template c|helm template c[\s\S]*d\.yaml/)
  })
  it('texts with braces in the data of a ConfigMap are no templates', () => {
    const map = 'kind: ConfigMap\nmetadata: {name: rules}\ndata: {text: "{{ $labels.pod }} is down"}\n'
    expect(read('k8s', files({ 'a.yaml': `${map}---\n${workload('a')}` })).entities).toEqual(['service:a'])
  })
})
