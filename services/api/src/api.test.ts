import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { makeKey, SCOPES, writeKeys } from '@aegis/authority'
import { afterEach, describe, expect, it } from 'vitest'
import { decision, incident, NOW, TestApi } from './testing.ts'

let api: TestApi
afterEach(() => api.stop())

describe('the inference API', () => {
  it('answers the briefed questions, and puts each answer on predictions', async () => {
    api = await new TestApi().start()
    expect((await api.ask('/ping')).body).toEqual({ status: 'ok', message: 'pong' })
    expect((await api.ask('/health')).body).toMatchObject({
      status: 'healthy',
      kafka: { status: 'up' },
      neo4j: { status: 'embedded' },
    })
    const metrics = [{ metric_type: 'cpu_usage', value: 97, timestamp: '2027-01-15T08:00:00Z', labels: { host: 'a' } }]
    expect((await api.ask('/api/v1/detect-anomaly', { metrics })).body).toMatchObject({
      is_anomaly: false,
      details: { reason: 'insufficient_history' },
      timestamp: '2027-01-15T08:00:00.000Z',
    })
    const logs = [
      { timestamp: '2027-01-15T08:00:00Z', level: 'ERROR', message: 'password=hunter22 connect ECONNREFUSED', service: 'pay' },
    ]
    const failure = await api.ask('/api/v1/detect-failure', { logs })
    expect(failure.body).toMatchObject({ failure_detected: true, failure_type: 'service_down', affected_services: ['pay'] })
    expect(failure.text).not.toContain('hunter22')
    const unsaid = await api.ask('/api/v1/detect-failure', {
      logs: [{ message: 'FATAL: could not write: No space left on device', service: 'db' }],
    })
    expect(unsaid.body).toMatchObject({ failure_type: 'storage_issues', details: { features: { error_count: 1 } } })
    expect(
      (await api.ask('/api/v1/advise', { metrics: [{ metric_type: 'cpu_usage', value: 91 }] })).body.suggestions[0].kind,
    ).toBe('scaling')
    await new Promise(resolve => setTimeout(resolve, 250))
    expect(api.published.filter(p => p.stream === 'predictions').map(p => p.value.kind)).toEqual([
      'anomaly',
      'failure',
      'failure',
      'advice',
    ])
    expect((await api.ask('/api/v1/predictions')).body).toHaveLength(4)
    expect((await api.ask('/api/v1/metrics/predictions')).body).toMatchObject({
      total: 4,
      by_kind: { anomaly: 1, failure: 2, advice: 1 },
    })
    expect((await api.ask('/api/v1/metrics/model-performance')).body.anomaly_detector.predictions).toBe(1)
    expect((await api.ask('/api/v1/metrics/stats')).body.predictions_24h).toBe(4)
  })
  it('learns across questions, and goes on after a restart', async () => {
    const historyFile = path.join(mkdtempSync(path.join(tmpdir(), 'aegis-')), 'history.sqlite')
    api = await new TestApi().start({ historyFile })
    const ask = (value: number) => api.ask('/api/v1/detect-anomaly', { metrics: [{ metric_type: 'queue_depth', value }] })
    for (let i = 0; i < 40; i++) await ask(10 + (i % 5))
    expect((await ask(400)).body).toMatchObject({ is_anomaly: true, affected_metrics: ['queue_depth'] })
    await api.stop()
    api = await new TestApi().start({ historyFile })
    expect((await ask(400)).body.is_anomaly).toBe(true)
  })
  it('names each wrong field by a pointer', async () => {
    api = await new TestApi().start()
    const { status, body, headers } = await api.ask('/api/v1/detect-anomaly', { metrics: [{ metric_type: 'a', value: 'x' }] })
    expect([status, headers.get('content-type')]).toEqual([400, 'application/problem+json; charset=utf-8'])
    expect(body).toMatchObject({ code: 'INPUT_INVALID', errors: [{ pointer: '#/metrics/0/value' }] })
    expect(
      (await api.ask('/api/v1/detect-anomaly', undefined, { method: 'POST', body: '{"metrics":' })).body.errors[0].pointer,
    ).toBe('#')
    expect((await api.ask('/api/v1/nothing')).body).toMatchObject({ status: 404, code: 'NOT_FOUND' })
  })
  it('answers policy questions by the guard, and none before the state is read', async () => {
    api = new TestApi()
    api.controls.set('prod', {
      environment: 'prod',
      kill_switch: false,
      default_mode: 'act',
      ladder: { scale_out: 'act' },
      protected: ['service:db'],
      maintenance: [],
    })
    await api.start()
    const ask = (action: string, resource: string, metadata = {}) =>
      api.ask('/api/v1/policy/evaluate', {
        action,
        resource,
        type: 'remediation',
        context: { userId: 'a', role: 'b', metadata: { environment: 'prod', ...metadata } },
      })
    expect((await ask('scale_up', 'service:cart')).body).toMatchObject({ allowed: true, matched_rules: ['ladder'] })
    expect((await ask('restart_pod', 'service:db')).body).toEqual({
      allowed: false,
      reason: 'service:db is protected',
      matched_rules: ['ladder', 'protected'],
    })
    expect((await ask('restart_pod', 'service:cart', { confidence: 0.1 })).body.matched_rules).toContain('confidence')
    await api.say('remediation.outcomes', {
      id: 'o',
      environment: 'prod',
      time: NOW,
      decision: 'd',
      incident: 'i',
      action: 'restart',
      target: 'service:cart',
      status: 'started',
      error: '',
    })
    expect((await ask('restart_pod', 'service:cart')).body).toMatchObject({
      allowed: false,
      reason: expect.stringContaining('under way'),
    })
    await api.stop()
    api = new TestApi()
    api.reads = false
    await api.start()
    expect((await ask('scale_up', 'service:cart')).status).toBe(503)
  })
})

describe('the pipeline API', () => {
  it('pages, filters, shows and exports', async () => {
    api = await new TestApi().start()
    await api.say(
      'incidents',
      ...Array.from({ length: 25 }, (_, i) =>
        incident(`i${i}`, { time: NOW + i, severity: i % 2 ? 'high' : 'low', environment: i < 20 ? 'prod' : 'dev' }),
      ),
    )
    await api.say('incidents', incident('i3', { time: NOW + 100, state: 'closed' }))
    const first = await api.ask('/api/v1/incidents?limit=10&environment=prod')
    expect(first.body.map((i: { id: string }) => i.id).slice(0, 2)).toEqual(['i3', 'i19'])
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] as string
    const second = await api.ask(next)
    expect([second.body.length, second.headers.get('link')]).toEqual([10, null])
    expect(new Set([...first.body, ...second.body].map((i: { id: string }) => i.id)).size).toBe(20)
    expect((await api.ask('/api/v1/incidents?severity=low&environment=dev')).body).toHaveLength(3)
    expect((await api.ask('/api/v1/incidents?state=closed')).body).toHaveLength(1)
    expect((await api.ask('/api/v1/incidents?entity=service:web&limit=3')).body).toHaveLength(3)
    expect((await api.ask('/api/v1/incidents?q=suffers%20cart&limit=2')).body).toHaveLength(2)
    expect((await api.ask('/api/v1/incidents?q=100%25')).body).toHaveLength(0)
    for (const bad of ['limit=0', 'limit=501', 'limit=x', 'limit=1.0', 'cursor=abc', 'since=yesterday'])
      expect((await api.ask(`/api/v1/incidents?${bad}`)).status, bad).toBe(400)
    const csv = await api.ask('/api/v1/incidents/export?format=csv&environment=dev')
    expect(csv.text.split('\r\n')).toHaveLength(7)
    expect(csv.text).toMatch(/^id,environment,time,state,severity/)
    expect((await api.ask('/api/v1/incidents/export')).text.trim().split('\n')).toHaveLength(25)
    expect((await api.ask('/api/v1/incidents/nobody')).status).toBe(404)
  })
  it('tells one incident in the order of time, with changes on the right side of the first sign', async () => {
    api = await new TestApi().start()
    await api.say('anomalies', {
      id: 'a1',
      environment: 'prod',
      time: NOW,
      entity: 'service:cart',
      state: 'open',
      severity: 'high',
      started: NOW - 60e6,
      summary: 'errors',
      series: [],
    })
    await api.say('incidents', incident('i1'))
    await api.say(
      'changes',
      {
        id: 'c1',
        environment: 'prod',
        time: NOW - 90e6,
        entity: 'service:cart',
        kind: 'deploy',
        before: '1',
        after: '2',
        author: 'ada',
        source: 'x',
      },
      {
        id: 'c2',
        environment: 'prod',
        time: NOW - 10e6,
        entity: 'service:web',
        kind: 'scale',
        before: '1',
        after: '3',
        author: null,
        source: 'x',
      },
    )
    await api.say('remediation.decisions', decision('d1', { time: NOW + 1 }))
    const { body } = await api.ask('/api/v1/incidents/i1')
    expect(body.timeline.map((t: { kind: string }) => t.kind)).toEqual(['change', 'anomaly', 'change', 'decision'])
    expect(body.timeline[0]).toMatchObject({
      text: 'deploy: 1 → 2, before the first sign, by ada',
      ref: { kind: 'changes', id: 'c1' },
    })
    expect(body.timeline[2].text).toContain('after the first sign')
    expect((await api.ask('/api/v1/decisions/d1')).body).toMatchObject({ waits: true, over: null })
    expect((await api.ask('/api/v1/records/logs.raw/0/7')).body).toMatchObject({ value: { body: 'as written' } })
    expect((await api.ask('/api/v1/records/logs.raw/0/8')).status).toBe(404)
    expect((await api.ask('/api/v1/records/nowhere/0/7')).status).toBe(404)
  })
  it('approves once, whoever clicks twice or asks again', async () => {
    api = await new TestApi().start()
    await api.say('incidents', incident('i1'))
    await api.say('remediation.decisions', decision('d1'))
    const approve = (key?: string) =>
      api.ask('/api/v1/decisions/d1/approval', { approved: true }, key ? { headers: { 'idempotency-key': key } } : {})
    const both = await Promise.all([approve('k'), approve()])
    expect(both.map(r => r.status).sort()).toEqual([202, 409])
    expect(api.published.filter(p => p.stream === 'remediation.approvals')).toHaveLength(1)
    const late = await approve()
    expect([late.status, late.body.code]).toEqual([409, 'CONFLICT'])
    expect((await approve('k')).headers.get('idempotency-replayed')).toBe('true')
    expect((await api.ask('/api/v1/decisions/d1')).body.waits).toBe(false)
  })
  it('replays the guard on recorded facts', async () => {
    api = await new TestApi().start()
    const facts = {
      environment: 'prod',
      killSwitch: false,
      ladder: {},
      defaultMode: 'approve',
      allow: [],
      deny: [],
      protectedEntities: [],
      maintenance: [],
      recent: [],
      limits: {
        disruptivePerHour: 6,
        concurrent: 1,
        cooldownMs: 1,
        minimumConfidence: 0.4,
        minimumEvidence: 1,
        errorBudgetFloor: 0,
      },
      confidence: 0.9,
      evidenceCount: 2,
      disruptive: true,
    }
    await api.say(
      'remediation.decisions',
      decision('d1', { facts: JSON.stringify({ facts }), reasons: ['the ladder of prod allows approve for restart'] }),
    )
    expect((await api.ask('/api/v1/decisions/d1/replay')).body).toMatchObject({ same: true, mode: 'approve' })
    await api.say('remediation.decisions', decision('d1', { facts: JSON.stringify({ facts }), mode: 'act' }))
    expect((await api.ask('/api/v1/decisions/d1/replay')).body).toMatchObject({ same: false })
    expect((await api.ask('/api/v1/decisions/d2/replay')).status).toBe(404)
  })
})

describe('live events', () => {
  const listen = async (last?: string) => {
    const abort = new AbortController()
    const response = await fetch(`${api.base}/api/v1/events`, {
      signal: abort.signal,
      headers: last ? { 'last-event-id': last } : {},
    })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    const heard: { event: string; id: string; data: string }[] = []
    let rest = ''
    void (async () => {
      for (;;) {
        const { value, done } = await reader.read()
        if (done) return
        rest += Buffer.from(value).toString()
        const parts = rest.split('\n\n')
        rest = parts.pop() as string
        for (const part of parts) {
          const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1] ?? ''
          heard.push({ event: field('event'), id: field('id'), data: field('data') })
        }
      }
    })().catch(() => undefined)
    await api.settle()
    return { heard, close: () => abort.abort() }
  }
  it('go on where a reader was, or say that it must ask anew', async () => {
    api = await new TestApi().start()
    const one = await listen()
    await api.say('incidents', incident('i1'))
    const last = one.heard.at(-1)
    expect(last).toMatchObject({ event: 'incidents' })
    one.close()
    await api.say('incidents', incident('i2'), incident('i1', { state: 'closed' }))
    const two = await listen(last?.id)
    expect(
      two.heard
        .filter(h => h.event === 'incidents')
        .map(h => JSON.parse(h.data))
        .map(i => `${i.id} ${i.state}`),
    ).toEqual(['i2 open', 'i1 closed'])
    two.close()
    const three = await listen('another-7')
    expect(three.heard.map(h => h.event)).toContain('reset')
    three.close()
  })
})

describe('keys', () => {
  it('are asked for by every route that is not open, each for its scope', async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'aegis-')), 'keys.json')
    const made = SCOPES.map(scope => makeKey({ name: scope, scopes: [scope], environments: ['*'] }, NOW))
    writeKeys(
      file,
      made.map(m => m.key),
    )
    api = await new TestApi().start({ keysFile: file })
    await api.say('incidents', incident('i1'))
    await api.say('remediation.decisions', decision('d1'))
    const status = async (url: string, key?: string, method = 'GET') =>
      (
        await api.ask(url, undefined, {
          method,
          ...(method !== 'GET' && { body: '{"approved":true}' }),
          headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
        })
      ).status
    const secret = (name: string) => made[SCOPES.indexOf(name as never)].secret
    // On this machine reading needs no key; saying does.
    expect(await status('/api/v1/incidents')).toBe(200)
    expect(await status('/api/v1/decisions/d1/approval', undefined, 'POST')).toBe(401)
    expect(await status('/api/v1/decisions/d1/approval', secret('read'), 'POST')).toBe(403)
    expect(await status('/api/v1/controls/prod', secret('approve'), 'PUT')).toBe(403)
    expect(await status('/api/v1/incidents', secret('ingest'))).toBe(403)
    expect(await status('/api/v1/incidents', 'aegis_nobody')).toBe(401)
    expect(await status('/api/v1/decisions/d1/approval', secret('approve'), 'POST')).toBe(202)
    expect(await status('/health')).toBe(200)
    await api.stop()
    api = await new TestApi().start({ keysFile: file, listenHost: '0.0.0.0', allowedHosts: ['127.0.0.1'] })
    expect(await status('/api/v1/incidents')).toBe(401)
    expect(await status('/api/v1/detect-anomaly', undefined, 'POST')).toBe(401)
  })
  it('and the document tells of every route and no other', async () => {
    api = await new TestApi().start()
    const { body } = await api.ask('/openapi.json')
    expect(body.openapi).toBe('3.1.0')
    const ids = Object.values(body.paths).flatMap(p =>
      Object.values(p as Record<string, { operationId: string }>).map(o => o.operationId),
    )
    expect(new Set(ids).size).toBe(ids.length)
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining(['/health', '/api/v1/detect-failure', '/api/v1/incidents/{id}', '/api/v1/events']),
    )
    expect((await api.ask('/docs')).text).toContain('swagger-ui')
    const policy = (await api.ask('/')).headers.get('content-security-policy') ?? ''
    expect(/script-src ([^;]+)/.exec(policy)?.[1]).toMatch(/^'self' 'sha256-\S+' 'sha256-\S+'$/)
  })
})
