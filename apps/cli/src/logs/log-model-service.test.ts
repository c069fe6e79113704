/** A model trained by the command line judges lines in the service, and what the service learned judges a file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DetectLogAnomalies } from '@aegis/anomaly-detector/detect-log-anomalies'
import { modelAuthority } from '@aegis/authority'
import { anomalies, type Input, type LogEvent, logsParsed, type ModelVersion, models } from '@aegis/domain'
import { sealed } from '@aegis/model-registry'
import { received, runStage, tick } from '@aegis/runtime/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exportModel, readModels } from '../commands/models.ts'
import { LogModel } from './log-model.ts'
import { LogReader } from './read-log.ts'

const START = Date.UTC(2026, 0, 1, 12)
const environment = 'shop'
type Extra = (second: number) => string[]
const eve: Extra = s => (s % 1000 === 100 ? ['quota of customer eve exceeded'] : [])
const none: Extra = () => []

/** The events of some seconds of an ordinary life, as the log-parser makes them. */
async function read(from: number, seconds: number, extra: Extra, onEvent: (event: LogEvent, line: number) => void) {
  const reader = new LogReader({ arrival: (START + 86_400_000) * 1000, onEvent })
  for (let s = from; s < from + seconds; s++)
    for (const line of [`order ${s} placed`, `served ${7 * s} bytes`, ...extra(s)])
      await reader.line(`${new Date(START + s * 1000).toISOString()} INFO [shop-cart] ${line}`)
  await reader.finish(1)
}
async function train(model: LogModel, from: number, seconds: number, extra: Extra = none): Promise<LogModel> {
  await read(from, seconds, extra, (event, line) => model.event(event, line))
  model.end()
  return model
}
/** The same seconds as inputs of the stage, with a tick after each. */
async function inputs(from: number, seconds: number, extra: Extra, inForce?: (id: string) => ModelVersion | undefined) {
  const bySecond = new Map<number, LogEvent[]>()
  await read(from, seconds, extra, event => {
    const s = Math.floor((event.time / 1000 - START) / 1000)
    bySecond.set(s, [...(bySecond.get(s) ?? []), { ...event, environment }])
  })
  const out: Input[] = []
  for (let s = from; s < from + seconds; s++) {
    for (const event of bySecond.get(s) ?? []) out.push(received(logsParsed, event, out.length) as Input)
    const published = ((_: unknown, id: string) => inForce?.(id)) as never
    out.push(tick((START + (s + 1) * 1000) * 1000, { offset: out.length, inForce: published }))
  }
  return out
}

describe('a log model', () => {
  let folder = ''
  let file = ''
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'aegis-model-'))
    file = join(folder, 'model.json')
    ;(await train(new LogModel(), 0, 900)).write(file)
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  const imported = () => readModels(readFileSync(file), file, { environment, timeUs: START * 1000 })
  const of = (list: readonly ModelVersion[]) => (id: string) => list.find(m => m.id === id)

  it('trained by the command line judges lines in the service from the first on', async () => {
    const list = imported()
    expect(list.map(m => m.id)).toEqual(['log-watch/shop/service:shop-cart'])
    const told = async (more: ModelVersion[]) =>
      (await runStage(new DetectLogAnomalies(), [await inputs(4000, 160, eve, of(more))])).of(anomalies)
    expect(await told([])).toEqual([])
    const found = await told(list)
    expect(found[0]).toMatchObject({
      state: 'open',
      entity: 'service:shop-cart',
      evidence: [{ text: 'quota of customer eve exceeded' }],
    })
    expect(found[0]?.summary).toContain('new template: "quota of customer <*> exceeded"'.slice(0, 20))
  })
  it('learned by the service judges a file', async () => {
    const { of: emitted } = await runStage(new DetectLogAnomalies({ publishAfter: 100 }), [await inputs(0, 900, none)])
    const [learned] = emitted(models)
    expect(learned).toMatchObject({ id: 'log-watch/shop/service:shop-cart', state: 'active', metrics: { windows: 100 } })
    const out = join(folder, 'learned.json')
    await exportModel(learned as ModelVersion, out)
    expect(readFileSync(out, 'utf8')).not.toContain('order 12 placed')
    expect((await train(LogModel.read(out), 4000, 300)).findings).toEqual([])
    const { findings } = await train(LogModel.read(out), 4000, 300, eve)
    expect(findings.map(f => [f.kind, f.quotes[0]?.text])).toEqual([['new template', 'quota of customer eve exceeded']])
  })
  it('goes on where a service is gone, and what somebody went back to is not replaced', async () => {
    const [first] = imported()
    const held = { ...first, state: 'held' } as ModelVersion
    const stage = new DetectLogAnomalies({ publishAfter: 20 })
    const { of: emitted } = await runStage(stage, [await inputs(4000, 300, none, of([held]))])
    expect(emitted(models)).toEqual([])
    const next = await runStage(new DetectLogAnomalies({ publishAfter: 20 }), [
      await inputs(4000, 600, none, of([first as ModelVersion])),
    ])
    // Half as many windows as the 180 it began with.
    expect(next.of(models).map(m => m.metrics?.windows)).toEqual([270])
  })
  it('is taken from those who may sign, and from nobody else where signatures are asked for', async () => {
    const authority = modelAuthority(folder, 'anomaly-detector')
    const told = async (model: ModelVersion) => {
      const refused: string[] = []
      const stage = new DetectLogAnomalies({ ...authority, onRefused: (_id, _version, why) => refused.push(why) })
      const { of: emitted } = await runStage(stage, [await inputs(4000, 160, eve, of([model]))])
      return [emitted(anomalies).length > 0, ...refused]
    }
    const [model] = imported() as [ModelVersion]
    expect(await told(model)).toEqual([false, 'it is not signed'])
    expect(await told(sealed(model, modelAuthority(folder, 'cli').signer))).toEqual([true])
    const stranger = { ...modelAuthority(join(folder, 'elsewhere'), 'cli').signer }
    expect(await told(sealed(model, stranger))).toEqual([false, "its signature is not cli's"])
    expect(await told(sealed(model, { ...stranger, signer: 'gateway' }))).toEqual([false, 'gateway may not sign models'])
    // What the service publishes it takes up itself, after a restart that lost all.
    const { of: emitted } = await runStage(new DetectLogAnomalies({ ...authority, publishAfter: 100 }), [
      await inputs(0, 900, none),
    ])
    expect(await told(emitted(models)[0] as ModelVersion)).toEqual([true])
  })
  it('that is damaged is refused, and what was learned stays', async () => {
    const [model] = imported()
    const refused: string[] = []
    const weights = Buffer.from(model?.weights as Uint8Array)
    weights[weights.length >> 1] ^= 255
    const stage = new DetectLogAnomalies({ onRefused: (_id, _version, why) => refused.push(why) })
    const bad = { ...model, weights } as ModelVersion
    expect((await runStage(stage, [await inputs(4000, 160, eve, of([bad]))])).of(anomalies)).toEqual([])
    expect(refused).toEqual([expect.stringContaining('as was said')])
    const text = JSON.parse(readFileSync(file, 'utf8'))
    const written = (change: (state: Record<string, never>) => void) => {
      const copy = structuredClone(text)
      change(copy.services[0][1])
      writeFileSync(join(folder, 'bad.json'), JSON.stringify(copy).replace('"1e999"', '1e999'))
      return () => LogModel.read(join(folder, 'bad.json'))
    }
    expect(written(s => Object.assign(s.rates, { volume: '1e999' }))).toThrow('is damaged: rates.volume of shop-cart')
    expect(written(s => Object.assign(s, { sessions: {} }))).toThrow('is damaged: sessions.active of shop-cart')
    expect(written(s => Object.assign(s.rates, { templates: [['x', { text: 'y' }]] }))).toThrow('is damaged: slot of a template')
  })
})
