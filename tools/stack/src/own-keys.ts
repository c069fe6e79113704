/** The keys that `aegis up` and the demo make for this checkout, so that the quick start is one command: kept in the state folder, readable by its owner only. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { makeKey, modelAuthority, principalOf, readKeys, SCOPES, writeKeys, writePrivately } from '@aegis/authority'
import { checkout } from '@aegis/stack/local/places'

const folder = (): string => path.resolve(process.env.AEGIS_STATE_DIR ?? path.join(checkout, '.aegis'))
export const keysFile = (): string => process.env.AEGIS_KEYS_FILE ?? path.join(folder(), 'keys.json')
export const environmentsFile = (): string => process.env.AEGIS_ENVIRONMENTS_FILE ?? path.join(folder(), 'environments')
const secretFile = (): string => path.join(folder(), 'cli-key')
const ownSecret = (): string | undefined => (existsSync(secretFile()) ? readFileSync(secretFile(), 'utf8').trim() : undefined)

/** Settings of a gateway started here, and the key that opens it. Where somebody has said who may come in, that stands. */
export const ownKeys = (): { readonly env: Readonly<Record<string, string>>; readonly secret?: string } => {
  const { AEGIS_KEYS_FILE, AEGIS_API_TOKEN, AEGIS_AUTHENTICATION } = process.env
  if (AEGIS_KEYS_FILE || AEGIS_API_TOKEN || AEGIS_AUTHENTICATION === 'off') return { env: {} }
  const file = keysFile()
  const now = Date.now() * 1000
  const keys = readKeys(file)
  let secret = ownSecret()
  if (secret === undefined || principalOf(keys, secret, now) === undefined) {
    const made = makeKey({ name: process.env.USER || 'local', scopes: SCOPES, environments: ['*'] }, now)
    secret = made.secret
    writeKeys(file, [...keys, made.key])
    writePrivately(secretFile(), `${secret}\n`)
  }
  // What programs on this machine send and read needs no key: who can send telemetry can invent a fault anyway. Approvals, controls and settings do.
  return {
    env: {
      AEGIS_KEYS_FILE: file,
      AEGIS_ENVIRONMENTS_FILE: environmentsFile(),
      AEGIS_AUTHORITY_FOLDER: process.env.AEGIS_AUTHORITY_FOLDER ?? path.join(folder(), 'authority'),
      AEGIS_ANONYMOUS_SCOPES: process.env.AEGIS_ANONYMOUS_SCOPES ?? 'ingest,read,detect',
    },
    secret,
  }
}

/** Whose hand models are brought in by: the command line's own, where this checkout or the environment has a folder of keys. */
export const modelSigner = () => {
  const own = process.env.AEGIS_AUTHORITY_FOLDER ?? path.join(folder(), 'authority')
  return existsSync(own) ? modelAuthority(own, 'cli').signer : undefined
}

/** The header that opens the gateway; the key of this checkout goes to this machine only. */
export const authorization = (gatewayUrl: string): Record<string, string> => {
  const secret =
    process.env.AEGIS_API_TOKEN ?? (/^https?:\/\/(?:127\.|localhost|\[::1\])/.test(gatewayUrl) ? ownSecret() : undefined)
  return secret === undefined ? {} : { authorization: `Bearer ${secret}` }
}
/** What logs a browser in. What stands behind # is never sent. */
export const loginLink = (gatewayUrl: string, secret: string | undefined): string =>
  secret === undefined ? gatewayUrl : `${gatewayUrl}/login#${secret}`
