export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const
export type InferenceSeverity = (typeof SEVERITIES)[number]

export const atLeast = (a: InferenceSeverity, b: InferenceSeverity): InferenceSeverity =>
  SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b) ? a : b

/** Fewer digits than a reader could use: 0.87. */
export const round = (x: number, digits = 3): number => Math.round(x * 10 ** digits) / 10 ** digits
