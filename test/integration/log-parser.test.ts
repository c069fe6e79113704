/** The log-parser on real servers is the library: the same lines give the same templates, none lost or doubled, through a restart in the middle. */
import { randomUUID } from 'node:crypto'
import { readIncidentChain } from '@aegis/cli/logs/read-incident-chain'
import {
  hash32,
  type LogEvent,
  type LogLine,
  logsParsed,
  logsRaw,
  metricsRaw,
  type Observation,
  seededRandom,
  type TemplateChange,
  templates,
} from '@aegis/domain'
import { TemplateHistory } from '@aegis/lab/evaluation/template-history'
import { TemplateMiner } from '@aegis/log-mining'
import { logParser } from '@aegis/log-parser'
import {
  connect,
  RUNTIME_SETTINGS,
  readConfig,
  type ServiceContext,
  type ServiceDefinition,
  silentLog,
  streamList,
} from '@aegis/runtime'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { servicesHere, until } from './services-here.ts'

const environment = `logs-${randomUUID()}`
const LINES = 20_000
const SERVICES = ['orders', 'billing', 'stock', 'mailer', 'search']
const { env, start, stop } = servicesHere()

/** What the lines are written from: `<>` is filled in. `name` stands for a word out of sixty, which only evidence tells from a fixed one. */
const WRITTEN = [
  'accepted basket <number> of <name> from <ip>',
  'basket <number> holds <number> articles worth <number> EUR',
  'reserved <number> of article <hex> in hall <name>',
  'hall <name> is closed for stocktaking',
  'payment <uuid> of <number> EUR was taken in <number> ms',
  'payment <uuid> was refused: card expired',
  'writing /var/spool/<name>/<number>.eml took <number> ms',
  'no route to <ip>:<number>, next try in <number> s',
  'index segment <hex> merged with <hex>, <number> documents',
  'query by <name> found nothing',
  'query by <name> found <number> articles in <number> ms',
  'session <hex> of <name> ended after <number> minutes',
]

interface Written {
  readonly line: LogLine
  readonly from: string
}
function write(): Written[] {
  // Words of this run's own at both ends: a stack that is used again remembers what it learned.
  const random = seededRandom(hash32(environment))
  const upTo = (n: number) => Math.floor(random() * n)
  const letters = (n: number) => Array.from({ length: n }, () => String.fromCharCode(97 + upTo(26))).join('')
  const hex = (n: number) => Array.from({ length: n }, () => upTo(16).toString(16)).join('')
  const names = Array.from({ length: 60 }, () => letters(5 + upTo(4)))
  const fill: Record<string, () => string> = {
    number: () => String(1 + upTo(10 ** (1 + upTo(5)))),
    name: () => names[upTo(names.length)] as string,
    ip: () => Array.from({ length: 4 }, () => upTo(256)).join('.'),
    hex: () => `0x${hex(8)}`,
    uuid: () => [8, 4, 4, 4, 12].map(hex).join('-'),
  }
  const own = letters(9)
  const now = Date.now() * 1000
  return Array.from({ length: LINES }, (_, i) => {
    const from = `${own} ${WRITTEN[upTo(WRITTEN.length)]} ${own}`
    return {
      from,
      line: {
        id: `${environment}${i}`,
        environment,
        time: now + i,
        entity: `service:${SERVICES[i % SERVICES.length]}`,
        body: from.replace(/<(\w+)>/g, (_, kind: string) => (fill[kind] as () => string)()),
        severity: 'INFO',
        attributes: {},
        trace_id: null,
        span_id: null,
        observed_time: now + i,
        source: 'test',
      },
    }
  })
}

/** Share of the lines whose group is exactly that of the text they were written from. */
function groupingAccuracy(groups: readonly string[], truth: readonly string[]): number {
  const sizes = new Map<string, number>()
  const count = (key: string) => sizes.set(key, (sizes.get(key) ?? 0) + 1)
  groups.forEach((group, i) => {
    for (const key of [`g ${group}`, `t ${truth[i]}`, `b ${group} ${truth[i]}`]) count(key)
  })
  const right = groups.filter((group, i) => {
    const both = sizes.get(`b ${group} ${truth[i]}`)
    return both === sizes.get(`g ${group}`) && both === sizes.get(`t ${truth[i]}`)
  })
  return right.length / groups.length
}

const events: LogEvent[] = []
const changes: TemplateChange[] = []
const rates: Observation[] = []
let context: ServiceContext
const source: ServiceDefinition = {
  name: 'test-source',
  about: 'Lines and ticks.',
  settings: {},
  publishes: streamList(logsRaw),
  tails: streamList(logsParsed, templates, metricsRaw),
  clock: true,
  create: (_config, given) => {
    context = given
    return { stages: [] }
  },
}
beforeAll(async () => {
  await start(source)
  await context.tail(streamList(logsParsed, templates, metricsRaw), 'end', list => {
    for (const { stream, value } of list)
      if (stream === templates.name) changes.push(value as TemplateChange)
      else if ((value as LogEvent).environment !== environment) continue
      else if (stream === logsParsed.name) events.push(value as LogEvent)
      else rates.push(value as Observation)
  })
})
afterAll(stop)

describe('log-parser through Kafka', () => {
  const written = write()
  const send = async (from: number, to: number) => {
    for (let i = from; i < to; i += 1000)
      await context.publish(
        logsRaw,
        written.slice(i, Math.min(to, i + 1000)).map(w => w.line),
      )
    await context.tick({ time: Date.now() * 1000, environment })
  }

  it('gives every line once, and the templates that the library gives', async () => {
    const first = await start(logParser as unknown as ServiceDefinition)
    await send(0, LINES / 2)
    await until('the first half', () => events.length >= LINES / 2 || undefined)
    await first.stop()
    const second = start(logParser as unknown as ServiceDefinition)
    await send(LINES / 2, LINES)
    await second
    await until('all lines', () => events.length >= LINES || undefined)
    await until(
      'the rates',
      () => rates.filter(o => o.metric_name === 'logs.rate').reduce((n, o) => n + o.value, 0) >= LINES || undefined,
    )

    const of = new Map(written.map(w => [w.line.body, w]))
    expect(new Set(events.map(e => e.id)).size).toBe(LINES)
    expect(events).toHaveLength(LINES)
    expect(events.map(e => e.body).sort()).toEqual(written.map(w => w.line.body).sort())

    // A partition is a miner, and its lines in order are that miner's stream.
    const partitions = new Map<number, LogEvent[]>()
    for (const e of events) partitions.set(e.partition, [...(partitions.get(e.partition) ?? []), e])
    expect(partitions.size).toBe(2)
    const history = new TemplateHistory()
    const byLibrary = new Map<string, string>()
    for (const list of partitions.values()) {
      const miner = new TemplateMiner()
      list.sort((a, b) => a.offset - b.offset)
      for (const event of list) {
        const match = miner.learn(event.body)
        history.follow(match.changes)
        byLibrary.set(event.id, match.templateId)
        expect({ ...event, template: match.template, template_id: match.templateId, parameters: match.parameters }).toEqual(event)
      }
    }
    const told = new TemplateHistory()
    for (const c of changes)
      told.follow([
        c.state === 'widened'
          ? { kind: 'widened', from: c.from?.[0] ?? '', to: c.id, text: c.text }
          : c.state === 'merged'
            ? { kind: 'merged', from: c.id, into: c.into ?? '', text: c.text }
            : { kind: 'created', id: c.id, text: c.text },
      ])
    const truth = events.map(e => of.get(e.body)?.from ?? '')
    const throughKafka = groupingAccuracy(
      events.map(e => told.resolve(e.template_id)),
      truth,
    )
    expect(throughKafka).toBe(
      groupingAccuracy(
        events.map(e => history.resolve(byLibrary.get(e.id) ?? '')),
        truth,
      ),
    )
    expect(throughKafka).toBeGreaterThanOrEqual(0.95)
  })
  it('counts each line once in the rates', () => {
    for (const service of SERVICES) {
      const own = rates.filter(o => o.entity === `service:${service}` && o.metric_name === 'logs.rate')
      expect(own.reduce((n, o) => n + o.value, 0)).toBe(LINES / SERVICES.length)
    }
  })
  it('leaves on logs.parsed what the chain of an incident is read from', async () => {
    const client = new StreamClient(connect(readConfig(RUNTIME_SETTINGS, env), 'test', silentLog()))
    try {
      const [first, last] = [written[0]?.line.time ?? 0, written.at(-1)?.line.time ?? 0]
      const window = { environment, from: first, to: last, entities: ['service:orders', 'service:stock'] }
      const chain = await readIncidentChain(client, window)
      expect([chain.of, chain.left]).toEqual([(2 * LINES) / SERVICES.length, undefined])
      // Nothing in it was bad.
      expect(chain.events).toEqual([])
      const [half] = [(first + last) / 2]
      expect((await readIncidentChain(client, { ...window, from: Math.ceil(half) })).of).toBe(LINES / SERVICES.length)
    } finally {
      await client.close()
    }
  })
})
