import { normal, seededRandom } from '@aegis/learning/random'
import { describe, expect, it } from 'vitest'
import { EntityModel } from './entity-model.ts'
import { EntityRows } from './entity-rows.ts'
import { packTrained, trainEntity, unpackTrained } from './train-entity.ts'

const random = seededRandom(5)
const rowAt = (i: number, off = 0) => {
  const wave = Math.sin(i / 11)
  return [
    { metric: 'a', value: 100 + 10 * wave + 0.3 * normal(random) },
    { metric: 'b', value: 5 + wave + off + 0.03 * normal(random) },
    { metric: 'c', value: 40 - 4 * wave + 0.1 * normal(random) },
  ]
}
const trainedOn = (count: number) => {
  const rows = new EntityRows({ history: 1500 })
  for (let i = 0; i < count; i++) rows.add(i * 60e6, rowAt(i))
  return trainEntity({
    detector: 'ensemble',
    metrics: rows.metrics,
    rows: rows.table(),
    stepSeconds: rows.stepSeconds,
    alarmsPerDay: 0.5,
    youngThreshold: 12,
  })
}

describe('EntityRows', () => {
  it('keeps the newest rows, gives late metrics a column, and survives a restart', () => {
    const rows = new EntityRows({ history: 3, metrics: 2 })
    rows.add(1e6, [{ metric: 'a', value: 1 }])
    for (let i = 2; i < 6; i++)
      rows.add(i * 1e6, [
        { metric: 'b', value: i },
        { metric: 'left out', value: 7 },
      ])
    const again = new EntityRows({ history: 3, metrics: 2 })
    again.load(JSON.parse(JSON.stringify(rows.save())))
    for (const r of [rows, again]) {
      expect(r.metrics).toEqual(['a', 'b'])
      expect([r.count, r.from, r.to, r.stepSeconds]).toEqual([3, 3e6, 5e6, 1])
      expect(Array.from(r.table().values)).toEqual([Number.NaN, 3, Number.NaN, 4, Number.NaN, 5])
    }
  })
})

describe('EntityModel', () => {
  const trained = unpackTrained(packTrained(trainedOn(1500)))
  it('stays under its threshold on what it knows, and names the metric that parts from the others', () => {
    const model = new EntityModel(trained)
    let over = 0
    for (let i = 1500; i < 2000; i++) {
      const s = model.row(rowAt(i))
      if (s && s.score >= s.threshold) over++
    }
    expect(over).toBeLessThan(10)
    let found = model.row(rowAt(2000, 4))
    for (let i = 2001; i < 2004; i++) found = model.row(rowAt(i, 4))
    expect(found?.score).toBeGreaterThan(found?.threshold ?? 0)
    expect(found?.guilty[0].metric).toBe('b')
    expect(found?.guilty[0].value).toBeGreaterThan(found?.guilty[0].high ?? 0)
  })
  it('goes on after a restart as if there had been none, without the weights in what it keeps', () => {
    const one = new EntityModel(trained)
    for (let i = 1500; i < 1600; i++) one.row(rowAt(i))
    const two = new EntityModel(trained)
    const kept = JSON.stringify(one.save())
    expect(kept).not.toContain('"weights"')
    two.load(JSON.parse(kept))
    for (let i = 1600; i < 1650; i++) {
      const row = rowAt(i, i > 1640 ? 3 : 0)
      expect(two.row(row)).toEqual(one.row(row))
    }
  })
  it('takes the threshold from the budget of alarms once it has seen enough, and the given one before', () => {
    expect(trainedOn(130).threshold).toBe(12)
    expect(trained.threshold).not.toBe(12)
    // Above it nothing could ever be an alarm.
    expect(trained.threshold).toBeLessThanOrEqual(15)
  })
  it('has nothing to say of metrics it never saw', () => {
    expect(new EntityModel(trained).row([{ metric: 'new', value: 1 }])).toBeUndefined()
  })
})
