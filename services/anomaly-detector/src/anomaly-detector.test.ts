import {
  type Anomaly,
  anomalies,
  type Input,
  type LogEvent,
  logsParsed,
  metricsRaw,
  type Observation,
  seededRandom,
} from '@aegis/domain'
import { boundsContract, stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage, tick } from '@aegis/runtime/testing'
import { describe, expect, it } from 'vitest'
import { DetectLogAnomalies } from './detect-log-anomalies.ts'
import { DetectMetricAnomalies } from './detect-metric-anomalies.ts'
import { observation, SECOND, T0 } from './observations.cases.ts'

/** One observation a second and a tick after it. */
const seconds = (n: number, make: (second: number) => Observation[]): Input[] =>
  Array.from({ length: n }, (_, s) => [
    ...make(s).map((o, i) => received(metricsRaw, o, s * 10 + i)),
    tick(T0 + s * SECOND + 500_000, { offset: s * 10 + 9 }),
  ]).flat()
const states = (list: readonly Anomaly[]) => list.map(a => a.state)
const noise = () => {
  const random = seededRandom(3)
  return () => random() * 4
}

describe('DetectMetricAnomalies', () => {
  const jump = () => {
    const wobble = noise()
    return seconds(60, s => [
      observation('latency', s, (s >= 30 && s < 40 ? 900 : 100) + wobble()),
      observation('other', s, 50 + wobble()),
    ])
  }
  it('opens once, says which series is guilty with its band, and closes', async () => {
    const { of } = await runStage(new DetectMetricAnomalies(), [jump()])
    const list = of(anomalies)
    expect(states(list)).toEqual(['open', 'close'])
    expect(list[0].series?.map(g => g.metric)).toEqual(['latency'])
    expect(list[0].series?.[0].expected_high).toBeLessThan(250)
    expect(list[0].time - (T0 + 30 * SECOND)).toBeLessThanOrEqual(3 * SECOND)
    expect(list[0].evidence[0].text).toMatch(/latency was 9\d\d/)
  })
  it('stays silent on noise, and while it has seen too little', async () => {
    const wobble = noise()
    const { of } = await runStage(new DetectMetricAnomalies(), [
      seconds(200, s => [observation('latency', s, 100 + 5 * wobble())]),
    ])
    expect(of(anomalies)).toEqual([])
    const early = await runStage(new DetectMetricAnomalies(), [seconds(8, s => [observation('latency', s, s === 7 ? 1e6 : 100)])])
    expect(early.of(anomalies)).toEqual([])
  })
  it('takes a counter for its rate, through a reset and a restart of the instance', async () => {
    let total = 0
    const { of } = await runStage(new DetectMetricAnomalies(), [
      seconds(80, s => {
        if (s === 40) total = 0
        total += 10
        return [
          observation('requests', s, total, {
            metric_type: 'counter',
            unit: '{request}',
            dimensions: { instance: s < 60 ? 'one' : 'two' },
          }),
        ]
      }),
    ])
    expect(of(anomalies)).toEqual([])
  })
  it('makes a mean of sum and count', async () => {
    const { of } = await runStage(new DetectMetricAnomalies(), [
      seconds(50, s => [
        observation('t.count', s, 10 * s, { metric_type: 'counter' }),
        observation('t.sum', s, (s < 30 ? 1 : 10) * 10 * s, { metric_type: 'counter', unit: 's' }),
      ]),
    ])
    expect(of(anomalies)[0]?.series?.map(g => g.metric)).toContain('t.mean')
  })
  it('notices an entity that falls silent, and its return', async () => {
    const { of } = await runStage(new DetectMetricAnomalies(), [
      seconds(60, s => (s >= 30 && s < 45 ? [] : [observation('latency', s, 100)])),
    ])
    expect(states(of(anomalies))).toEqual(['open', 'close'])
    expect(of(anomalies)[0].series?.[0]).toMatchObject({ metric: 'telemetry', value: 0 })
  })
  it('takes a level that lasts for the new normal', async () => {
    const { of } = await runStage(new DetectMetricAnomalies(), [
      seconds(800, s => [observation('latency', s, s < 50 ? 100 : 900)]),
    ])
    expect(states(of(anomalies)).filter(s => s !== 'update')).toEqual(['open', 'close'])
  })
  it('does not close between the reports of a slow series', async () => {
    const inputs = Array.from({ length: 40 }, (_, s) => s).flatMap(s => [
      received(metricsRaw, observation('latency', s * 60, s >= 25 ? 900 : 100), s),
      ...Array.from({ length: 6 }, (_, i) => tick(T0 + s * 60 * SECOND + i * 10 * SECOND)),
    ])
    const { of } = await runStage(new DetectMetricAnomalies(), [inputs])
    expect(states(of(anomalies)).filter(s => s !== 'update')).toEqual(['open'])
  })
  it('leaves out what comes late, and says when a line goes flat and moves again', async () => {
    const wobble = noise()
    const inputs = seconds(260, s => [
      observation('level', s, s >= 150 && s < 230 ? 100 : 100 + wobble()),
      ...(s % 10 === 9 ? [observation('level', s - 8, 1e6)] : []),
    ])
    const { of } = await runStage(new DetectMetricAnomalies(), [inputs])
    expect(of(anomalies).map(a => [a.detector, a.state, a.severity])).toEqual([
      ['series-watch', 'open', 'low'],
      ['series-watch', 'close', 'low'],
    ])
    expect(of(anomalies)[0].id).toBe(of(anomalies)[1].id)
  })
  it('converts a unit that changed without a word, and tells of it', async () => {
    const wobble = noise()
    const inputs = seconds(120, s => [observation('size', s, (s < 60 ? 500 : 0.5) * (1 + wobble() / 400), { unit: '' })])
    const { of } = await runStage(new DetectMetricAnomalies(), [inputs])
    const told = of(anomalies).filter(a => a.detector === 'series-watch')
    expect(told).toMatchObject([{ state: 'open' }, { state: 'close' }])
    expect(told[0].summary).toContain('times 1000')
    // The jump is seen before its reason is, and is over once that is known.
    expect(states(of(anomalies).filter(a => a.detector !== 'series-watch'))).toEqual(['open', 'close'])
  })
  boundsContract(
    'DetectMetricAnomalies',
    () => new DetectMetricAnomalies(),
    round => [
      received(metricsRaw, { ...observation('latency', 60 * round, 9), entity: `pod:${round}` }, round),
      tick(T0 + 60 * round * SECOND, { offset: round }),
    ],
    1600,
  )
  stageContract('DetectMetricAnomalies', () => new DetectMetricAnomalies(), jump())
})

describe('DetectLogAnomalies', () => {
  const event = (second: number, body: string, over: Partial<LogEvent> = {}): LogEvent => ({
    id: `${second}${body}`,
    environment: 'test',
    time: T0 + second * SECOND,
    entity: 'service:a',
    service: 'a',
    service_known_by: 'given',
    template_id: body,
    template: body,
    parameters: [],
    severity: 'ERROR',
    category: 'other',
    mentions: [],
    body,
    partition: 0,
    offset: second,
    ...over,
  })
  const stream = (n: number, make: (second: number) => LogEvent[]): Input[] =>
    Array.from({ length: n }, (_, s) => [
      ...make(s).map((e, i) => received(logsParsed, e, s * 10 + i)),
      tick(T0 + s * SECOND + 500_000),
    ]).flat()
  const burst = () =>
    stream(60, s => [
      event(s, 'all is well', { severity: 'INFO' }),
      ...(s >= 30 && s < 34
        ? [event(s, 'cannot connect', { fault_pattern: 'connection-refused' }), event(s, 'cannot connect')]
        : []),
    ])
  it('opens on new bad lines, quotes them with their places, and closes', async () => {
    const { of } = await runStage(new DetectLogAnomalies(), [burst()])
    expect(states(of(anomalies))).toEqual(['open', 'close'])
    expect(of(anomalies)[0].evidence[0]).toMatchObject({ kind: 'log', text: 'cannot connect', stream: 'logs.raw', offset: 30 })
    expect(of(anomalies)[0].severity).toBe('high')
  })
  it('is used to errors that were always there', async () => {
    const { of } = await runStage(new DetectLogAnomalies(), [stream(90, s => [event(s, 'usual error'), event(s, 'usual error')])])
    expect(of(anomalies)).toEqual([])
  })
  it.each([0, 5, 9])('takes one bad line in second %i for no habit: three a second later on are news', async early => {
    const many = Array.from({ length: 3 })
    const { of } = await runStage(new DetectLogAnomalies(), [
      stream(30, s => (s === early ? [event(s, 'cannot connect')] : s < 20 ? [] : many.map(() => event(s, 'cannot connect')))),
    ])
    expect(states(of(anomalies))).toEqual(['open'])
  })
  describe('errors of a known fault that come slowly', () => {
    const full = (s: number) => event(s, 'write failed: no space left on device', { fault_pattern: 'disk_full' })
    const run = async (n: number, comes: (s: number) => boolean, line = full) =>
      (
        await runStage(new DetectLogAnomalies(), [
          stream(n, s => [event(s, 'served', { severity: 'INFO' }), ...(comes(s) ? [line(s)] : [])]),
        ])
      ).of(anomalies)
    it.each([2, 3])('open one anomaly when one comes each %i seconds, which closes when they end', async every => {
      const told = await run(260, s => s >= 30 && s < 200 && s % every === 0)
      expect(states(told)).toEqual(['open', 'close'])
      const after = (a: Anomaly) => (a.time - T0) / SECOND
      expect(after(told[0])).toBeLessThan(30 + 20 * every)
      expect(after(told[1])).toBeLessThan(225)
      expect(told[0].summary).toMatch(/time and again lines of disk full: "write failed/)
    })
    it('are none where they are few, a habit, or no known fault', async () => {
      expect(await run(400, s => s > 30 && s % 30 === 0)).toEqual([])
      expect(
        await run(
          300,
          s => s > 30 && s % 2 === 0,
          s => event(s, 'cannot connect'),
        ),
      ).toEqual([])
      for (const rate of [0.05, 0.2, 0.6, 2]) {
        const random = seededRandom(7)
        const poisson = () => {
          let n = 0
          for (let p = random(); p > Math.exp(-rate); p *= random()) n++
          return n
        }
        const { of } = await runStage(new DetectLogAnomalies({ warmUp: 300 }), [
          stream(4000, s => Array.from({ length: poisson() }, () => full(s))),
        ])
        expect(
          of(anomalies).filter(a => a.summary.includes('time and again')),
          `${rate} a second`,
        ).toEqual([])
      }
    })
  })
  boundsContract(
    'DetectLogAnomalies',
    () => new DetectLogAnomalies(),
    round => [
      received(logsParsed, event(600 * round, `cannot ${round}`, { entity: `pod:${round}` }), round),
      tick(T0 + 600 * round * SECOND),
    ],
    500,
  )
  stageContract('DetectLogAnomalies', () => new DetectLogAnomalies(), burst())
})
