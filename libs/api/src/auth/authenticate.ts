/** Who comes in: a key or token in the header, a session in the cookie, or nobody; and whether a browser was sent here by another site. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { hashOf, KeysFile, mayDo, mayTouch, type Principal, principalOf, SCOPES, type Scope } from '@aegis/authority'
import { BoundedMap, FatalError } from '@aegis/domain'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isSaid, type RouteScopes, scopeIn } from './scopes.ts'

export interface AuthOptions {
  /** The service that is called. */
  readonly name: string
  readonly routes: RouteScopes
  /** Where scripts of its pages may come from besides its own files, as a content security policy says it. */
  readonly scripts?: string
  readonly keysFile?: string
  readonly apiToken?: string
  /** What may be done without a key where keys are asked for. */
  readonly anonymousScopes: readonly Scope[]
  /** Names, besides those of this machine, under which browsers may call the service. */
  readonly allowedHosts: readonly string[]
  readonly authentication: 'on' | 'off'
  readonly listenHost: string
  readonly now: () => number
}
type Refuse = (request: FastifyRequest, reply: FastifyReply, status: number, message: string) => unknown

const SESSION_US = 12 * 3_600_000_000
const MOST_SESSIONS = 1000
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/
const withoutPort = (host: string): string => host.replace(/:\d+$/, '').toLowerCase()

const principals = new WeakMap<FastifyRequest, Principal>()
/** Who sent the request; people's words go under this name, whatever the body says. */
export const senderOf = (request: FastifyRequest): Principal =>
  principals.get(request) ?? { name: 'anonymous', scopes: [], environments: ['*'] }
/** Throws with status 403 where the sender is bound to other environments. */
export const checkEnvironment = (request: FastifyRequest, environment: string): void => {
  const sender = senderOf(request)
  if (!mayTouch(sender, environment))
    throw Object.assign(new Error(`${sender.name} is bound to ${sender.environments.join(', ')}, not to ${environment}`), {
      statusCode: 403,
    })
}

export class Authenticate {
  readonly #options: AuthOptions
  readonly #file: KeysFile | undefined
  readonly #sessions = new BoundedMap<string, { readonly secret: string; readonly until: number }>(MOST_SESSIONS)
  readonly #closed: boolean
  /** Cookies know no ports: each service that people log in to on one machine has its own. */
  readonly #cookie: string

  /** Throws CONFIG_INVALID where the service would stand open to the network. */
  constructor(options: AuthOptions) {
    this.#options = options
    this.#cookie = options.name === 'gateway' ? 'aegis_session' : `aegis_${options.name}_session`
    this.#file = options.keysFile ? new KeysFile(options.keysFile) : undefined
    this.#closed = this.#file !== undefined || options.apiToken !== undefined
    if (!this.#closed && options.authentication === 'on' && !LOOPBACK.test(options.listenHost))
      throw new FatalError(
        'CONFIG_INVALID',
        `AEGIS_HOST is ${options.listenHost}, and nobody is asked who they are: set AEGIS_KEYS_FILE ("aegis keys add" writes it) or AEGIS_API_TOKEN; AEGIS_AUTHENTICATION=off where something in front of it asks`,
      )
  }

  /** Whose key or token it is; undefined for nobody's. */
  #who(secret: string): Principal | undefined {
    const { apiToken, now } = this.#options
    if (apiToken !== undefined && timingSafeEqual(Buffer.from(hashOf(apiToken)), Buffer.from(hashOf(secret))))
      return { name: 'api-token', scopes: SCOPES, environments: ['*'] }
    return this.#file && principalOf(this.#file.keys(), secret, now())
  }

  /** Whoever sends this header, for ways in that are not HTTP routes; undefined: refused. */
  byHeader(authorization: string | undefined, scope: Scope): Principal | undefined {
    const secret = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
    const sender = secret === undefined ? this.#nobody() : this.#who(secret)
    return sender && mayDo(sender, scope) ? sender : undefined
  }
  #nobody(): Principal {
    return { name: 'anonymous', scopes: this.#closed ? this.#options.anonymousScopes : SCOPES, environments: ['*'] }
  }

  #sender(request: FastifyRequest): Principal | undefined {
    const header = request.headers.authorization
    if (header !== undefined) {
      const secret = /^(?:Bearer|Token|Api-Key) +(\S+)$/i.exec(header)?.[1]
      // InfluxDB's and Prometheus' clients send user and password: the password is the key.
      const basic = /^Basic +(\S+)$/i.exec(header)?.[1]
      const given =
        secret ??
        (basic &&
          Buffer.from(basic, 'base64')
            .toString()
            .replace(/^[^:]*:/, ''))
      if (!this.#closed) return this.#nobody()
      return given ? this.#who(given) : undefined
    }
    const cookie = new RegExp(`(?:^|;\\s*)${this.#cookie}=([\\w-]+)`).exec(request.headers.cookie ?? '')?.[1]
    const session = cookie === undefined ? undefined : this.#sessions.get(hashOf(cookie))
    // The key is asked for again, so that a session ends with it.
    if (session && session.until > this.#options.now()) return this.#who(session.secret)
    return this.#nobody()
  }

  /** Every route after this is guarded; one without a scope throws while it is added. */
  guard(app: FastifyInstance, refuse: Refuse): void {
    const { name, routes } = this.#options
    const scripts = this.#options.scripts === undefined ? "'unsafe-inline'" : `${LOGIN_HASH} ${this.#options.scripts}`
    app.addHook('onRoute', route => {
      for (const method of [route.method].flat())
        if (scopeIn(this.#options.routes, method, route.url) === undefined)
          throw new FatalError('CONFIG_INVALID', `route ${method} ${route.url} has no scope`)
    })
    app.addHook('onRequest', async (request, reply) => {
      reply
        .header('x-content-type-options', 'nosniff')
        .header('x-frame-options', 'DENY')
        .header('referrer-policy', 'no-referrer')
        .header(
          'content-security-policy',
          `default-src 'self'; img-src 'self' data:; script-src 'self' ${scripts}; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'`,
        )
      const { host, origin, authorization } = request.headers
      // A page of another site can reach this machine by a name of its own (DNS rebinding), but cannot bring a key.
      if (authorization === undefined && !this.#isOurs(host ?? '')) {
        return refuse(
          request,
          reply,
          403,
          `the ${name} is not called ${String(host).slice(0, 100)}; AEGIS_ALLOWED_HOSTS names what it is called`,
        )
      }
      const changes = request.method !== 'GET' && request.method !== 'HEAD'
      if (changes && origin !== undefined && origin.replace(/^https?:\/\//, '').toLowerCase() !== host?.toLowerCase())
        return refuse(request, reply, 403, `pages of ${origin.slice(0, 100)} may change nothing here`)
      const scope = scopeIn(routes, request.method, request.routeOptions.url ?? '')
      if (scope === undefined) return
      if (
        (isSaid(scope) || request.routeOptions.url === '/api/v1/session') &&
        changes &&
        request.method !== 'DELETE' &&
        !/^application\/json\b/i.test(request.headers['content-type'] ?? '')
      )
        return refuse(request, reply, 403, 'content-type must be application/json')
      const sender = this.#sender(request)
      if (sender) principals.set(request, sender)
      if (scope === 'open') return
      if (sender && mayDo(sender, scope)) return
      if (request.routeOptions.url === '/') return reply.redirect('/login')
      if (!sender || sender.name === 'anonymous')
        return refuse(
          request,
          reply.header('www-authenticate', 'Bearer'),
          401,
          'a key is needed: authorization: Bearer KEY; "aegis keys add" makes one',
        )
      return refuse(
        request,
        reply,
        403,
        `${sender.name} may not: it needs ${scope} and has ${sender.scopes.join(', ') || 'nothing'}`,
      )
    })
  }
  #isOurs(host: string): boolean {
    const name = withoutPort(host)
    return LOOPBACK.test(name) || name === this.#options.listenHost.toLowerCase() || this.#options.allowedHosts.includes(name)
  }

  /** The page that logs a browser in, and what it asks. The key comes in the fragment of the link, which no browser sends. */
  routes(app: FastifyInstance): void {
    app.get('/login', { schema: { hide: true } }, (_request, reply) => reply.type('text/html').send(LOGIN))
    app.post(
      '/api/v1/session',
      { schema: { tags: ['session'], summary: 'Logs a browser in: { "key": … } for a cookie.' } },
      (request, reply) => {
        const key = /"key"\s*:\s*"([^"\\]{1,512})"/.exec((request.body as Buffer | undefined)?.toString() ?? '')?.[1]
        const sender = key === undefined ? undefined : this.#who(key)
        if (!sender) return reply.code(401).send({ message: 'that key is not known, or has expired' })
        const id = randomBytes(32).toString('base64url')
        this.#sessions.set(hashOf(id), { secret: key as string, until: this.#options.now() + SESSION_US })
        return reply
          .header('set-cookie', `${this.#cookie}=${id}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${SESSION_US / 1e6}`)
          .send({ name: sender.name, scopes: sender.scopes })
      },
    )
    app.delete('/api/v1/session', { schema: { tags: ['session'], summary: 'Logs the browser out.' } }, (request, reply) => {
      const cookie = new RegExp(`(?:^|;\\s*)${this.#cookie}=([\\w-]+)`).exec(request.headers.cookie ?? '')?.[1]
      if (cookie) this.#sessions.delete(hashOf(cookie))
      return reply.header('set-cookie', `${this.#cookie}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0`).code(204).send()
    })
  }
}

const LOGIN_SCRIPT = `
const go=async key=>{const r=await fetch('/api/v1/session',{method:'POST',headers:{'content-type':'application/json'},body:JSON.stringify({key})});if(r.ok)location.replace('/');else document.getElementById('m').textContent=(await r.json()).message}
document.getElementById('f').onsubmit=e=>{e.preventDefault();go(document.getElementById('k').value)}
if(location.hash.length>1){const key=location.hash.slice(1);history.replaceState(null,'','/login');go(key)}
`
const LOGIN = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Aegis: log in</title><style>:root{color-scheme:light dark}</style></head><body style="font:16px system-ui;margin:4rem auto;max-width:40rem;padding:0 1rem">
<main><h1 style="font-size:1.3rem">Log in to Aegis</h1><form id="f"><label>Key <input id="k" type="password" size="40" style="max-width:100%" autocomplete="current-password"></label> <button>Log in</button></form><p id="m" role="alert"></p><p>"aegis up" prints a link that logs you in; "aegis keys add" makes a key.</p></main>
<script>${LOGIN_SCRIPT}</script></body></html>`
/** What lets just this script run, and no other, as a content security policy says it. */
export const hashOfScript = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const LOGIN_HASH = hashOfScript(LOGIN_SCRIPT)
