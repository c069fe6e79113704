/** Dense symmetric matrices in row-major Float64Arrays: Cholesky (Golub and Van Loan 2013, 4.2) and cyclic Jacobi eigenvalues (8.5). */

/** Lower factor of a symmetric positive matrix. */
export function cholesky(matrix: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]
      for (let k = 0; k < j; k++) sum -= lower[i * n + k] * lower[j * n + k]
      lower[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / lower[j * n + j]
    }
  return lower
}

/** Solves (L Lᵀ) x = b. */
export function solve(lower: Float64Array, n: number, b: Float64Array): Float64Array {
  const x = Float64Array.from(b)
  for (let i = 0; i < n; i++) {
    let sum = x[i]
    for (let k = 0; k < i; k++) sum -= lower[i * n + k] * x[k]
    x[i] = sum / lower[i * n + i]
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i]
    for (let k = i + 1; k < n; k++) sum -= lower[k * n + i] * x[k]
    x[i] = sum / lower[i * n + i]
  }
  return x
}

/** Eigenvalues, largest first, and their unit vectors (one after the other). */
export function eigen(symmetric: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const a = Float64Array.from(symmetric)
  const v = new Float64Array(n * n) // row p holds the vector of a[p,p]
  for (let i = 0; i < n; i++) v[i * n + i] = 1
  let scale = 0
  for (let i = 0; i < n; i++) scale += a[i * n + i] * a[i * n + i]
  for (let sweep = 0; sweep < 20; sweep++) {
    let off = 0
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const apq = a[p * n + q]
        off += apq * apq
        if (Math.abs(apq) < 1e-12) continue
        const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq)
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
        const c = 1 / Math.sqrt(t * t + 1)
        const s = t * c
        for (let k = 0; k < n; k++) {
          const x = a[k * n + p]
          const y = a[k * n + q]
          a[k * n + p] = c * x - s * y
          a[k * n + q] = s * x + c * y
        }
        for (let k = 0; k < n; k++) {
          const x = a[p * n + k]
          const y = a[q * n + k]
          a[p * n + k] = c * x - s * y
          a[q * n + k] = s * x + c * y
          const vx = v[p * n + k]
          const vy = v[q * n + k]
          v[p * n + k] = c * vx - s * vy
          v[q * n + k] = s * vx + c * vy
        }
      }
    if (off <= 1e-16 * scale) break
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((x, y) => a[y * n + y] - a[x * n + x])
  const values = Float64Array.from(order, k => Math.max(0, a[k * n + k]))
  const vectors = new Float64Array(n * n)
  order.forEach((k, i) => {
    vectors.set(v.subarray(k * n, (k + 1) * n), i * n)
  })
  return { values, vectors }
}

/** Sum over rows of f fᵀ for features written by `features(i, out)`. */
export function gram(count: number, width: number, features: (index: number, out: Float64Array) => void): Float64Array {
  const sum = new Float64Array(width * width)
  const f = new Float64Array(width)
  for (let i = 0; i < count; i++) {
    features(i, f)
    for (let a = 0; a < width; a++) {
      const fa = f[a]
      if (fa === 0) continue
      const at = a * width
      for (let b = 0; b <= a; b++) sum[at + b] += fa * f[b]
    }
  }
  for (let a = 0; a < width; a++) for (let b = 0; b < a; b++) sum[b * width + a] = sum[a * width + b]
  return sum
}
