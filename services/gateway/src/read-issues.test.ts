import { describe, expect, it } from 'vitest'
import { alert, issue, issueOf, issueOfAlert } from './read-issues.ts'

const options = { environment: 'default', now: 7, redact: (text: string) => text.replace('secret', '[redacted]') }

describe('issues from outside', () => {
  const posted = {
    status: 'firing',
    labels: { alertname: 'HighErrorRate', severity: 'page', service: 'pay', pod: 'pay-0' },
    annotations: { summary: 'secret: 7 % of requests fail' },
    startsAt: '2026-01-31T12:00:00Z',
    endsAt: '0001-01-01T00:00:00Z',
    fingerprint: 'f1',
  }
  it('reads an alert of Alertmanager, and its end', () => {
    expect(issueOfAlert(alert.parse(posted), options)).toMatchObject({
      id: 'f1',
      environment: 'default',
      time: Date.parse('2026-01-31T12:00:00Z') * 1000,
      entity: 'service:pay',
      kind: 'alert',
      state: 'firing',
      severity: 'critical',
      summary: '[redacted]: 7 % of requests fail',
    })
    const ended = { ...posted, status: 'resolved', endsAt: '2026-01-31T12:05:00Z' }
    expect(issueOfAlert(alert.parse(ended), options)).toMatchObject({ id: 'f1', state: 'resolved' })
  })
  it('knows crash loops and probes by their names, and hosts by their instance', () => {
    const of = (labels: Record<string, string>) => issueOfAlert(alert.parse({ status: 'firing', labels }), options)
    expect(of({ alertname: 'KubePodCrashLooping', pod: 'pay-0' })).toMatchObject({
      kind: 'crash_loop',
      entity: 'pod:pay-0',
      time: 7,
    })
    expect(of({ alertname: 'ProbeFailed', instance: 'h1:9100' })).toMatchObject({ kind: 'probe', entity: 'host:h1' })
    expect(of({ alertname: 'Watchdog' }).entity).toBeNull()
  })
  it('gives the same issue the same id, whatever its state', () => {
    const of = (state: string) => issueOf(issue.parse({ entity: 'service:pay', kind: 'probe', name: 'ready', state }), options)
    expect(of('firing').id).toBe(of('resolved').id)
    expect(issue.safeParse({ entity: 'pay', name: 'x' }).success).toBe(false)
  })
})

describe('alerts in other forms', () => {
  const of = (v: object) => issueOfAlert(alert.parse(v), options)
  it('of Prometheus itself: without a status the end tells', () => {
    const posted = { labels: { alertname: 'Slow', service: 'pay', code: 500 }, startsAt: '1970-01-01T00:00:00.000001Z' }
    expect(of({ ...posted, annotations: null })).toMatchObject({
      state: 'firing',
      entity: 'service:pay',
      attributes: { code: '500' },
    })
    expect(of({ ...posted, endsAt: '2999-01-01T00:00:00Z' }).state).toBe('firing')
    expect(issueOfAlert(alert.parse({ ...posted, endsAt: '2026-01-01T00:00:00Z' }), { ...options, now: 2e15 }).state).toBe(
      'resolved',
    )
  })
  it('of old Grafana: a rule with its tags', () => {
    const posted = {
      ruleName: 'Slow',
      ruleId: 3,
      state: 'alerting',
      message: 'too slow',
      tags: { service: 'pay' },
    }
    expect(of(posted)).toMatchObject({ state: 'firing', entity: 'service:pay', name: 'Slow', summary: 'too slow' })
    expect(of({ ...posted, state: 'ok' })).toMatchObject({ state: 'resolved', id: of(posted).id })
  })
})
