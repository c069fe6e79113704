/** CartPole-v1: keep a pole upright on a cart by pushing left or right (Barto, Sutton and Anderson 1983), 500 steps at most, a point a step. */
import { seededRandom } from '@aegis/domain'
import type { Environment } from '@aegis/remediation/ppo'

const GRAVITY = 9.8
const POLE = 0.1
const TOTAL = 1.1
const HALF = 0.5
const FORCE = 10
const TICK = 0.02
const TILT = (12 * 2 * Math.PI) / 360
const EDGE = 2.4
const LIMIT = 500

export class CartPole implements Environment {
  readonly features = 4
  readonly actions = 2
  done = true
  truncated = false
  /** Position, speed, angle, angular speed. */
  readonly state = new Float64Array(4)
  #steps = 0

  reset(seed: number): void {
    const random = seededRandom(seed)
    for (let i = 0; i < 4; i++) this.state[i] = random() * 0.1 - 0.05
    this.#steps = 0
    this.done = this.truncated = false
  }
  observe(into: Float32Array, offset: number): void {
    into.set(this.state, offset)
  }
  mask(into: Uint8Array, offset: number): void {
    into[offset] = into[offset + 1] = 1
  }
  step(action: number): number {
    const [x, v, angle, spin] = this.state
    const cos = Math.cos(angle)
    const sin = Math.sin(angle)
    const pushed = ((action === 1 ? FORCE : -FORCE) + POLE * HALF * spin * spin * sin) / TOTAL
    const turn = (GRAVITY * sin - cos * pushed) / (HALF * (4 / 3 - (POLE * cos * cos) / TOTAL))
    const push = pushed - (POLE * HALF * turn * cos) / TOTAL
    this.state.set([x + TICK * v, v + TICK * push, angle + TICK * spin, spin + TICK * turn])
    this.#steps++
    const fell = Math.abs(this.state[0]) > EDGE || Math.abs(this.state[2]) > TILT
    this.truncated = !fell && this.#steps >= LIMIT
    this.done = fell || this.truncated
    return 1
  }
}
