import { type Input, type LogLine, logsParsed, logsRaw, metricsRaw, templates, tracesLines } from '@aegis/domain'
import { boundsContract, stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage, tick } from '@aegis/runtime/testing'
import { describe, expect, it } from 'vitest'
import { ParseLogs } from './parse-logs.ts'

const T0 = 1_700_000_000_000_000
const line = (body: string, over: Partial<LogLine> = {}): LogLine => ({
  id: body.slice(0, 20),
  environment: 'test',
  time: T0,
  observed_time: T0,
  body,
  source: 'file.log',
  attributes: {},
  ...over,
})
const all = (lines: readonly LogLine[]): Input[] => [
  ...lines.map((l, i) => received(logsRaw, l, i)),
  tick(T0 + 10_000_000, { final: true, offset: 999 }),
]

describe('ParseLogs', () => {
  it('finds template, parameters, severity, category, mentions and the place of the line', async () => {
    const { of } = await runStage(new ParseLogs(), [
      all([line('ERROR connect to 10.0.0.7:5432 failed after 31 ms: connection refused', { entity: 'service:pay' })]),
    ])
    const [event] = of(logsParsed)
    expect(event).toMatchObject({
      entity: 'service:pay',
      service_known_by: 'given',
      severity: 'ERROR',
      lines: 1,
      partition: 0,
      offset: 0,
      fault_pattern: 'connection-refused',
    })
    expect(event.template).toContain('<*>')
    expect(event.mentions.some(m => m.text.includes('10.0.0.7'))).toBe(true)
    expect(of(templates).map(t => t.state)).toContain('new')
  })
  it('joins a stack trace over lines and counts every line', async () => {
    const lines = [
      '2026-01-02 03:04:05 ERROR order failed',
      'java.lang.IllegalStateException: no stock',
      '\tat shop.Order.place(Order.java:10)',
      '\tat shop.Main.main(Main.java:3)',
      '2026-01-02 03:04:06 INFO next',
    ].map(l => line(l))
    const { of } = await runStage(new ParseLogs(), [all(lines)])
    expect(of(logsParsed).map(e => e.lines)).toEqual([4, 1])
    expect(of(logsParsed)[0].exception).toBe('java.lang.IllegalStateException')
  })
  it('keeps no secret of lines that passed no gateway, with a severity or without, whole or in parts', async () => {
    const secret = 'kQ7rWz2bTn9xPd4s'
    const stage = new ParseLogs()
    const lines = [
      line(`login with password=${secret} refused`, { severity: 'ERROR' }),
      line(`ERROR {"url":"postgres:\\/\\/app:${secret}@db\\/shop"}`),
      line(`{"msg":"no","password":"${secret}"}`),
      line(`2026-01-02T03:04:05.1Z stdout P token=${secret.slice(0, 8)}`),
      line(`2026-01-02T03:04:05.2Z stdout F ${secret.slice(8)} refused`),
      line('java.lang.IllegalStateException: no'),
      line(`\tCaused by: api_key=${secret}`),
    ]
    const kept = await runStage(stage, [lines.map((l, i) => received(logsRaw, l, i))])
    expect(Buffer.from(stage.snapshot()).toString()).not.toContain(secret)
    const ended = await runStage(stage, [[tick(T0 + 10_000_000, { final: true, offset: 999 })]])
    expect(JSON.stringify([kept, ended].flatMap(run => [...run.of(logsParsed), ...run.of(templates)]))).not.toContain(secret)
  })
  it('puts the parts of a line together by stream, and its lines by writer', async () => {
    const lines = [
      '2026-01-02T03:04:05.1Z stdout P {"level":"warn","msg":"one ',
      '2026-01-02T03:04:05.2Z stderr F java.lang.IllegalStateException: no ink',
      '2026-01-02T03:04:05.3Z stdout F and two"}',
      '2026-01-02T03:04:05.4Z stderr F \tat a.B.c(B.java:1)',
    ].map(l => line(l))
    const { of } = await runStage(new ParseLogs(), [all(lines)])
    const events = [...of(logsParsed)].sort((a, b) => a.offset - b.offset)
    expect(events).toMatchObject([
      { body: 'one and two', severity: 'WARN', lines: 2, offset: 0 },
      { severity: 'ERROR', lines: 2, offset: 1, exception: 'java.lang.IllegalStateException' },
    ])
  })
  it('never joins the lines of two pods', async () => {
    const of2 = (pod: string, body: string) => line(body, { entity: 'service:x', attributes: { 'k8s.pod.name': pod } })
    const { of } = await runStage(new ParseLogs(), [
      all([
        of2('a', 'a.FirstException: x'),
        of2('b', 'a.OtherException: y'),
        of2('a', 'at a.B.c(B.java:1)'),
        of2('b', 'at a.D.e(D.java:1)'),
      ]),
    ])
    expect(of(logsParsed).map(e => e.body)).toEqual([
      'a.FirstException: x\nat a.B.c(B.java:1)',
      'a.OtherException: y\nat a.D.e(D.java:1)',
    ])
  })
  it('puts a header that stands alone before its message', async () => {
    const lines = [
      'Jan 02, 2026 3:04:05 AM org.example.Door open',
      'SEVERE: hinge broke',
      'info: House.Door[1]',
      '      oiled',
    ].map(l => line(l))
    const { of } = await runStage(new ParseLogs(), [all(lines)])
    expect(of(logsParsed)).toMatchObject([
      { body: 'hinge broke', severity: 'ERROR', lines: 2 },
      { body: 'oiled', severity: 'INFO', lines: 2 },
    ])
  })
  it('takes what shows failure for an error where no level is stated, and no more than stated elsewhere', async () => {
    const { of } = await runStage(new ParseLogs(), [
      all([
        line('Traceback (most recent call last):\n  File "a.py", line 1\nValueError: x'),
        line('{"level":"info","msg":"fatal was oiled"}'),
        line('GET /door 503 3 ms'),
      ]),
    ])
    expect(of(logsParsed).map(e => e.severity)).toEqual(['ERROR', 'INFO', 'ERROR'])
  })
  it('keeps secrets out of what it passes on', async () => {
    const { of } = await runStage(new ParseLogs(), [all([line('login with password=hunter2secret token=abc123def456')])])
    expect(JSON.stringify(of(logsParsed))).not.toContain('hunter2secret')
    expect(JSON.stringify(of(templates))).not.toContain('hunter2secret')
  })
  it('tells the trace of what was written within a span, and of nothing else', async () => {
    const traced = { entity: 'service:pay', severity: 'INFO', trace_id: 't1', span_id: 's1' }
    const { of } = await runStage(new ParseLogs(), [
      all([line('order 7 placed', traced), line('order 8 placed', { ...traced, span_id: null }), line('order 9 placed')]),
    ])
    expect(of(tracesLines)).toMatchObject([
      { trace_id: 't1', span_id: 's1', entity: 'service:pay', statement: 'order <*> placed', text: 'order 7 placed', offset: 0 },
    ])
  })
  it('tells the rate of lines and of errors', async () => {
    const { of } = await runStage(new ParseLogs(), [
      all([line('a', { entity: 'service:x', severity: 'INFO' }), line('b', { entity: 'service:x', severity: 'ERROR' })]),
    ])
    expect(Object.fromEntries(of(metricsRaw).map(o => [o.metric_name, o.value]))).toEqual({
      'logs.rate': 2,
      'logs.error_rate': 1,
    })
  })
  const many = Array.from({ length: 80 }, (_, i) =>
    line(
      i % 7 === 0
        ? `Exception in thread "main" java.lang.Error: x${i}`
        : i % 7 === 1
          ? '\tat a.B.c(B.java:1)'
          : `user ${i} did thing number ${i * 3}`,
      { id: `l${i}`, entity: i % 3 ? 'service:x' : null },
    ),
  )
  stageContract('ParseLogs', () => new ParseLogs(), all(many))
  // Words of letters only, and never the same: each line is a template.
  const words = (n: number) =>
    Array.from({ length: 3 + (n % 5) }, (_, i) => [...String(n * 7 + i)].map(c => 'qwertyuiop'[Number(c)]).join('')).join(' ')
  boundsContract(
    'ParseLogs',
    () => new ParseLogs({ maxTemplates: 300 }),
    round => [
      ...Array.from({ length: 20 }, (_, i) => {
        const n = round * 20 + i
        return received(logsRaw, line(words(n), { id: `${n}`, entity: `pod:${n}`, time: T0 + round * 600_000_000 }), n)
      }),
      tick(T0 + round * 600_000_000, { offset: round }),
    ],
    100,
  )
  // What is known of a template is known by its first line; the ones after a restart say something else.
  const fickle = { classify: (text: string) => (/[02468]$/.test(text) ? 'storage' : 'dependency') } as const
  stageContract(
    'ParseLogs, a classifier that looks at numbers',
    () => new ParseLogs({ classifier: fickle }),
    all(Array.from({ length: 60 }, (_, i) => line(`flushed segment ${i}`, { id: `l${i}`, severity: 'INFO' }))),
  )
})

describe('a classifier that takes its time', () => {
  const asked: string[] = []
  const slow = {
    classify: async (text: string): Promise<'storage'> => {
      asked.push(text)
      await new Promise(resolve => setTimeout(resolve, 5))
      return 'storage'
    },
  }
  it('is waited for, and asked once per template', async () => {
    const stage = new ParseLogs({ classifier: slow })
    const lines = [1, 2, 3].map(n => line(`segment ${n} of the ledger was folded`, { severity: 'INFO' }))
    const { of } = await runStage(stage, [all(lines), [received(logsRaw, lines[0] as LogLine, 50)]])
    expect(of(logsParsed).map(e => e.category)).toEqual(['storage', 'storage', 'storage', 'storage'])
    expect(asked).toHaveLength(1)
  })
  it('fails the batch when it fails, so that it is tried again', async () => {
    const stage = new ParseLogs({ classifier: { classify: () => Promise.reject(new Error('no session')) } })
    await expect(runStage(stage, [all([line('segment 7 of the ledger was folded')])])).rejects.toThrow('no session')
  })
})
