/** What a file of one of the tools says: which resources are not as they were left, and in what. */
import type { Json } from '../noise/same-value.ts'

export interface Change {
  /** `root_block_device.volume_size`; '(resource)' where the resource itself is gone. */
  readonly path: string
  /** Undefined where there was none, or where it must not be seen. */
  readonly before?: Json
  readonly after?: Json
  /** A secret: that it changed is said, its values are not. */
  readonly hidden?: true
  /** Managers of the field, where the source tells them. */
  readonly owners?: readonly string[]
}
export interface DriftFinding {
  /** Terraform address, logical id, Kind/name. */
  readonly address: string
  readonly type: string
  /** Name or identifier that an audit log would use. */
  readonly id?: string
  readonly attributes: readonly string[]
  readonly changes: readonly Change[]
}
export interface DriftReading {
  readonly format: 'terraform-plan' | 'terraform-state' | 'cloudformation-drift' | 'kubernetes' | 'pulumi' | 'declared'
  readonly findings: readonly DriftFinding[]
  /** Differences that were looked at and are none that someone made, with the reason. */
  readonly noise: readonly { readonly address: string; readonly path: string; readonly why: string }[]
  /** Managed instances, for states. */
  readonly resources?: number
  /** Managers by field, for live Kubernetes objects. */
  readonly owners?: Readonly<Record<string, readonly string[]>>
}

const SECRET =
  /passw|secret|token|credential|private_?key|auth_?string|access_?key|connection_?string|certificate_?body|user_?data|kubeconfig|api_?key/i
export const isSecretName = (path: string): boolean => SECRET.test(path)
/** What looks like a secret by itself, whatever it is called. */
const LOOKS_SECRET = /-----BEGIN|(?:AKIA|ASIA|ghp_|gho_|glpat-|xox[abp]-|sk_live_|eyJ[\w-]{10,}\.)\w*|:\/\/[^/\s:@]+:[^/\s@]+@/

/** A change with its values, or without them where they are secret by schema, name or look. */
export function changeOf(path: string, before: Json | undefined, after: Json | undefined, sensitive = false): Change {
  const text = `${JSON.stringify(before) ?? ''} ${JSON.stringify(after) ?? ''}`
  const inside =
    typeof before === 'object' || typeof after === 'object'
      ? /"[^"]*(?:passw|secret|token|credential|private_?key|api_?key)[^"]*"\s*:/i.test(text)
      : false
  if (sensitive || SECRET.test(path) || inside || LOOKS_SECRET.test(text)) return { path, hidden: true }
  const short = (v: Json | undefined) => (JSON.stringify(v)?.length ?? 0) <= 4000
  return {
    path,
    ...(before !== undefined && short(before) ? { before } : {}),
    ...(after !== undefined && short(after) ? { after } : {}),
  }
}

/** A value in which nothing under a secret's name is left; `redact` takes out of texts what looks like a secret. */
export function hideSecrets(v: unknown, redact: (text: string) => string, key = ''): unknown {
  if (typeof v === 'string') return v !== '' && SECRET.test(key) ? '(hidden)' : redact(v)
  if (Array.isArray(v)) return v.map(x => hideSecrets(x, redact, key))
  if (typeof v === 'object' && v !== null)
    return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, hideSecrets(x, redact, k)]))
  return v
}
