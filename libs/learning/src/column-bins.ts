/** Values of columns as numbers of bins (at most 255 of them, and one for what is missing), so that trees are grown from histograms. */

/** A cut at each boundary between neighbouring bins: bin b holds cuts[b-1] <= x < cuts[b]. The bin of a missing value is cuts.length + 1. */
export class ColumnBins {
  readonly rows: number
  readonly columns: number
  readonly cuts: readonly Float64Array[]
  /** Row by row. */
  readonly bins: Uint8Array
  /** Where the histogram of each column starts, in bins; one more entry for the end. */
  readonly offsets: Int32Array
  /** Row by row, where each value counts in a histogram of pairs: twice (offset + bin). */
  readonly slots: Uint16Array | Uint32Array

  constructor(rows: readonly ArrayLike<number>[], bins = 254) {
    this.rows = rows.length
    this.columns = rows[0]?.length ?? 0
    this.cuts = Array.from({ length: this.columns }, (_, c) => cutsOf(rows, c, bins))
    this.offsets = new Int32Array(this.columns + 1)
    for (let c = 0; c < this.columns; c++) this.offsets[c + 1] = this.offsets[c] + this.cuts[c].length + 2
    this.bins = new Uint8Array(this.rows * this.columns)
    const most = 2 * this.offsets[this.columns]
    this.slots = most < 65536 ? new Uint16Array(this.bins.length) : new Uint32Array(this.bins.length)
    for (let r = 0; r < this.rows; r++)
      for (let c = 0; c < this.columns; c++) {
        const at = r * this.columns + c
        const bin = binOf(this.cuts[c], rows[r][c])
        this.bins[at] = bin
        this.slots[at] = 2 * (this.offsets[c] + bin)
      }
  }
}

const binOf = (cuts: Float64Array, x: number): number => {
  if (Number.isNaN(x)) return cuts.length + 1
  let [low, high] = [0, cuts.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (x < cuts[middle]) high = middle
    else low = middle + 1
  }
  return low
}

/** Cuts lie midway between values that occur. Where there are too many, each bin gets about as many rows as the others. */
function cutsOf(rows: readonly ArrayLike<number>[], column: number, most: number): Float64Array {
  const values = Float64Array.from(rows, row => row[column])
    .filter(x => !Number.isNaN(x))
    .sort()
  const cuts: number[] = []
  let distinct = 0
  for (let i = 0; i < values.length; i++) if (i === 0 || values[i] !== values[i - 1]) distinct++
  const share = distinct <= most ? 0 : values.length / most
  let next = share
  for (let i = 1; i < values.length; i++) {
    if (values[i] === values[i - 1] || i < next) continue
    // A midpoint that rounds to the lower value would put both on one side.
    const middle = values[i - 1] + (values[i] - values[i - 1]) / 2
    cuts.push(middle > values[i - 1] ? middle : values[i])
    if (share > 0) next = Math.max(next + share, i + 1)
    if (cuts.length === most) break
  }
  return Float64Array.from(cuts)
}
