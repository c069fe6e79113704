/** A model of what rows normally look like, where their order says nothing: windows, calls, samples. */
export interface OutlierModel {
  readonly name: string
  /** Learns from rows of one length; the same rows in the same order give the same model. */
  fit(rows: readonly Float64Array[]): void
  /** How unlike what was learned; higher is stranger, finite. Changes nothing. */
  score(row: Float64Array): number
}
