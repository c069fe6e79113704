import type { ServiceContext } from '@aegis/runtime'
import fastify, { type FastifyInstance } from 'fastify'
import { beforeEach, describe, expect, it } from 'vitest'
import { stateRoutes } from './state-routes.ts'
import { StateView } from './state-view.ts'
import { ClockStandIn } from './testing.ts'

const NOW = 1_800_000_000_000_000
let app: FastifyInstance
let published: { stream: string; value: Record<string, unknown> }[]
let audited: { stream: string; value: Record<string, unknown> }[]
let clock: ClockStandIn
const inForce = () => clock.inForce.get('prod')
let declared: readonly string[] | undefined
beforeEach(async () => {
  published = []
  audited = []
  clock = new ClockStandIn()
  declared = undefined
  const view = new StateView()
  view.take('incidents', { id: 'i1', environment: 'prod', causes: [{ entity: 'service:cart' }], anomalies: [] })
  view.take('remediation.decisions', { id: 'x', decision: 'd1', incident: 'i1', environment: 'prod' })
  app = fastify()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  const context: Pick<ServiceContext, 'now' | 'publish' | 'latest' | 'tail'> = {
    now: () => NOW,
    latest: clock.latest,
    tail: clock.tail,
    publish: async (stream, values) => {
      const list = stream.name === 'audit' ? audited : published
      for (const value of values) list.push({ stream: stream.name, value: value as Record<string, unknown> })
      clock.heard(stream.name, values)
    },
  }
  stateRoutes(
    app,
    context as ServiceContext,
    view,
    text => text.replace('hunter2', '[redacted]'),
    () => declared,
  )
  await app.ready()
})
const ask = async (method: 'POST' | 'PUT', url: string, payload: unknown) => {
  const { statusCode, body } = await app.inject({
    method,
    url,
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify(payload),
  })
  return { status: statusCode, body: JSON.parse(body) }
}

describe('POST /api/v1/decisions/:id/approval', () => {
  it('puts a yes or no on remediation.approvals', async () => {
    expect((await ask('POST', '/api/v1/decisions/d1/approval', { approved: false, who: 'ada', until: NOW + 5 })).status).toBe(202)
    expect(published).toMatchObject([
      {
        stream: 'remediation.approvals',
        value: { decision: 'd1', environment: 'prod', approved: false, who: 'anonymous', until: NOW + 5 },
      },
    ])
  })
  it('says what is wrong', async () => {
    expect(await ask('POST', '/api/v1/decisions/nope/approval', { approved: true, who: 'a' })).toMatchObject({ status: 404 })
    expect((await ask('POST', '/api/v1/decisions/d1/approval', { approved: 'yes', who: '' })).status).toBe(400)
    expect(published).toEqual([])
  })
})

describe('POST /api/v1/incidents/:id/fixes', () => {
  it('records without secrets, for the first suspect unless told, now unless told', async () => {
    await ask('POST', '/api/v1/incidents/i1/fixes', { command: 'login hunter2', success: true, who: 'ada' })
    expect(published[0]).toMatchObject({
      stream: 'manual.fixes',
      value: { command: 'login [redacted]', target: 'service:cart', time: NOW, environment: 'prod', incident: 'i1' },
    })
  })
  it('gives one fix of one time one id, and takes no time to come', async () => {
    for (const time of [NOW - 7, NOW - 7, NOW - 8, NOW + 7])
      await ask('POST', '/api/v1/incidents/i1/fixes', { command: 'x', success: true, who: 'ada', time })
    const ids = published.map(p => p.value.id)
    expect(ids[0]).toBe(ids[1])
    expect(new Set(ids).size).toBe(3)
    expect(published.map(p => p.value.time)).toEqual([NOW - 7, NOW - 7, NOW - 8, NOW])
  })
})

describe('PUT /api/v1/controls/:environment', () => {
  it('changes what is said and keeps the rest, one version on', async () => {
    await ask('PUT', '/api/v1/controls/prod', { default_mode: 'approve', ladder: { restart: 'act' }, who: 'ada' })
    await ask('PUT', '/api/v1/controls/prod', { kill_switch: true, ladder: { start: 'canary' }, who: 'bob' })
    expect(audited.map(a => a.value.what)).toEqual(['controls.wanted', 'controls.wanted'])
    expect(inForce()).toMatchObject({
      id: 'prod@2',
      version: 2,
      kill_switch: true,
      default_mode: 'approve',
      ladder: { restart: 'act', start: 'canary' },
      who: 'anonymous',
    })
  })
  it('refuses experiments whose shares do not add up to 100, and modes that there are not', async () => {
    const arms = (a: number, b: number) => [
      { name: 'a', policy: 'rules', share: a },
      { name: 'b', policy: 'learned', share: b },
    ]
    const experiment = (a: number, b: number) => ({ experiment: { name: 'e', state: 'running', arms: arms(a, b) }, who: 'ada' })
    expect((await ask('PUT', '/api/v1/controls/prod', experiment(50, 40))).status).toBe(400)
    expect((await ask('PUT', '/api/v1/controls/prod', { default_mode: 'yolo', who: 'ada' })).status).toBe(400)
    expect(published).toEqual([])
    expect((await ask('PUT', '/api/v1/controls/prod', experiment(60, 40))).status).toBe(202)
    expect(JSON.parse(String(inForce()?.experiment))).toMatchObject({ name: 'e', state: 'running' })
  })
  it('loses nothing of many that come at once, and lets nobody undo a stop by the way', async () => {
    const said = Array.from({ length: 50 }, (_, i) =>
      ask('PUT', '/api/v1/controls/prod', i === 20 ? { kill_switch: true } : { ladder: { [`a${i}`]: 'act' } }),
    )
    await Promise.all(said)
    expect(inForce()).toMatchObject({ kill_switch: true, version: 50 })
    expect(Object.keys(inForce()?.ladder ?? {})).toHaveLength(49)
  })
  it('refuses what was said of another version, and environments that there are not', async () => {
    const put = (url: string, match: string, payload = '{"default_mode":"observe"}') =>
      app.inject({
        method: 'PUT',
        url,
        headers: { 'content-type': 'application/json', 'if-match': match },
        payload,
      })
    expect((await put('/api/v1/controls/prod', '"3"')).statusCode).toBe(412)
    expect((await put('/api/v1/controls/prod', '"0"')).statusCode).toBe(202)
    // A stop counts whatever somebody has seen.
    expect((await put('/api/v1/controls/prod', '"7"', '{"kill_switch":true}')).statusCode).toBe(202)
    expect(inForce()).toMatchObject({ kill_switch: true, default_mode: 'observe' })
    declared = ['prod']
    const answer = await put('/api/v1/controls/prdo', '0')
    expect([answer.statusCode, answer.json().message]).toEqual([404, expect.stringContaining('did you mean prod?')])
  })
})
