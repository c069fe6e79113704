import type { Parameter } from './words.generated.ts'

/** How bad log lines say things are, least first. (Anomalies, alerts and incidents have the scale of severity.ts.) */
export const LOG_SEVERITIES = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL'] as const
export type LogSeverity = (typeof LOG_SEVERITIES)[number]

/** What the miner tells: what became of a template while a line was learned: it is new, has become wider under another id, or is one with another now. */
export type MinedChange =
  | { readonly kind: 'created'; readonly id: string; readonly text: string }
  | { readonly kind: 'widened'; readonly from: string; readonly to: string; readonly text: string }
  | { readonly kind: 'merged'; readonly from: string; readonly into: string; readonly text: string }

/** What a line that matches a known pattern of a fault says. */
export interface KnownFault {
  /** Stable name, kebab-case. */
  readonly kind: string
  readonly severity: LogSeverity
  readonly category: string
}

/** What a line belongs to: its trace, else the first identifier in it. */
export const sessionOf = (traceId: string | null | undefined, parameters: readonly Parameter[]): string | undefined =>
  traceId || parameters.find(({ kind }) => kind === 'id' || kind === 'uuid')?.text
