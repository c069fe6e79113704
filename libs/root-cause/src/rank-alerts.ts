/** Placeholder until alerts are ranked. */
export interface AlertCase {
  readonly case: string
}
export const rankAlertCases = (_cases: readonly AlertCase[], _options: { onDone?: (n: number) => void }): { case: string }[] => []
