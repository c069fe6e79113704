import { seededRandom } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { Matrices, pack, packTransposed, transpose } from './matrix-kernels.ts'

/** The product in the plainest way, in double precision. */
const product = (a: Float32Array, b: Float32Array, bias: Float32Array, m: number, n: number, k: number, floor: number) =>
  Array.from({ length: m * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n]
    let sum = bias[j]
    for (let p = 0; p < k; p++) sum += a[i * k + p] * b[p * n + j]
    return Math.max(floor, sum)
  })

describe('Matrices', () => {
  const shapes = [
    [4, 8, 4],
    [8, 24, 12],
    [36, 256, 128],
    [64, 16, 256],
  ] as const
  it.each(shapes)('multiplies %i rows by %i columns over %i', (m, n, k) => {
    const space = new Matrices(m * k + 3 * k * n + m * n + 2 * n + n + m * k + 256)
    const random = seededRandom(m + n + k)
    const some = (length: number) => {
      const array = space.array(length)
      array.forEach((_, i) => {
        array[i] = random() < 0.2 ? 0 : random() - 0.5
      })
      return array
    }
    const [a, b, bias] = [some(m * k), some(k * n), some(n)]
    const [packed, c, y] = [space.array(k * n), space.array(m * n), space.array(n)]
    pack(b, k, n, packed)
    for (const floor of [Number.NEGATIVE_INFINITY, 0]) {
      space.gemm(m, n, k, a, packed, bias, c, floor)
      product(a, b, bias, m, n, k, floor).forEach((x, i) => {
        expect(c[i]).toBeCloseTo(x, 4)
      })
      space.gemv(n, k, a, b, bias, y, floor)
      // One row alone gives the very bits it gives in a batch.
      expect([...y]).toEqual([...c.subarray(0, n)])
    }
  })

  it('packs a transpose as it packs the matrix itself', () => {
    const random = seededRandom(3)
    const b = Float32Array.from({ length: 12 * 16 }, random)
    const turned = new Float32Array(12 * 16)
    transpose(b, 12, 16, turned)
    const [x, y] = [new Float32Array(12 * 16), new Float32Array(12 * 16)]
    pack(b, 12, 16, x)
    packTransposed(turned, 12, 16, y)
    expect(y).toEqual(x)
  })

  it('steps as Adam does', () => {
    const space = new Matrices(64)
    const [w, g, m, v] = [1, 2, 3, 4].map(() => space.array(4))
    w.fill(1)
    let [ew, em, ev] = [1, 0, 0]
    for (let step = 1; step <= 5; step++) {
      g.fill(step - 2.5)
      const scaled = (step - 2.5) * 0.5
      em = 0.9 * em + 0.1 * scaled
      ev = 0.999 * ev + 0.001 * scaled * scaled
      ew -= (0.01 * (em / (1 - 0.9 ** step))) / (Math.sqrt(ev / (1 - 0.999 ** step)) + 1e-5)
      space.adam(w, g, m, v, step, 0.01, 0.5)
      expect(w[3]).toBeCloseTo(ew, 5)
    }
  })
})
