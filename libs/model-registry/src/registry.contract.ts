/** What every registry must do; run against the `models` stream and against a real MLflow server. */
import { expect, it } from 'vitest'
import type { ModelRegistry } from './registry.ts'

const bytes = (text: string) => Buffer.from(JSON.stringify({ text, weights: [1, 2.5] }))

/** @param name of a model that nobody else uses, one for each call */
export function registryContract(make: () => Promise<ModelRegistry>, name: () => string): void {
  it('keeps what was registered, with figures, lineage and what goes with it', async () => {
    const [registry, model] = [await make(), name()]
    const made = await registry.registerModel(
      bytes('a'),
      model,
      { accuracy: 0.75, rows: 1200 },
      { 'card.md': '# a\nsecond line' },
      { lineage: { stream: 'logs.parsed', parent: 'x' } },
    )
    expect(made).toMatchObject({ name: model, state: 'registered', metrics: { accuracy: 0.75, rows: 1200 } })
    expect(made.version).toMatch(/^[0-9a-f]{12}$/)
    const loaded = await registry.loadModel(model, made.version)
    expect(Buffer.from(loaded.weights).toString()).toBe(bytes('a').toString())
    expect(loaded).toMatchObject({
      version: made.version,
      artifacts: { 'card.md': '# a\nsecond line' },
      lineage: { stream: 'logs.parsed', parent: 'x' },
    })
    expect(loaded.lineage.digest).toMatch(/^sha256:[0-9a-f]{64}$/)
  })
  it('knows the same bytes again', async () => {
    const [registry, model] = [await make(), name()]
    const one = await registry.registerModel(bytes('a'), model, {})
    expect((await registry.registerModel(bytes('a'), model, { later: 1 })).version).toBe(one.version)
    expect(await registry.versions(model)).toHaveLength(1)
  })
  it('moves versions through their life, one in force at a time', async () => {
    const [registry, model] = [await make(), name()]
    const versions: string[] = []
    for (const text of ['a', 'b', 'c']) versions.push((await registry.registerModel(bytes(text), model, {})).version)
    const [a, b, c] = versions as [string, string, string]
    const states = async () => Object.fromEntries((await registry.versions(model)).map(v => [v.version, v.state]))
    expect((await registry.loadModel(model, 'latest')).version).toBe(c)
    await expect(registry.loadModel(model, 'champion')).rejects.toThrow('has no version champion')
    await registry.promoteModel(model, a, 'active')
    expect((await registry.loadModel(model, 'champion')).version).toBe(a)
    await registry.promoteModel(model, b, 'candidate')
    await registry.promoteModel(model, b, 'canary')
    expect((await registry.loadModel(model, 'challenger')).version).toBe(b)
    expect((await registry.loadModel(model, 'champion')).version).toBe(a)
    await registry.promoteModel(model, b, 'active')
    expect(await states()).toEqual({ [a]: 'retired', [b]: 'active', [c]: 'registered' })
    expect((await registry.loadModel(model, 'champion')).version).toBe(b)
    await expect(registry.loadModel(model, 'challenger')).rejects.toThrow('has no version challenger')
    // It did harm: the one before it is held.
    await registry.promoteModel(model, b, 'rolled_back')
    await registry.promoteModel(model, a, 'held')
    expect(await states()).toEqual({ [a]: 'held', [b]: 'rolled_back', [c]: 'registered' })
    expect((await registry.loadModel(model, 'champion')).version).toBe(a)
    await expect(registry.promoteModel(model, b, 'active')).rejects.toThrow('is rolled_back and cannot become active')
  })
  it('says what there is where there is not what was asked for', async () => {
    const [registry, model] = [await make(), name()]
    await expect(registry.loadModel(model, 'latest')).rejects.toThrow(`no model is called ${model}`)
    const { version } = await registry.registerModel(bytes('a'), model, {})
    await expect(registry.loadModel(model, 'ffff')).rejects.toThrow(`${model} has no version ffff; there are ${version}`)
    await expect(registry.promoteModel(model, 'ffff', 'active')).rejects.toThrow('has no version ffff')
    await expect(registry.registerModel(bytes('b'), model, { accuracy: Number.NaN })).rejects.toThrow('accuracy is no number')
    await expect(registry.registerModel(new Uint8Array(5_000_000), model, {})).rejects.toThrow('more than')
    expect(await registry.versions(model)).toHaveLength(1)
  })
}
