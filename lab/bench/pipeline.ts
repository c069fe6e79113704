/**
 * Log lines a second from logs.raw to logs.parsed through real Kafka with exactly-once on, one log-parser process, beside an identity stage
 * with the same decode, encode and transactions in the same run, and that stage on kafkajs as it comes. They take turns; quote the ratios,
 * since machines are noisy. With --processes 2 the lines lie on as many partitions, and so many log-parsers share them.
 * Options: --lines N (default 300000), --rounds N (default 3), --processes N (default 1), --json FILE. Last accepted figures: pipeline.json.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { idOf, type LogLine, logsRaw, seededRandom } from '@aegis/domain'
import { allTopics, connect, RUNTIME_SETTINGS, readConfig, silentLog } from '@aegis/runtime'
import { HEAP_FLAGS } from '@aegis/runtime/collect-garbage'
import { up } from '@aegis/stack/local/stack'
import { StreamClient } from '@aegis/stack/pipeline/client'

const root = path.resolve(import.meta.dirname, '../..')
const random = seededRandom(11)
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]
const number = (n: number) => Math.floor(random() * n)
const address = () => `10.${number(4)}.${number(256)}.${number(256)}`
const SHAPES: readonly (() => string)[] = [
  () => `GET /api/v1/orders/${number(1e6)} 200 ${number(400)}ms from ${address()}`,
  () => `accepted connection from ${address()}:${1024 + number(60000)}`,
  () => `user ${number(5000)} logged in, session ${random().toString(16).slice(2, 14)}`,
  () => `flushed ${number(1e5)} bytes of segment ${number(900)} in ${number(50)} ms`,
  () => `cache miss for key=product:${number(9000)} shard=${number(16)}`,
  () => `order ${number(1e6)} paid with card, amount=${number(20000) / 100} EUR`,
  () => `retrying call to inventory (attempt ${number(5)}), last error: timeout after ${number(900)} ms`,
  () => `WARN queue ${pick(['mail', 'invoice', 'stock'])} is ${number(100)} % full`,
  () => `ERROR failed to write block blk_${number(1e9)} to /data/vol${number(9)}/current: no space left on device`,
  () => `replica ${number(9)} of partition ${number(64)} caught up at offset ${number(1e8)}`,
]

export const run = async (args: string[]): Promise<void> => {
  const { values } = parseArgs({
    args,
    options: {
      lines: { type: 'string', default: '300000' },
      rounds: { type: 'string', default: '3' },
      processes: { type: 'string', default: '1' },
      json: { type: 'string' },
    },
  })
  const lines = Number(values.lines)
  const processes = Number(values.processes)
  const folder = mkdtempSync(path.join(tmpdir(), 'aegis-bench-'))
  const stack = await up({ attached: true, folder: path.join(folder, 'stack'), say: line => console.error(line) })
  const spread = { AEGIS_DATA_PARTITIONS: String(processes), AEGIS_ENVIRONMENT_PARTITIONS: '1' }
  const env = { ...process.env, ...stack.env, ...spread, LOG_LEVEL: 'warn' }
  try {
    const client = new StreamClient(connect(readConfig(RUNTIME_SETTINGS, env), 'bench', silentLog()))
    const partitions = Array.from({ length: processes }, (_, p) => p)
    const sum = async (of: (partition: number) => Promise<number>) =>
      (await Promise.all(partitions.map(of))).reduce((total, n) => total + n)
    const produced = () => sum(p => client.broker.end('logs.raw', p))
    const measure = async (name: string, script: string, group: string, execArgv: string[] = []): Promise<number> => {
      const children = partitions.map(() =>
        spawn(process.execPath, [...HEAP_FLAGS, ...execArgv, script], {
          cwd: root,
          env: { ...env, AEGIS_STOP_WITH_PARENT: '1' },
          stdio: ['pipe', openSync(path.join(folder, `${name}.log`), 'a'), 'inherit', 'ipc'],
        }),
      )
      await Promise.all(children.map(child => new Promise(resolve => child.once('message', resolve))))
      // Lines that came before it was up are read at full speed; produced while it waits, they would measure the producer.
      const end = await produced()
      const at = () => sum(async p => (await client.broker.committed(group, ['logs.raw'], p))['logs.raw'])
      let first: { time: number; offset: number } | undefined
      let last = { time: 0, offset: 0 }
      for (;;) {
        const offset = await at()
        const time = performance.now()
        if (offset !== last.offset) {
          last = { time, offset }
          // The first batches warm the compiler up.
          if (!first && offset > from + lines * 0.15) first = last
        }
        if (offset >= end) break
        await new Promise(resolve => setTimeout(resolve, 20))
      }
      const ended = children.map(child => new Promise(resolve => child.once('exit', resolve)))
      for (const child of children) child.kill('SIGTERM')
      await Promise.all(ended)
      return ((last.offset - first!.offset) / (last.time - first!.time)) * 1000
    }
    await client.broker.ensureTopics(allTopics({ data: processes, environment: 1 }))
    let from = 0
    const rates: { plain: number; identity: number; parser: number }[] = []
    for (let round = 0; round < Number(values.rounds); round++) {
      const start = await produced()
      for (let i = 0; i < lines; i += 5000) {
        const batch = Array.from({ length: Math.min(5000, lines - i) }, (_, j): LogLine => {
          const body = pick(SHAPES)()
          return {
            id: idOf(round, i + j),
            environment: 'bench',
            time: 1_700_000_000_000_000 + i + j,
            entity: `service:shop-${(i + j) % 16}`,
            body,
            severity: 'INFO',
            attributes: {},
            trace_id: null,
            span_id: null,
            observed_time: 1_700_000_000_000_000 + i + j,
            source: 'bench',
          }
        })
        await client.publish(logsRaw, batch)
      }
      from = start
      const script = path.join(root, 'lab/bench/identity-service.ts')
      // Each of the two has a group of its own, so that both read all the lines.
      const plain = await measure('plain', script, 'plain-pass-on', ['--import', path.join(root, 'lab/bench/plain-kafkajs.ts')])
      from = start
      const identity = await measure('identity', script, 'identity-pass-on')
      from = start
      const parser = await measure('log-parser', path.join(root, 'services/log-parser/src/main.ts'), 'log-parser-parse-logs')
      rates.push({ plain, identity, parser })
      console.log(
        `round ${round + 1}: identity ${Math.round(identity)} lines/s (on kafkajs as it comes ${Math.round(plain)}), log-parser ${Math.round(parser)} lines/s, ratio ${(parser / identity).toFixed(2)}`,
      )
    }
    const middle = (list: number[]) => list.sort((a, b) => a - b)[(list.length - 1) >> 1]
    const result = {
      lines,
      rounds: rates.length,
      processes,
      plainKafkajs: Math.round(middle(rates.map(r => r.plain))),
      identity: Math.round(middle(rates.map(r => r.identity))),
      logParser: Math.round(middle(rates.map(r => r.parser))),
      ratio: Math.round(middle(rates.map(r => r.parser / r.identity)) * 100) / 100,
    }
    console.log(
      `median of ${rates.length}: log-parser ${result.logParser} lines/s, identity ${result.identity} lines/s (on kafkajs as it comes ${result.plainKafkajs}), ratio ${result.ratio} (bars: 60000 lines/s on an idle machine, ratio 0.7)`,
    )
    if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`)
    await client.close()
  } finally {
    await stack.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
