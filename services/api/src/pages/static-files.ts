/** The console and the documents: files read once, with a hash as their tag, from the packages they come in. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}
export interface Page {
  readonly type: string
  readonly bytes: Buffer
  readonly gzip: Buffer
  readonly brotli: Buffer
  readonly tag: string
}
const pageOf = (name: string, bytes: Buffer): Page => ({
  type: TYPES[path.extname(name)] ?? 'application/octet-stream',
  bytes,
  gzip: gzipSync(bytes, { level: 9 }),
  brotli: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  tag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
})
const folderOf = (resolve: string): string => path.dirname(createRequire(import.meta.url).resolve(resolve))

/** Every file of the console by its address. */
export const consoleFiles = (): Map<string, Page> => {
  const folder = path.join(folderOf('@aegis/console/package.json'), 'public')
  const found = new Map<string, Page>()
  for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue
    const full = path.join(file.parentPath, file.name)
    found.set(`/console/${path.relative(folder, full).split(path.sep).join('/')}`, pageOf(file.name, readFileSync(full)))
  }
  const { vendored } = JSON.parse(readFileSync(path.join(folder, '..', 'package.json'), 'utf8')) as {
    vendored: Record<string, string>
  }
  const from = createRequire(path.join(folder, '..', 'package.json'))
  for (const [name, place] of Object.entries(vendored)) {
    const [file, global] = place.split('#')
    const within = file.split('/').slice(file.startsWith('@') ? 2 : 1)
    // Their source maps are not here; what sets a global gives it out as a module.
    const text = readFileSync(path.join(packageFolder(from, file), ...within), 'utf8').replace(
      /\n?\/\/# sourceMappingURL=\S+\s*$/,
      '\n',
    )
    found.set(`/console/vendor/${name}`, pageOf(name, Buffer.from(global ? `${text}\nexport default ${global}\n` : text)))
  }
  return found
}
/** Folder of the package that a file such as `@scope/name/dist/file.js` is in, whatever its exports say. */
const packageFolder = (from: NodeJS.Require, file: string): string => {
  const name = file
    .split('/')
    .slice(0, file.startsWith('@') ? 2 : 1)
    .join('/')
  for (const place of from.resolve.paths(name) ?? [])
    try {
      readFileSync(path.join(place, name, 'package.json'))
      return path.join(place, name)
    } catch {
      // Not in this one.
    }
  throw new Error(`${name} is not installed: "npm install" brings it`)
}
/** The viewer of the OpenAPI document, which asks nobody on the network. */
const docsFiles = (): Map<string, Page> => {
  const folder = folderOf('swagger-ui-dist/package.json')
  const files = new Map<string, Page>(
    ['swagger-ui.css', 'swagger-ui-bundle.js'].map(
      name => [`/docs/${name}`, pageOf(name, readFileSync(path.join(folder, name)))] as const,
    ),
  )
  files.set('/docs', pageOf('docs.html', Buffer.from(DOCS)))
  files.set(
    '/docs/start.js',
    pageOf(
      'start.js',
      Buffer.from("SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null })\n"),
    ),
  )
  return files
}
const DOCS = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Aegis: API</title><link rel="icon" href="/console/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/docs/swagger-ui.css"></head><body><main id="docs"></main><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>`

const send = (request: FastifyRequest, reply: FastifyReply, page: Page): FastifyReply => {
  reply.header('etag', page.tag).header('cache-control', 'no-cache').header('vary', 'accept-encoding').type(page.type)
  if (request.headers['if-none-match'] === page.tag) return reply.code(304).send()
  const accepts = String(request.headers['accept-encoding'] ?? '')
  if (/\bbr\b/.test(accepts)) return reply.header('content-encoding', 'br').send(page.brotli)
  if (/\bgzip\b/.test(accepts)) return reply.header('content-encoding', 'gzip').send(page.gzip)
  return reply.send(page.bytes)
}
/** Addresses of the console's pages; which it is, the console reads off the address. */
export const PAGES = [
  '/',
  '/map',
  '/logs',
  '/metrics',
  '/decisions',
  '/changes',
  '/models',
  '/pipeline',
  '/settings',
  '/i/:id',
  '/d/:id',
] as const

export const staticRoutes = (app: FastifyInstance, console: Map<string, Page>): void => {
  const index = console.get('/console/index.html')
  if (!index) throw new Error('the console has no index.html')
  // Bundles of a megabyte are read when somebody looks at the documents.
  let docs: Map<string, Page> | undefined
  for (const url of PAGES) app.get(url, (request, reply) => send(request, reply, index))
  for (const [url, page] of console) app.get(url, (request, reply) => send(request, reply, page))
  for (const url of ['/docs', '/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/start.js'])
    app.get(url, (request, reply) => send(request, reply, (docs ??= docsFiles()).get(url) as Page))
}
