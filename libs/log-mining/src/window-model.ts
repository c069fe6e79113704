/** A model of what a window of log lines normally looks like: one row of features per window. */
export interface WindowModel {
  readonly name: string
  /** Learns from rows of one length; the same rows in the same order give the same model. */
  fit(rows: readonly Float64Array[]): void
  /** How unlike what was learned; higher is stranger, finite. Changes nothing. */
  score(row: Float64Array): number
}
