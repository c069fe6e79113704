/**
 * How many rounds an entity must be learned from before its detector may speak: made-up healthy entities, whose metrics are slow, spiky or go in
 * circles, are learned from so many rows and watched for 600 more; then up to three metrics go far out for ten rows.
 *
 * `npm run bench -- metric-warm-up`; ten seconds of CPU time.
 */
import { EntityEvents } from '@aegis/anomaly-detection/entity-events'
import { EntityModel } from '@aegis/anomaly-detection/entity-model'
import { trainEntity } from '@aegis/anomaly-detection/train-entity'
import { normal, seededRandom } from '@aegis/learning/random'

const ENTITIES = 60
const WATCHED = 600

/** Rows of a healthy entity, one after the other. */
const entity = (seed: number, count: number): (() => Float64Array) => {
  const random = seededRandom(seed)
  const each = <T>(make: () => T): T[] => Array.from({ length: count }, make)
  const memory = each(() => 0.95 * random())
  const scale = each(() => Math.exp(2 * normal(random)))
  const spiky = each(() => random() < 0.3)
  const period = each(() => (random() < 0.3 ? 8 + 60 * random() : 0))
  const state = new Float64Array(count)
  let t = 0
  return () => {
    t++
    const load = Math.sin(t / 90 + seed)
    return Float64Array.from(state, (_, j) => {
      state[j] = memory[j] * state[j] + (spiky[j] ? Math.exp(normal(random)) - 1.6 : normal(random))
      return scale[j] * (10 + state[j] + (period[j] ? 2 * Math.sin(t / period[j]) : 0) + load)
    })
  }
}
const named = (row: Float64Array) => Array.from(row, (value, j) => ({ metric: `m${j}`, value }))

export const run = async (): Promise<void> => {
  for (const count of [12, 1])
    for (const learned of [40, 120, 300, 900]) {
      const counts = { alarmed: 0, events: 0, found: 0 }
      for (let e = 0; e < ENTITIES; e++) {
        const next = entity(1000 * learned + e, count)
        const rows = Array.from({ length: learned }, next)
        const values = Float64Array.from(rows.flatMap(row => [...row]))
        const model = new EntityModel(
          trainEntity({
            detector: 'ensemble',
            metrics: Array.from({ length: count }, (_, j) => `m${j}`),
            rows: { count: learned, metrics: count, values },
            stepSeconds: 1,
            alarmsPerDay: 0.5,
            youngThreshold: 12,
          }),
        )
        const events = new EntityEvents()
        let opened = 0
        let time = learned
        for (let i = 0; i < WATCHED; i++) {
          const scored = model.row(named(next()), ++time * 1e6)
          if (scored && events.row(time * 1e6, scored.score, scored.threshold, scored.guilty, scored.alarm)?.state === 'open')
            opened++
        }
        counts.events += opened
        if (opened > 0) counts.alarmed++
        let found = false
        for (let i = 0; i < 10; i++) {
          const far = next().map((v, j) =>
            j < 3 ? v + 12 * Math.abs(v - rows[0][j]) + 15 * Math.abs(rows[0][j] - rows[1][j]) : v,
          )
          const scored = model.row(named(far), ++time * 1e6)
          found ||= scored?.alarm ?? false
        }
        if (found) counts.found++
      }
      console.log(
        `${count} metrics, learned from ${learned} rows: ${counts.alarmed} of ${ENTITIES} healthy entities called strange, in ${counts.events} events; ${counts.found} of ${ENTITIES} far rows found`,
      )
    }
}
