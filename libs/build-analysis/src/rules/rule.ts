import type { KindName } from '../kinds.ts'

/**
 * What a line of a tool says. `cause` states why; `consequence` only says that something failed (a summary, an exit code, a step given up);
 * `noise` looks like a failure and is none.
 */
export type Role = 'cause' | 'consequence' | 'noise'
export interface Rule {
  readonly tool: string
  readonly kind: KindName
  readonly role: Role
  readonly pattern: RegExp
  /** Instead of the kind's own weight. */
  readonly weight?: number
  /** A line the rule must find; the test of all rules reads it. */
  readonly example: string
}
/** Kind, pattern, example, weight: a cause. A name before a "-" is a consequence, "noise" is noise. */
export type Row = readonly [KindName | `-${KindName}` | 'noise', RegExp, string, number?]

/** The rules of one tool, in the order in which they are tried: the first that finds a line says what it is. */
export const rulesOf = (tool: string, rows: readonly Row[]): readonly Rule[] =>
  rows.map(([name, pattern, example, weight]) => {
    const role = name === 'noise' ? 'noise' : name.startsWith('-') ? 'consequence' : 'cause'
    const kind = (role === 'noise' ? 'failed' : role === 'consequence' ? name.slice(1) : name) as KindName
    return { tool, kind, role, pattern, example, ...(weight === undefined ? {} : { weight }) }
  })
