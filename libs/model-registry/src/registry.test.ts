import { generateKeyPairSync } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { ModelVersion } from '@aegis/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inflate, notFinite, objectionToModel, sealed, unlike } from './check-model.ts'
import { copyVersions } from './copy-versions.ts'
import { KnownVersions } from './known-versions.ts'
import { cardOf, cardText } from './model-card.ts'
import { registryContract } from './registry.contract.ts'
import { type ModelStream, StreamRegistry } from './stream-registry.ts'

class Remembered implements ModelStream {
  readonly all: ModelVersion[] = []
  async versions() {
    return [...this.all]
  }
  async publish(version: ModelVersion) {
    this.all.push(version)
  }
}
const { privateKey: key, publicKey } = generateKeyPairSync('ed25519')
const clock = () => {
  let now = 1_700_000_000_000_000
  return () => now++
}
let names = 0
const nextName = () => `log-watch/shop/service:${names++}`
const bytes = (text: string) => Buffer.from(JSON.stringify({ text }))

describe('the models stream as a registry', () => {
  registryContract(
    async () =>
      new StreamRegistry(new Remembered(), {
        now: clock(),
        signer: { key, signer: 'keeper' },
        keys: new Map([['keeper', publicKey]]),
      }),
    nextName,
  )
  it('gives nothing whose bytes or signature are not right', async () => {
    const stream = new Remembered()
    const registry = (signer?: { key: typeof key; signer: string }) =>
      new StreamRegistry(stream, { now: clock(), signer, keys: new Map([['keeper', publicKey]]) })
    await registry().registerModel(bytes('unsigned'), 'm', {})
    await expect(registry().loadModel('m', 'latest')).rejects.toThrow('it is not signed')
    const own = registry({ key, signer: 'keeper' })
    const { version } = await own.registerModel(bytes('signed'), 'm', {})
    await own.promoteModel('m', version, 'active')
    expect((await own.loadModel('m', 'champion')).version).toBe(version)
    const last = stream.all.at(-1) as ModelVersion
    stream.all.push({ ...last, weights: bytes('other') })
    await expect(own.loadModel('m', 'champion')).rejects.toThrow('as was said')
    // Good weights under another name are somebody else's model.
    stream.all.push({ ...last, id: 'n' })
    await expect(own.loadModel('n', 'champion')).rejects.toThrow("its signature is not keeper's")
    const stranger = generateKeyPairSync('ed25519').privateKey
    await registry({ key: stranger, signer: 'stranger' }).registerModel(bytes('mine'), 'o', {})
    await expect(own.loadModel('o', 'latest')).rejects.toThrow('stranger may not sign models')
  })
  it('refuses weights that are no numbers', async () => {
    const registry = new StreamRegistry(new Remembered(), { now: clock() })
    await expect(registry.registerModel(Buffer.from('{"w":[1,1e999]}'), 'm', {})).rejects.toThrow('no number, at w.1')
    const bomb = gzipSync(Buffer.alloc(70_000_000))
    await expect(registry.registerModel(bomb, 'm', {})).rejects.toThrow('holds more than')
  })
})

describe('a copy elsewhere', () => {
  it('waits while the other is away, loses nothing, and repeats nothing', async () => {
    const [stream, there] = [new Remembered(), new Remembered()]
    const here = new StreamRegistry(stream, { now: clock() })
    const away = { yes: true }
    const other = new StreamRegistry(
      {
        versions: () =>
          away.yes ? Promise.reject(Object.assign(new Error('away'), { code: 'STORE_UNAVAILABLE' })) : there.versions(),
        publish: v => there.publish(v),
      },
      { now: clock() },
    )
    const versions: string[] = []
    for (const text of ['a', 'b']) versions.push((await here.registerModel(bytes(text), 'm', { x: 1 })).version)
    const [a, b] = versions as [string, string]
    await here.promoteModel('m', a, 'active')
    await expect(copyVersions(stream.all, other)).rejects.toThrow('away')
    expect((await here.loadModel('m', 'champion')).version).toBe(a)
    await here.promoteModel('m', b, 'candidate')
    away.yes = false
    expect(await copyVersions(stream.all, other)).toEqual({ registered: 2, moved: 2, refused: [] })
    expect(await copyVersions(stream.all, other)).toEqual({ registered: 0, moved: 0, refused: [] })
    await here.promoteModel('m', b, 'active')
    await copyVersions(stream.all, other)
    const states = async (of: StreamRegistry) => (await of.versions('m')).map(v => [v.version, v.state])
    expect(await states(other)).toEqual(await states(here))
    expect(await states(other)).toEqual([
      [a, 'retired'],
      [b, 'active'],
    ])
  })
})

describe('what is looked at before a model is used', () => {
  const model: ModelVersion = { id: 'm', environment: '*', time: 1, version: '1', state: 'active', weights: bytes('a') }
  it('finds what is no number, wherever it stands', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY), (value, bad) => {
        expect(notFinite(value)).toBeUndefined()
        expect(notFinite({ deep: [value, { here: bad }] })).toBe('deep.1.here')
        expect(notFinite({ w: new Float32Array([1, bad]) })).toBe('w.1')
      }),
    )
  })
  it('any other bytes, name or version break digest or signature', () => {
    const good = sealed(model, { key, signer: 'keeper' })
    const keys = new Map([['keeper', publicKey]])
    expect(objectionToModel(good, keys)).toBeUndefined()
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), weights => {
        fc.pre(!Buffer.from(weights).equals(model.weights as Buffer))
        expect(objectionToModel({ ...good, weights })).toContain('as was said')
      }),
    )
    expect(objectionToModel({ ...good, id: 'n' }, keys)).toContain('its signature')
    expect(objectionToModel({ ...good, version: '2' }, keys)).toContain('its signature')
  })
  it('inflates no more than it may, and says what is not of the form', () => {
    expect(inflate(gzipSync('abc'), 'it').toString()).toBe('abc')
    expect(() => inflate(gzipSync(Buffer.alloc(1000)), 'it', 999)).toThrow('it holds more than 999 bytes')
    expect(() => inflate(Buffer.from('x'), 'it')).toThrow('it cannot be inflated')
    expect(unlike({ a: [{ n: 1 }], b: null }, { a: [{ n: 2 }, { n: '3' }], b: 1 })).toBe('a.1.n')
    expect(unlike({ a: [] }, { a: {} })).toBe('a')
    expect(unlike({ a: 1 }, null)).toBe('all of it')
  })
})

it('known versions are the last of each model, in the order in which they came', () => {
  const known = new KnownVersions({ models: 2, each: 2 })
  for (const [id, v] of ['a1', 'b1', 'a2', 'a3', 'b2'].map(t => [t[0], t[1]] as [string, string]))
    known.see({ id, environment: '*', time: 1, version: v, state: 'active', weights: null })
  expect(known.all().map(m => m.id + m.version)).toEqual(['b1', 'a2', 'a3', 'b2'])
  known.see({ id: 'c', environment: '*', time: 1, version: '1', state: 'active', weights: null })
  expect(known.all().map(m => m.id + m.version)).toEqual(['b1', 'b2', 'c1'])
})

describe('the card of a version', () => {
  it('says what it was made of, how it did, and what is not known', () => {
    const m: ModelVersion = {
      id: 'm',
      environment: '*',
      time: 1_700_000_000_000_000,
      version: '1',
      state: 'active',
      weights: bytes('a'),
      metrics: { rows: 1200, holdout_accuracy: 0.8125, ece: 0.03 },
      lineage: { stream: 'logs.parsed', from: 'A', to: 'B', features: 'x\ny', parent: 'p|q' },
    }
    const card = cardOf(sealed(m, { key, signer: 'keeper' }))
    expect(card).toMatchObject({
      data: { stream: 'logs.parsed', from: 'A', to: 'B', rows: 1200 },
      features: ['x', 'y'],
      figures: { holdout_accuracy: 0.8125 },
      calibration: { ece: 0.03 },
      limits: [],
      lineage: { parent: 'p|q' },
    })
    expect(cardText(card)).toContain('| holdout accuracy | 0.8125 |')
    expect(cardText(card)).toContain('| parent | p\\|q |')
    expect(cardOf({ ...m, metrics: {}, lineage: {} }).limits).toHaveLength(3)
  })
})
