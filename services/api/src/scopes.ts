import { type RouteScopes, STATE_SCOPES } from '@aegis/api'

/** Who may come in by which route. One that is not named here keeps the service from starting. Pages hold no data; what they show they ask for. */
export const ROUTES: RouteScopes = [
  ['GET', /^\/(?:health|ping)$/, 'open'],
  ['GET', /^\/(?:docs|console)(?:\/[\w./-]+)?$/, 'open'],
  ['GET', /^\/(?:map|logs|metrics|decisions|changes|models|pipeline|settings|i\/:id|d\/:id)?$/, 'open'],
  ['POST', /^\/api\/v1\/(?:detect-anomaly|detect-failure|policy\/evaluate|advise)$/, 'read'],
  ['GET', /^\/api\/v1\/session$/, 'open'],
  ...STATE_SCOPES,
]
