import { type RouteScopes, STATE_SCOPES, scopeIn } from '@aegis/api'

/** Who may come in by which route. One that is not named here keeps the gateway from starting. */
export const ROUTES: RouteScopes = [
  ['POST', /^\/v1\/(?:logs|metrics|traces)$/, 'ingest'],
  ['POST', /^\/api\/v1\/(?:logs|observations|write|ci\/failures)$/, 'ingest'],
  ['POST', /^\/(?:write|api\/v2\/write|query)$/, 'ingest'],
  ['GET', /^\/ping$/, 'open'],
  ['POST', /^\/api\/v1\/(?:changes|issues|alerts|topology)$/, 'detect'],
  ...STATE_SCOPES,
]
export const scopeOf = (method: string, url: string) => scopeIn(ROUTES, method, url)
