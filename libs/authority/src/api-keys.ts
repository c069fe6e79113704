/** API keys: random words that name a principal. Only their hash is kept; whoever reads the file cannot use it. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** What a principal may do: send telemetry, look, send what opens incidents, say yes or no, set ladders and kill switches, manage. */
export const SCOPES = ['ingest', 'read', 'detect', 'approve', 'control', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

export interface Principal {
  readonly name: string
  readonly scopes: readonly Scope[]
  /** Environments it is bound to; "*" for all. */
  readonly environments: readonly string[]
}
/** A key as it is kept. Times are microseconds since 1970. */
export interface ApiKey extends Principal {
  /** SHA-256 of the key, base64url. The key has 256 random bits, so no slow hash is needed. */
  readonly hash: string
  readonly made: number
  readonly expires: number | null
}

export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url')

/** A new key. The secret is told once and kept nowhere. */
export const makeKey = (
  principal: Principal,
  now: number,
  expires: number | null = null,
): { readonly secret: string; readonly key: ApiKey } => {
  const secret = `aegis_${randomBytes(32).toString('base64url')}`
  const { name, scopes, environments } = principal
  return { secret, key: { name, scopes, environments, hash: hashOf(secret), made: now, expires } }
}

/** Whose key it is; undefined for none, and for one that has expired. Takes as long whichever it is. */
export const principalOf = (keys: readonly ApiKey[], secret: string, now: number): Principal | undefined => {
  const given = Buffer.from(hashOf(secret))
  let found: ApiKey | undefined
  for (const key of keys) {
    const known = Buffer.from(key.hash)
    if (known.length === given.length && timingSafeEqual(known, given)) found = key
  }
  if (!found || (found.expires !== null && found.expires <= now)) return undefined
  return { name: found.name, scopes: found.scopes, environments: found.environments }
}

/** `admin` holds every right. */
export const mayDo = (principal: Principal, scope: Scope): boolean =>
  principal.scopes.includes(scope) || principal.scopes.includes('admin')
export const mayTouch = (principal: Principal, environment: string): boolean =>
  principal.environments.includes('*') || principal.environments.includes(environment)
