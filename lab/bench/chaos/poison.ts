/**
 * Poison among good records: lines whose writer's schema the registry does not know yet, and some that nothing will ever read. Each must come
 * to the dead-letter topic as it was, byte for byte, and stop nobody; once the schema is registered, `aegis dlq redrive` puts the first kind
 * back, and every one comes out under its own id.
 */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { idOf, type LogEvent, type LogLine, logsParsed, logsRaw, seededRandom } from '@aegis/domain'
import { type OutRecord, type RawRecord, schemaOf } from '@aegis/runtime'
import avsc from 'avsc'
import { printTable } from './compare.ts'
import { World } from './world.ts'

const ROOT = path.resolve(import.meta.dirname, '../../..')
const GROUP = 'log-parser-parse-logs'
/** One in so many poison records can never be read. */
const HOPELESS_EVERY = 20
const DEAD_LETTERS = `${logsRaw.name}.dlq`

export interface PoisonReport {
  readonly records: number
  readonly poison: number
  readonly hopeless: number
  readonly crashes: number
  /** Dead letters that hold key, value and headers of their record unchanged. */
  readonly identical: number
  readonly missing: number
  readonly goodMissing: number
  readonly redriven: number
  readonly idsKept: number
  readonly duplicated: number
  readonly seconds: number
  readonly passed: boolean
}

const line = (kind: string, i: number): LogLine => ({
  id: idOf(kind, i),
  environment: 'chaos-poison',
  time: 1_700_000_000_000_000 + i,
  entity: `service:s${i % 7}`,
  body: `${kind} ${i} of ${i % 13} done`,
  severity: 'INFO',
  attributes: {},
  trace_id: null,
  span_id: null,
  observed_time: 1_700_000_000_000_000 + i,
  source: 'chaos',
})

/** Bytes that no schema will ever make readable. */
const hopeless = (good: Buffer, i: number): Buffer | null =>
  [
    () => good.subarray(0, good.length - 3),
    () => Buffer.concat([good, Buffer.from([1, 2, 3])]),
    () => Buffer.from(`not framed ${i}`),
    () => null,
  ][i % 4]()

const same = (letter: RawRecord, record: RawRecord): boolean => {
  const bytes = (b: Buffer | string | null | undefined) => (b == null ? null : Buffer.from(b).toString('base64'))
  return (
    bytes(letter.value) === bytes(record.value) &&
    bytes(letter.key) === bytes(record.key) &&
    Object.entries(record.headers).every(([name, value]) => bytes(letter.headers[name]) === bytes(value))
  )
}
const place = (r: RawRecord) => `${r.partition}/${r.offset}`
const origin = (letter: RawRecord) =>
  `${letter.headers['kafka_dlt-original-partition']}/${letter.headers['kafka_dlt-original-offset']}`

export const poison = async (options: {
  folder: string
  seed: number
  poison: number
  say: (line: string) => void
}): Promise<PoisonReport> => {
  const say = (text: string) => options.say(`[poison] ${text}`)
  const began = performance.now()
  const world = await World.start({ folder: path.join(options.folder, 'poison'), services: ['log-parser'], say })
  try {
    // Ids count up: the one after a schema nobody else will ever register is the next.
    const probe = await world.registry.register('chaos-probe-value', {
      type: 'record',
      name: 'Probe',
      fields: [{ name: `at_${Date.now()}`, type: 'int' }],
    })
    const today = schemaOf(logsRaw as never)
    const newer = {
      ...today,
      fields: [...today.fields, { name: 'shard', type: 'string', default: '', doc: 'Where it is kept.' }],
    }
    const writer = avsc.Type.forSchema(newer as avsc.Schema)
    const frame = Buffer.alloc(5)
    frame.writeInt32BE(probe + 1, 1)
    const random = seededRandom(options.seed)
    const producer = await world.client.broker.producer()
    const counts = { good: 0, unknown: 0, hopeless: 0 }
    const make = (): OutRecord => {
      // The last records are good ones.
      const bad = counts.unknown < options.poison && random() < 1 / 3
      const kind = !bad ? 'good' : counts.hopeless * HOPELESS_EVERY < counts.unknown ? 'hopeless' : 'unknown'
      const i = counts[kind]++
      const value = line(kind, i)
      const good = world.codec.encode(logsRaw as never, value)
      return {
        topic: logsRaw.name,
        key: logsRaw.key(value),
        value:
          kind === 'good'
            ? good
            : kind === 'unknown'
              ? Buffer.concat([frame, writer.toBuffer({ ...value, shard: `s${i}` })])
              : hopeless(good, i),
        headers: { ce_id: value.id, ce_source: 'chaos', ce_type: logsRaw.name, ce_specversion: '1.0', 'x-chaos': `${kind}-${i}` },
      }
    }
    while (counts.unknown < options.poison) await producer.send(Array.from({ length: 2000 }, make))
    await producer.send(Array.from({ length: 200 }, make))
    const total = counts.good + counts.unknown + counts.hopeless
    say(
      `${total} records produced, ${counts.unknown} of them in a schema that is not registered, ${counts.hopeless} beyond repair`,
    )
    await world.through(GROUP, logsRaw)

    const bad = new Map<string, RawRecord>()
    await world.read(logsRaw.name, records => {
      for (const r of records) if (!String(r.headers['x-chaos']).startsWith('good')) bad.set(place(r), r)
    })
    let identical = 0
    const lettered = new Set<string>()
    await world.read(DEAD_LETTERS, records => {
      for (const letter of records) {
        const record = bad.get(origin(letter))
        if (record && !lettered.has(origin(letter)) && same(letter, record)) identical++
        lettered.add(origin(letter))
      }
    })
    say(`${identical} of ${bad.size} dead letters are what they were; registering the schema and putting back`)

    const id = await world.registry.register(`${logsRaw.name}-value`, newer)
    if (id !== probe + 1) throw new Error(`the registry gave the schema id ${id}, and ${probe + 1} was written into the records`)
    await world.fleet.of('log-parser').end('SIGTERM')
    world.fleet.start('log-parser')
    const cli = await promisify(execFile)(
      process.execPath,
      [path.join(ROOT, 'apps/cli/src/main.ts'), 'dlq', 'redrive', logsRaw.name, '--code', 'SCHEMA_UNKNOWN'],
      { env: world.env as NodeJS.ProcessEnv, maxBuffer: 2 ** 24 },
    )
    say(`aegis dlq redrive: ${cli.stdout.trim()}`)
    await world.through(GROUP, logsRaw)

    // What came back: the id of an event holds the place of its line, and the line's own id.
    const expected = new Map<string, string>()
    let redriven = 0
    await world.read(logsRaw.name, records => {
      for (const r of records) {
        const mark = String(r.headers['x-chaos'])
        const [kind, i] = mark.split('-')
        const again = kind === 'unknown' && !bad.has(place(r))
        if (again) redriven++
        if (kind === 'good' || again) expected.set(idOf(logsRaw.name, r.partition, r.offset, idOf(kind, Number(i))), kind)
      }
    })
    const seen = new Map<string, number>()
    await world.read(logsParsed.name, async records => {
      for (const event of (await world.decode(logsParsed, records)) as LogEvent[])
        seen.set(event.id, (seen.get(event.id) ?? 0) + 1)
    })
    const kept = [...expected].filter(([event, kind]) => kind === 'unknown' && seen.has(event)).length
    const goodMissing = [...expected].filter(([event, kind]) => kind === 'good' && !seen.has(event)).length
    const crashes = world.fleet.of('log-parser').gone === undefined ? world.fleet.crashes.length : 1
    const report = {
      records: total,
      poison: counts.unknown + counts.hopeless,
      hopeless: counts.hopeless,
      crashes,
      identical,
      missing: bad.size - lettered.size,
      goodMissing,
      redriven,
      idsKept: kept,
      duplicated: [...seen.values()].filter(n => n > 1).length + [...seen.keys()].filter(event => !expected.has(event)).length,
      seconds: Math.round((performance.now() - began) / 1000),
    }
    const passed =
      report.crashes + report.missing + report.goodMissing + report.duplicated === 0 &&
      report.identical === report.poison &&
      report.redriven === counts.unknown &&
      report.idsKept === counts.unknown
    return { ...report, passed }
  } finally {
    await world.stop()
  }
}

export const printPoison = (r: PoisonReport): void =>
  printTable(
    [
      'records',
      'poison',
      'of it beyond repair',
      'crashes',
      'letters identical',
      'letters missing',
      'good missing',
      'redriven',
      'ids kept',
      'twice',
    ],
    [
      [
        r.records,
        r.poison,
        r.hopeless,
        r.crashes,
        r.identical,
        r.missing,
        r.goodMissing,
        r.redriven,
        r.idsKept,
        r.duplicated,
      ].map(String),
    ],
  )
