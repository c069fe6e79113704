/**
 * What the detectors of entities cost while they watch: processor time of a row, of a training, and bytes of an entity, for made-up entities of 20 metrics;
 * and from these the share of a core and the memory of 10,000 entities that report every 15 seconds.
 *
 * `npm run bench -- metric-cost`; a minute. Last accepted: see docs/guides/metrics.md.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { EntityModel } from '@aegis/anomaly-detection/entity-model'
import { packTrained, trainEntity, unpackTrained } from '@aegis/anomaly-detection/train-entity'
import { normal, seededRandom } from '@aegis/learning/random'

const METRICS = 20
const LEARNED = 1000
const ENTITIES = 100
const ROWS = 60
const STEP_SECONDS = 15
const MANY = 10_000
const DETECTORS = ['ensemble', 'ridge+k-means', 'ridge', 'sub-pca', 'k-means', 'robust-z']

export const run = async (): Promise<void> => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const bytes = async () => {
    // What was let go in the turn before is only let go in the next.
    for (let turn = 0; turn < 3; turn++) {
      await new Promise(resolve => setImmediate(resolve))
      collect()
    }
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const cpuMs = () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
  const random = seededRandom(1)
  const metrics = Array.from({ length: METRICS }, (_, j) => `m${j}`)
  const value = (i: number, j: number) => 50 + 10 * Math.sin(i / 30 + j) + normal(random)
  const values = Float64Array.from({ length: LEARNED * METRICS }, (_, k) => value(Math.floor(k / METRICS), k % METRICS))
  const rows = Array.from({ length: ROWS }, (_, i) => metrics.map((metric, j) => ({ metric, value: value(LEARNED + i, j) })))
  const measure = async (detector: string): Promise<void> => {
    const before = cpuMs()
    const trained = trainEntity({
      detector,
      metrics,
      rows: { count: LEARNED, metrics: METRICS, values },
      stepSeconds: STEP_SECONDS,
      alarmsPerDay: 0.5,
      youngThreshold: 12,
    })
    const fitMs = cpuMs() - before
    const packed = packTrained(trained)
    const make = () => Array.from({ length: ENTITIES }, () => new EntityModel(unpackTrained(packed)))
    // What is made once and for all is made by the first of two.
    let models = make()
    const one = await bytes()
    const more = make()
    const each = ((await bytes()) - one) / more.length
    models = more
    for (const row of rows) models[0].row(row)
    const started = cpuMs()
    for (const model of models) for (const row of rows) model.row(row)
    const rowUs = ((cpuMs() - started) * 1000) / (ENTITIES * ROWS)
    const kept = JSON.stringify(models[0].save()).length
    console.log(
      `${detector.padEnd(14)} ${rowUs.toFixed(0).padStart(4)} µs a row, ${fitMs.toFixed(0).padStart(4)} ms a training, ` +
        `${(each / 1024).toFixed(0).padStart(4)} kB in memory and ${(kept / 1024).toFixed(0).padStart(4)} kB in a snapshot each; ` +
        `${MANY} entities every ${STEP_SECONDS} s: ${((MANY / STEP_SECONDS) * rowUs * 1e-6).toFixed(3)} of a core, ${((each * MANY) / 2 ** 30).toFixed(1)} GiB`,
    )
  }
  for (const detector of DETECTORS) await measure(detector)
}
