import type { Scope } from '@aegis/authority'

/** Who may come in by which route; `open` for what logs people in. A route that is not named here keeps the gateway from starting. */
const ROUTES: readonly (readonly [methods: string, url: RegExp, scope: Scope | 'open'])[] = [
  ['POST', /^\/v1\/(?:logs|metrics|traces)$/, 'ingest'],
  ['POST', /^\/api\/v1\/(?:logs|observations|write)$/, 'ingest'],
  ['POST', /^\/(?:write|api\/v2\/write|query)$/, 'ingest'],
  ['GET', /^\/ping$/, 'open'],
  ['POST', /^\/api\/v1\/(?:changes|issues|alerts|topology)$/, 'detect'],
  ['POST', /^\/api\/v1\/incidents\/:id\/(?:cause|fixes)$/, 'approve'],
  ['POST', /^\/api\/v1\/decisions\/:id\/approval$/, 'approve'],
  ['PUT', /^\/api\/v1\/controls\/:environment$/, 'control'],
  ['POST DELETE', /^\/api\/v1\/session$/, 'open'],
  ['GET', /^\/(?:login|openapi\.json)$/, 'open'],
  ['GET', /^\/$/, 'read'],
  ['GET', /^\/api\/v1\//, 'read'],
]
/** HEAD is looked up as GET. */
export const scopeOf = (method: string, url: string): Scope | 'open' | undefined => {
  const wanted = method === 'HEAD' ? 'GET' : method
  return ROUTES.find(([methods, pattern]) => methods.split(' ').includes(wanted) && pattern.test(url))?.[2]
}
/** Routes whose bodies are words of people, in JSON; what machines send has many types. */
export const isSaid = (scope: Scope | 'open'): boolean => scope === 'approve' || scope === 'control' || scope === 'admin'
