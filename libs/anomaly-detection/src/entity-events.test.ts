import { normal, seededRandom } from '@aegis/learning/random'
import { describe, expect, it } from 'vitest'
import { DeriveSeries } from './derive-series.ts'
import { EntityEvents, type Guilty } from './entity-events.ts'
import { EntityModel } from './entity-model.ts'
import { evaluateMetrics } from './evaluate-metrics.ts'
import { SeriesWatch } from './series-watch.ts'
import { trainEntity } from './train-entity.ts'

const guilty = (...metrics: string[]): Guilty[] =>
  metrics.map((metric, i) => ({ metric, score: 9 - i, value: 5, low: 0, high: 1 }))

describe('EntityEvents', () => {
  it('tells one event of many rows: open, update, close', () => {
    const events = new EntityEvents({ quiet: 2 })
    const told = [1, 6, 7, 15, 15, 1, 1, 1].map((score, i) => events.row(i, score, 5, guilty('a', ...(score > 10 ? ['b'] : []))))
    expect(told.map(e => e?.state)).toEqual([undefined, 'open', 'update', 'update', undefined, undefined, 'close', undefined])
    expect(told[6]).toMatchObject({ started: 1, time: 6, severity: 'critical', newNormal: false })
    expect(told[6]?.guilty.map(g => g.metric)).toEqual(['a', 'b'])
  })
  it('calls a score that stays the new normal, once', () => {
    const events = new EntityEvents({ adoptAfter: 10 })
    const told = Array.from({ length: 11 }, (_, i) => events.row(i, 8, 5, guilty('a'))).filter(e => e !== undefined)
    expect(told.map(e => e.state)).toEqual(['open', 'close'])
    expect(told[1].newNormal).toBe(true)
  })
  it('passes over rows that come late, and goes on after a restart', () => {
    const one = new EntityEvents()
    one.row(10, 9, 5, guilty('a'))
    expect(one.row(9, 90, 5, guilty('a'))).toBeUndefined()
    const two = new EntityEvents()
    two.load(JSON.parse(JSON.stringify(one.save())))
    for (let t = 11; t < 20; t++) expect(two.row(t, 0, 5, [])).toEqual(one.row(t, 0, 5, []))
    expect(two.isOpen).toBe(false)
  })
})

/** Rows of an entity through detector, threshold and events as the service has them: trained on the first, the others as they come. */
function run(rows: readonly Float64Array[], options: { learned: number; adoptAfter?: number }) {
  const metrics = Array.from(rows[0], (_, j) => `m${j}`)
  const past = rows.slice(0, options.learned)
  const values = new Float64Array(past.length * metrics.length)
  past.forEach((row, i) => {
    values.set(row, i * metrics.length)
  })
  const model = new EntityModel(
    trainEntity({
      detector: 'ensemble',
      metrics,
      rows: { count: past.length, metrics: metrics.length, values },
      stepSeconds: 60,
      alarmsPerDay: 0.2,
      youngThreshold: 12,
    }),
  )
  const events = new EntityEvents({ adoptAfter: options.adoptAfter ?? 200 })
  return rows.slice(options.learned).flatMap((row, i) => {
    const time = (options.learned + i) * 60e6
    const scored = model.row(
      Array.from(row, (value, j) => ({ metric: metrics[j], value })),
      time,
    )
    const event = scored && events.row(time, scored.score, scored.threshold, scored.guilty)
    if (event?.newNormal) model.adopt()
    return event ? [event] : []
  })
}

describe('from score to anomaly, on made-up series', () => {
  it('makes one anomaly of a level shift, then takes it for normal', () => {
    const random = seededRandom(4)
    const rows = Array.from({ length: 4000 }, (_, i) =>
      Float64Array.from([20 + normal(random), (i < 2500 ? 100 : 140) + 2 * normal(random), 5 + 0.2 * normal(random)]),
    )
    const told = run(rows, { learned: 1500 }).filter(e => e.time >= 2490 * 60e6)
    expect(told.filter(e => e.state === 'open')).toHaveLength(1)
    expect(told.at(-1)?.state).toBe('close')
  })

  it('raises nothing when counters are reset', () => {
    const random = seededRandom(8)
    const derive = new DeriveSeries()
    let total = 0
    const rows: Float64Array[] = []
    for (let i = 0; i < 3000; i++) {
      const step = 600 + 20 * normal(random)
      total = i % 700 === 699 ? step : total + step
      derive.add({
        environment: 'e',
        entity: 'x',
        metric_name: 'requests',
        metric_type: 'counter',
        value: total,
        time: i * 60e6,
      } as never)
      const [found] = derive.round(() => true)
      if (found) rows.push(Float64Array.from([found.value, 10 + normal(random)]))
    }
    expect(run(rows, { learned: 1200 })).toEqual([])
  })

  it('loses at most a twentieth of its average precision with a tenth of the rows missing', () => {
    const random = seededRandom(11)
    const make = (count: number, anomalies: boolean) => {
      const labels = new Uint8Array(count)
      const values = new Float64Array(4 * count)
      for (let i = 0; i < count; i++) {
        const strange = anomalies && i % 500 >= 480
        labels[i] = strange ? 1 : 0
        const load = 50 + 20 * Math.sin(i / 40)
        values.set(
          [load, 0.5 * load, 100 - load, 7].map((v, j) => v + normal(random) + (strange && j < 2 ? 15 : 0)),
          4 * i,
        )
      }
      return { rows: { count, metrics: 4, values }, labels }
    }
    const train = make(3000, false)
    const test = make(3000, true)
    const whole = evaluateMetrics(train.rows, test.rows, { stepSeconds: 60 })
    const keep = Array.from({ length: 3000 }, (_, i) => i).filter(() => random() > 0.1)
    const fewer = new Float64Array(4 * keep.length)
    keep.forEach((from, i) => {
      fewer.set(test.rows.values.subarray(4 * from, 4 * from + 4), 4 * i)
    })
    const part = evaluateMetrics(train.rows, { count: keep.length, metrics: 4, values: fewer }, { stepSeconds: 60 })
    const full = averagePrecision(whole.scores, test.labels)
    expect(full).toBeGreaterThan(0.6)
    expect(
      averagePrecision(
        part.scores,
        Uint8Array.from(keep, i => test.labels[i]),
      ),
    ).toBeGreaterThan(0.95 * full)
  })

  it('is causal: what comes later changes no score', () => {
    const random = seededRandom(12)
    const values = Float64Array.from({ length: 3 * 1500 }, () => normal(random))
    const rows = (count: number) => ({ count, metrics: 3, values: values.subarray(0, 3 * count) })
    const train = { count: 500, metrics: 3, values: values.subarray(0, 1500) }
    for (const history of [train, undefined]) {
      const long = evaluateMetrics(history, rows(1500), { stepSeconds: 60, warmUp: 300 / 1500 })
      const short = evaluateMetrics(history, rows(1200), { stepSeconds: 60, warmUp: 300 / 1200 })
      expect(long.scores.slice(300, 1200)).toEqual(short.scores.slice(300))
    }
  })
})

function averagePrecision(scores: Float64Array, labels: Uint8Array): number {
  const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a])
  let found = 0
  let sum = 0
  order.forEach((i, rank) => {
    if (labels[i] === 0) return
    found++
    sum += found / (rank + 1)
  })
  return sum / found
}

describe('SeriesWatch', () => {
  it('tells late and repeated points, gaps, flat lines and changed units, each once', () => {
    const random = seededRandom(3)
    const watch = new SeriesWatch({ flat: 20 })
    const found: string[] = []
    const see = (time: number, value: number) => {
      const { finding, usable } = watch.point(time, value)
      if (finding) found.push(`${finding}${usable ? '' : ' dropped'}`)
    }
    for (let i = 0; i < 200; i++) see(i, 500 + 10 * normal(random))
    see(199, 500)
    see(150, 500)
    see(210, 500 + normal(random))
    for (let i = 211; i < 260; i++) see(i, 501)
    for (let i = 260; i < 300; i++) see(i, 0.5 + 0.01 * normal(random))
    expect(found).toEqual(['repeated dropped', 'late dropped', 'gap', 'flat', 'moves-again', 'unit-changed'])
    expect(watch.point(301, 0.5).factor).toBeCloseTo(1000, 6)
  })
  it('goes on after a restart as if there had been none, and takes what is only out of order', () => {
    const one = new SeriesWatch({ flat: 10 })
    for (let i = 0; i < 45; i++) one.point(10 * i, Math.min(i, 30))
    const two = new SeriesWatch({ flat: 10 })
    two.load(JSON.parse(JSON.stringify(one.save())))
    for (const [time, value] of [
      [450, 30],
      [445, 30],
      [460, 31],
      [470, 32],
    ])
      expect(two.point(time, value)).toEqual(one.point(time, value))
    expect(one.point(465, 5)).toMatchObject({ usable: true })
    expect(one.point(400, 5)).toMatchObject({ usable: false, finding: 'late' })
  })
  it('does not take a constant, a busy or a growing series for one of these', () => {
    const random = seededRandom(6)
    const shapes = [() => 0, (i: number) => 10 + i, () => Math.exp(3 * normal(random)), () => 5]
    for (const shape of shapes) {
      const watch = new SeriesWatch()
      for (let i = 0; i < 1000; i++) expect(watch.point(i, shape(i)).finding).toBeUndefined()
    }
  })
})
