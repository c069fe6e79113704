/**
 * Dense arithmetic on single-precision numbers: a few WebAssembly SIMD functions, assembled here, on one memory.
 *
 * Three functions carry a small network: `gemm` (batch times weights, four rows by eight columns in registers, as in Goto and van de Geijn, "Anatomy
 * of High-Performance Matrix Multiplication", 2008), `gemv` (one row, skipping zeros, which rectified layers are full of), and `adam`. Plain
 * multiplications and additions in a fixed order, no fused ones: the same bits on every machine. Shapes: rows a multiple of 4, depth of 4, columns of 8.
 */

/** A growing list of bytes with WebAssembly's names for them. */
class Code {
  readonly bytes: number[] = []
  op(...bytes: number[]): this {
    this.bytes.push(...bytes)
    return this
  }
  get(local: number): this {
    return this.op(0x20, local)
  }
  set(local: number): this {
    return this.op(0x21, local)
  }
  i32(value: number): this {
    return this.op(0x41, ...signed(value))
  }
  add(): this {
    return this.op(0x6a)
  }
  mul(): this {
    return this.op(0x6c)
  }
  simd(op: number): this {
    return this.op(0xfd, ...unsigned(op))
  }
  load(address: number, offset: number): this {
    return this.get(address)
      .simd(0)
      .op(4, ...unsigned(offset))
  }
  splatAt(address: number, offset: number): this {
    return this.get(address)
      .simd(9)
      .op(2, ...unsigned(offset))
  }
  /** local += bytes */
  advance(local: number, bytes: number): this {
    return this.get(local).i32(bytes).add().set(local)
  }
  /** Runs `body` while `local` counts down by `by` from above zero. */
  countdown(local: number, by: number, body: () => void): this {
    this.op(0x03, 0x40)
    body()
    return this.get(local).i32(by).op(0x6b, 0x22, local).i32(0).op(0x4a, 0x0d, 0, 0x0b)
  }
}
const unsigned = (value: number): number[] => {
  const bytes: number[] = []
  do {
    const low = value & 127
    value >>>= 7
    bytes.push(value ? low | 128 : low)
  } while (value)
  return bytes
}
const signed = (value: number): number[] => {
  const bytes: number[] = []
  for (;;) {
    const low = value & 127
    value >>= 7
    if ((value === 0 && !(low & 64)) || (value === -1 && low & 64)) return [...bytes, low]
    bytes.push(low | 128)
  }
}
const ADD = 228
const MUL = 230
const DIV = 231
const SQRT = 227
const PMAX = 235
const SPLAT = 19
const STORE = 11
const I32 = 0x7f
const F32 = 0x7d
const V128 = 0x7b

/** c[m×n] = max(floor, bias + a[m×k] · b), b packed in panels of eight columns. Strides in bytes. */
const gemmBody = (): Code => {
  const [m, n, k, a, lda, b, bias, c, ldc] = [0, 1, 2, 3, 4, 5, 6, 7, 8]
  const floor = 9
  const [i, j, p, ai, ci, bp] = [10, 11, 12, 13, 14, 15]
  const row = [16, 17, 18, 19]
  const sum = [20, 21, 22, 23, 24, 25, 26, 27]
  const [b0, b1, x, low] = [28, 29, 30, 31]
  const code = new Code()
  code.get(floor).simd(SPLAT).set(low).get(n).set(j)
  code.countdown(j, 8, () => {
    code.get(a).set(ai).get(c).set(ci).get(m).set(i)
    code.countdown(i, 4, () => {
      code.load(bias, 0).set(sum[0]).load(bias, 16).set(sum[1])
      for (let r = 1; r < 4; r++)
        code
          .get(sum[0])
          .set(sum[2 * r])
          .get(sum[1])
          .set(sum[2 * r + 1])
      code.get(ai).set(row[0])
      for (let r = 1; r < 4; r++)
        code
          .get(row[r - 1])
          .get(lda)
          .add()
          .set(row[r])
      code.get(b).set(bp).get(k).set(p)
      code.countdown(p, 4, () => {
        for (let u = 0; u < 4; u++) {
          code
            .load(bp, u * 32)
            .set(b0)
            .load(bp, u * 32 + 16)
            .set(b1)
          for (let r = 0; r < 4; r++) {
            code.splatAt(row[r], u * 4).set(x)
            code
              .get(sum[2 * r])
              .get(x)
              .get(b0)
              .simd(MUL)
              .simd(ADD)
              .set(sum[2 * r])
            code
              .get(sum[2 * r + 1])
              .get(x)
              .get(b1)
              .simd(MUL)
              .simd(ADD)
              .set(sum[2 * r + 1])
          }
        }
        for (const r of row) code.advance(r, 16)
        code.advance(bp, 128)
      })
      code.get(ci).set(bp)
      for (let r = 0; r < 4; r++) {
        code
          .get(bp)
          .get(sum[2 * r])
          .get(low)
          .simd(PMAX)
          .simd(STORE)
          .op(4, 0)
        code
          .get(bp)
          .get(sum[2 * r + 1])
          .get(low)
          .simd(PMAX)
          .simd(STORE)
          .op(4, 16)
        code.get(bp).get(ldc).add().set(bp)
      }
      code.get(ai).get(lda).i32(2).op(0x74).add().set(ai)
      code.get(ci).get(ldc).i32(2).op(0x74).add().set(ci)
    })
    code.get(b).get(k).i32(32).mul().add().set(b)
    code.advance(bias, 32).advance(c, 32)
  })
  return code
}

/** y[n] = max(floor, bias + x[k] · w), w by rows; rows of a zero input are skipped. */
const gemvBody = (): Code => {
  const [n, k, x, w, bias, y] = [0, 1, 2, 3, 4, 5]
  const floor = 6
  const [j, p, yp, wp, scale, low] = [7, 8, 9, 10, 11, 12]
  const code = new Code()
  const overRow = (body: () => void) => {
    code.get(y).set(yp).get(n).set(j)
    code.countdown(j, 8, () => {
      body()
      code.advance(yp, 32)
    })
  }
  overRow(() => {
    for (const at of [0, 16]) code.get(yp).load(bias, at).simd(STORE).op(4, at)
    code.advance(bias, 32)
  })
  code.get(k).set(p)
  code.countdown(p, 1, () => {
    code.op(0x02, 0x40).get(x).op(0x2a, 2, 0).op(0x43, 0, 0, 0, 0, 0x5b, 0x0d, 0)
    code.splatAt(x, 0).set(scale).get(w).set(wp)
    overRow(() => {
      for (const at of [0, 16]) {
        code.get(yp).load(yp, at).get(scale).load(wp, at).simd(MUL).simd(ADD).simd(STORE).op(4, at)
      }
      code.advance(wp, 32)
    })
    code.op(0x0b).advance(x, 4).get(w).get(n).i32(2).op(0x74).add().set(w)
  })
  code.get(floor).simd(SPLAT).set(low)
  overRow(() => {
    for (const at of [0, 16]) code.get(yp).load(yp, at).get(low).simd(PMAX).simd(STORE).op(4, at)
  })
  return code
}

/** Adam (Kingma and Ba 2015) over n numbers: gradients scaled, moments moved, weights stepped. Bias corrections are folded into rate and epsilon. */
const adamBody = (): Code => {
  const [n, w, g, m, v] = [0, 1, 2, 3, 4]
  const scalars = [5, 6, 7, 8, 9, 10, 11]
  const [scale, keepM, addM, keepV, addV, rate, epsilon] = [12, 13, 14, 15, 16, 17, 18]
  const grad = 19
  const code = new Code()
  for (const [s, wide] of scalars.map((s, i) => [s, 12 + i])) code.get(s).simd(SPLAT).set(wide)
  code.countdown(n, 4, () => {
    code.load(g, 0).get(scale).simd(MUL).set(grad)
    code.get(m).load(m, 0).get(keepM).simd(MUL).get(grad).get(addM).simd(MUL).simd(ADD).simd(STORE).op(4, 0)
    code.get(v).load(v, 0).get(keepV).simd(MUL)
    code.get(grad).get(grad).simd(MUL).get(addV).simd(MUL).simd(ADD).simd(STORE).op(4, 0)
    code.get(w).load(w, 0).load(m, 0).get(rate).simd(MUL)
    code.load(v, 0).simd(SQRT).get(epsilon).simd(ADD).simd(DIV).simd(ADD).simd(STORE).op(4, 0)
    for (const at of [w, g, m, v]) code.advance(at, 16)
  })
  return code
}

const section = (id: number, bytes: readonly number[]): number[] => [id, ...unsigned(bytes.length), ...bytes]
const vector = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()]
const text = (s: string): number[] => [...unsigned(s.length), ...[...s].map(c => c.charCodeAt(0))]
const functions = [
  { name: 'gemm', params: [...Array(9).fill(I32), F32], locals: [[10, I32] as const, [12, V128] as const], body: gemmBody() },
  { name: 'gemv', params: [...Array(6).fill(I32), F32], locals: [[4, I32] as const, [2, V128] as const], body: gemvBody() },
  { name: 'adam', params: [...Array(5).fill(I32), ...Array(7).fill(F32)], locals: [[8, V128] as const], body: adamBody() },
]
const bytes = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, vector(functions.map(f => [0x60, ...vector(f.params.map(p => [p])), 0]))),
  ...section(2, vector([[...text('e'), ...text('m'), 2, 0, 1]])),
  ...section(3, vector(functions.map((_, i) => [i]))),
  ...section(7, vector(functions.map((f, i) => [...text(f.name), 0, i]))),
  ...section(
    10,
    vector(
      functions.map(f => {
        const body = [...vector(f.locals.map(([count, type]) => [...unsigned(count), type])), ...f.body.bytes, 0x0b]
        return [...unsigned(body.length), ...body]
      }),
    ),
  ),
])
type Numbers = (...args: number[]) => void
interface Assembly {
  readonly exports: { readonly gemm: Numbers; readonly gemv: Numbers; readonly adam: Numbers }
}
/** Only what is used of the standard interface, which the type library for servers leaves out. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer }
  Instance: new (module: object, imports: object) => Assembly
}
const module = new WebAssembly.Module(bytes)

/** Memory for matrices of a known total size, and the functions that work on it. Arrays handed out live as long as it does. */
export class Matrices {
  readonly #buffer: ArrayBuffer
  readonly #run: Assembly['exports']
  #used = 0

  constructor(floats: number) {
    const memory = new WebAssembly.Memory({ initial: Math.ceil((floats * 4 + 4096) / 65536) })
    this.#buffer = memory.buffer
    this.#run = new WebAssembly.Instance(module, { e: { m: memory } }).exports
  }

  array(length: number): Float32Array {
    const array = new Float32Array(this.#buffer, this.#used, length)
    this.#used += Math.ceil(length / 16) * 64
    return array
  }

  /** c = max(floor, bias + a · b) for m rows; b packed by `pack`. */
  gemm(
    m: number,
    n: number,
    k: number,
    a: Float32Array,
    b: Float32Array,
    bias: Float32Array,
    c: Float32Array,
    floor = -Infinity,
    lda = k,
  ): void {
    this.#run.gemm(m, n, k, a.byteOffset, lda * 4, b.byteOffset, bias.byteOffset, c.byteOffset, n * 4, floor)
  }

  /** y = max(floor, bias + x · w), w by rows of n. */
  gemv(n: number, k: number, x: Float32Array, w: Float32Array, bias: Float32Array, y: Float32Array, floor = -Infinity): void {
    this.#run.gemv(n, k, x.byteOffset, w.byteOffset, bias.byteOffset, y.byteOffset, floor)
  }

  /** One step of Adam; `step` counts from 1. */
  adam(
    w: Float32Array,
    g: Float32Array,
    m: Float32Array,
    v: Float32Array,
    step: number,
    rate: number,
    scale = 1,
    beta1 = 0.9,
    beta2 = 0.999,
    epsilon = 1e-5,
  ): void {
    const correct = Math.sqrt(1 - beta2 ** step)
    const [wa, ga, ma, va] = [w, g, m, v].map(x => x.byteOffset)
    this.#run.adam(
      w.length,
      wa,
      ga,
      ma,
      va,
      scale,
      beta1,
      1 - beta1,
      beta2,
      1 - beta2,
      (-rate * correct) / (1 - beta1 ** step),
      epsilon * correct,
    )
  }
}

/** b[k×n] by rows to panels of eight columns, as `gemm` wants it. */
export function pack(b: Float32Array, k: number, n: number, into: Float32Array): void {
  let p = 0
  for (let j = 0; j < n; j += 8) for (let i = 0, at = j; i < k; i++, at += n) for (let x = 0; x < 8; x++) into[p++] = b[at + x]
}

/** The transpose of b[n×k] by rows, packed likewise. */
export function packTransposed(b: Float32Array, k: number, n: number, into: Float32Array): void {
  for (let j = 0; j < n; j++) {
    let p = (j >> 3) * k * 8 + (j & 7)
    for (let i = 0, at = j * k; i < k; i++, p += 8) into[p] = b[at + i]
  }
}

/** a[m×k] to its transpose, by blocks that stay in cache. */
export function transpose(a: Float32Array, m: number, k: number, into: Float32Array): void {
  for (let i0 = 0; i0 < m; i0 += 16)
    for (let j = 0; j < k; j++) for (let i = i0, end = Math.min(m, i0 + 16); i < end; i++) into[j * m + i] = a[i * k + j]
}
