import { anomalies, type Evidence, type Input, tracesVisits, type VisitPart } from '@aegis/domain'
import { boundsContract, stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage, tick } from '@aegis/runtime/testing'
import { describe, expect, it } from 'vitest'
import { DetectTraceAnomalies } from './detect-trace-anomalies.ts'

const T0 = 1_700_000_000_000_000
const SECOND = 1_000_000
const quote = (second: number): Evidence[] => [
  {
    kind: 'log',
    entity: 'service:pay',
    text: `charge of order ${second} begins`,
    time: T0 + second * SECOND,
    stream: 'logs.raw',
    partition: 0,
    offset: second,
  },
  {
    kind: 'span',
    entity: 'service:pay',
    text: 'charge of trace 1',
    time: T0 + second * SECOND,
    stream: 'traces.spans',
    partition: 0,
    offset: second,
  },
]
const part = (second: number, visits: number, stopped: number, entity = 'service:pay'): VisitPart => ({
  id: `${entity}${second}`,
  environment: 'test',
  time: T0 + second * SECOND,
  entity,
  visits,
  stopped,
  step: stopped > 0 ? 'charged' : null,
  evidence: stopped > 0 ? quote(second) : [],
})
/** A minute as usual, then as many seconds of which two in five requests stop, then quiet again. */
const story = (faultSeconds: number, quietSeconds = 70): Input[] =>
  Array.from({ length: 60 + faultSeconds + quietSeconds }, (_, s): Input[] => [
    received(tracesVisits, part(s, 5, s >= 60 && s < 60 + faultSeconds ? 2 : 0), 2 * s),
    received(tracesVisits, part(s, 5, 0, 'service:front'), 2 * s + 1),
    tick(T0 + (s + 1) * SECOND),
  ]).flat()
const told = async (inputs: readonly Input[]) => (await runStage(new DetectTraceAnomalies(), [inputs])).of(anomalies)

describe('DetectTraceAnomalies', () => {
  it('opens, grows and closes, at severity low, quoting spans and lines with their places', async () => {
    const list = await told(story(60))
    expect(list[0]).toMatchObject({
      state: 'open',
      entity: 'service:pay',
      kind: 'trace',
      severity: 'low',
      templates: ['charged'],
    })
    expect(list.at(-1)).toMatchObject({ state: 'close', id: list[0].id })
    expect(new Set(list.map(a => a.id)).size).toBe(1)
    expect(list.at(-2)!.series![0].value).toBeGreaterThan(list[0].series![0].value)
    expect(list.at(-2)!.series![0].value).toBeLessThanOrEqual(120)
    expect(list.length).toBeLessThan(15)
    expect(list[0].evidence).toEqual(expect.arrayContaining(quote(60)))
    expect(list[0].started).toBe(T0 + 60 * SECOND)
    expect(list[0].summary).toMatch(
      /^service:pay: \d+ of \d+ requests stopped here first, without "charged": "charge of order 60 begins"$/,
    )
  })
  it('says nothing while all is well, and nothing of an error now and then', async () => {
    expect(await told(story(0))).toEqual([])
    const sometimes = Array.from({ length: 300 }, (_, s): Input[] => [
      received(tracesVisits, part(s, 5, s % 20 === 0 ? 1 : 0), s),
      tick(T0 + (s + 1) * SECOND),
    ]).flat()
    expect(await told(sometimes)).toEqual([])
  })
  it('listens to the clock of an environment that has its own', async () => {
    const stage = new DetectTraceAnomalies()
    await runStage(stage, [[...story(0, 0), tick(T0 + 60 * SECOND, { environment: 'test' })]])
    const stopped = Array.from({ length: 10 }, (_, s) => received(tracesVisits, part(61 + s, 5, 5), 500 + s))
    expect((await runStage(stage, [[...stopped, tick(T0 + 75 * SECOND)]])).of(anomalies)).toEqual([])
    expect((await runStage(stage, [[tick(T0 + 75 * SECOND, { environment: 'test' })]])).of(anomalies)).toHaveLength(1)
  })
  it('watches no more entities than it may', async () => {
    const stage = new DetectTraceAnomalies({ maxEntities: 3 })
    await runStage(stage, [Array.from({ length: 20 }, (_, i) => received(tracesVisits, part(i, 1, 0, `service:${i}`), i))])
    expect(JSON.parse(Buffer.from(stage.snapshot()).toString()).entities).toHaveLength(3)
  })
  boundsContract(
    'DetectTraceAnomalies',
    () => new DetectTraceAnomalies({ maxEntities: 300 }),
    round => [
      received(tracesVisits, part(60 * round, 5, round % 2, `service:${round}`), round),
      tick(T0 + 60 * (round + 1) * SECOND),
    ],
    400,
  )
  stageContract('DetectTraceAnomalies', () => new DetectTraceAnomalies(), story(20))
})
