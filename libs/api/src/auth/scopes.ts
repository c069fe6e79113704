import type { Scope } from '@aegis/authority'

/** Who may come in by which route, the first that fits; `open` for what logs people in. */
export type RouteScopes = readonly (readonly [methods: string, url: RegExp, scope: Scope | 'open'])[]

/** Undefined: no such route. HEAD is looked up as GET. */
export const scopeIn = (routes: RouteScopes, method: string, url: string): Scope | 'open' | undefined => {
  const wanted = method === 'HEAD' ? 'GET' : method
  return routes.find(([methods, pattern]) => methods.split(' ').includes(wanted) && pattern.test(url))?.[2]
}
/** Words of people, and what was found: the same wherever they are said or read. */
export const STATE_SCOPES: RouteScopes = [
  ['POST', /^\/api\/v1\/incidents\/:id\/(?:cause|fixes)$/, 'approve'],
  ['POST', /^\/api\/v1\/decisions\/:id\/approval$/, 'approve'],
  ['PUT', /^\/api\/v1\/controls\/:environment$/, 'control'],
  ['POST DELETE', /^\/api\/v1\/session$/, 'open'],
  ['GET', /^\/(?:login|openapi\.json)$/, 'open'],
  ['GET', /^\/$/, 'read'],
  ['GET', /^\/api\/v1\//, 'read'],
]
/** Routes whose bodies are words of people, in JSON; what machines send has many types. */
export const isSaid = (scope: Scope | 'open'): boolean => scope === 'approve' || scope === 'control' || scope === 'admin'
