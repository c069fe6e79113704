import { type Anomaly, anomalies, type Input, type LogEvent, logsParsed, seededRandom } from '@aegis/domain'
import { stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage, tick } from '@aegis/runtime/testing'
import { describe, expect, it } from 'vitest'
import { DetectLogAnomalies } from './detect-log-anomalies.ts'

const T0 = 1_700_000_000_000_000
const SECOND = 1_000_000
const HEALTHY = ['served <*>', 'order <*> placed', 'cart of <*> emptied']

const event = (second: number, offset: number, template: string, over: Partial<LogEvent> = {}): LogEvent => ({
  id: `${second} ${offset}`,
  environment: 'test',
  time: T0 + second * SECOND + offset,
  entity: 'service:a',
  service: 'a',
  service_known_by: 'given',
  template_id: template,
  template,
  parameters: [],
  severity: 'INFO',
  category: 'other',
  mentions: [],
  body: template.replace('<*>', `x${offset}`),
  partition: 3,
  offset: 1000 * second + offset,
  ...over,
})
/** A second of ordinary life and what comes on top, then a tick: windows of a second. */
const life = (
  seconds: number,
  extra: (second: number) => Partial<LogEvent>[] = () => [],
  drop: (second: number, template: string) => boolean = () => false,
): Input[] => {
  const random = seededRandom(11)
  return Array.from({ length: seconds }, (_, s) => {
    const usual = HEALTHY.flatMap((template, i) => Array.from({ length: 3 + i + Math.floor(3 * random()) }, () => template))
    const lines = usual.filter(template => !drop(s, template)).map((template, i) => event(s, i, template))
    const more = extra(s).map((over, i) => event(s, 500 + i, over.template_id ?? '', over))
    return [...lines, ...more]
      .map(e => received(logsParsed, e, e.offset) as Input)
      .concat(tick(T0 + (s + 1) * SECOND, { offset: 1000 * s + 999 }))
  }).flat()
}
const create = () => new DetectLogAnomalies({ windowUs: SECOND })
const states = (list: readonly Anomaly[]) => list.map(a => a.state)

describe('DetectLogAnomalies by windows', () => {
  it('is silent on ordinary life', async () => {
    expect((await runStage(create(), [life(300)])).of(anomalies)).toEqual([])
  })
  const quota = (s: number) =>
    s === 200 ? [{ template_id: 'quota of <*> used up', template: 'quota of <*> used up', body: 'quota of eve used up' }] : []
  it('tells of a new template, quotes it with its place, and closes', async () => {
    const found = (await runStage(create(), [life(230, quota)])).of(anomalies)
    expect(states(found)).toEqual(['open', 'close'])
    expect(found[0]).toMatchObject({
      detector: 'log-windows',
      severity: 'low',
      entity: 'service:a',
      templates: ['quota of <*> used up'],
      evidence: [{ kind: 'log', text: 'quota of eve used up', stream: 'logs.raw', partition: 3, offset: 200_500 }],
    })
    expect(found[0].summary).toContain('new template: "quota of <*> used up"')
  })
  it('tells of a template that stopped, with the last lines of it', async () => {
    const found = (
      await runStage(create(), [life(230, undefined, (s, template) => s >= 200 && template === 'order <*> placed')])
    ).of(anomalies)
    const last = found.findLast(a => a.state !== 'close')
    expect(last).toMatchObject({ severity: 'low', templates: ['order <*> placed'] })
    const quoted = last?.evidence.filter(e => e.name === 'order <*> placed') ?? []
    expect(quoted.length).toBeGreaterThan(0)
    for (const { offset, text } of quoted)
      expect([Math.floor((offset as number) / 1000), text]).toEqual([199, expect.stringMatching(/^order x\d+ placed$/)])
  })
  it('is graver when errors are in an unusual mix', async () => {
    const failed = (s: number) =>
      s >= 200 && s < 212
        ? Array.from({ length: 2 }, () => ({ template_id: 'failed <*>', template: 'failed <*>', severity: 'ERROR' }))
        : []
    const found = (await runStage(create(), [life(240, failed)])).of(anomalies).filter(a => a.detector === 'log-windows')
    expect(found.map(a => a.severity)).toContain('medium')
    expect(states(found).at(-1)).toBe('close')
  })
  it('says nothing of a window that was a pause of the clock', async () => {
    const before = life(200)
    const after = tick(T0 + 9000 * SECOND, { offset: 300_000 })
    expect((await runStage(create(), [[...before, after]])).of(anomalies)).toEqual([])
  })
  it('reads the snapshot of the version that knew bad lines only', async () => {
    const old = {
      clocks: { common: T0, own: [] },
      entities: [['test\0service:a', { environment: 'test', ticks: 50, templates: {} }]],
    }
    const stage = create()
    stage.restore(Buffer.from(JSON.stringify(old)), 1)
    const bad = Array.from(
      { length: 4 },
      (_, i) => received(logsParsed, event(1, i, 'lost <*>', { severity: 'ERROR' }), i) as Input,
    )
    const { of } = await runStage(stage, [[...bad, tick(T0 + 2 * SECOND)]])
    expect(of(anomalies).map(a => a.detector)).toEqual(['log-templates'])
  })
  stageContract('DetectLogAnomalies by windows', create, life(230, quota))
})
