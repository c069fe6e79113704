/** log-parser killed with SIGKILL again and again while lines flow: every line comes out once, and none is missing. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { idOf, type LogEvent, type LogLine, logsParsed, logsRaw, seededRandom } from '@aegis/domain'
import { connect, RUNTIME_SETTINGS, readConfig, silentLog } from '@aegis/runtime'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stackEnv } from './stack-env.ts'

const SEED = 20_261_121
const KILLS = 6
const LINES = 8_000
const root = path.resolve(import.meta.dirname, '../..')
let client: StreamClient
let env: NodeJS.ProcessEnv
let child: ChildProcess | undefined

const start = async (): Promise<void> => {
  child = spawn(process.execPath, [path.join(root, 'services/log-parser/src/main.ts')], {
    cwd: root,
    env,
    stdio: ['pipe', 'ignore', 'ignore', 'ipc'],
  })
  await new Promise(resolve => child!.once('message', resolve))
}
const kill = async (): Promise<void> => {
  const gone = new Promise(resolve => child!.once('exit', resolve))
  child!.kill('SIGKILL')
  await gone
}

beforeAll(() => {
  // Small batches and frequent snapshots, so that kills land in the middle of things.
  env = {
    ...process.env,
    ...stackEnv(),
    AEGIS_DATA_PARTITIONS: '2',
    AEGIS_ENVIRONMENT_PARTITIONS: '1',
    AEGIS_BATCH_RECORDS: '150',
    AEGIS_SNAPSHOT_EVERY_RECORDS: '900',
    AEGIS_STOP_WITH_PARENT: '1',
    LOG_LEVEL: 'warn',
  }
  client = new StreamClient(connect(readConfig(RUNTIME_SETTINGS, env), 'kills', silentLog()))
})
afterAll(async () => {
  if (child && child.exitCode === null && child.signalCode === null) await kill()
  await client?.close()
})

it(`loses nothing and says nothing twice through ${KILLS} kills (seed ${SEED})`, async () => {
  const random = seededRandom(SEED)
  const environment = randomUUID()
  await start()
  const send = async () => {
    for (let i = 0; i < LINES; i += 200) {
      const now = Date.now() * 1000
      await client.publish(
        logsRaw,
        Array.from(
          { length: 200 },
          (_, j): LogLine => ({
            id: idOf(environment, i + j),
            environment,
            time: now,
            observed_time: now - 1,
            entity: `service:s${(i + j) % 7}`,
            severity: 'INFO',
            body: `step ${i + j} of ${(i + j) % 13} done`,
            attributes: {},
            source: 'test',
          }),
        ),
      )
      await new Promise(resolve => setTimeout(resolve, 250))
    }
  }
  const sending = send()
  for (let n = 0; n < KILLS; n++) {
    await new Promise(resolve => setTimeout(resolve, 150 + random() * 1200))
    await kill()
    await start()
  }
  await sending
  const bodies = new Map<string, number>()
  let total = 0
  let done: () => void = () => undefined
  const enough = new Promise<void>(resolve => (done = resolve))
  const tail = await client.tail([logsParsed as never], 'start', decoded => {
    for (const { value } of decoded) {
      const event = value as LogEvent | undefined
      if (event?.environment !== environment) continue
      bodies.set(event.body, (bodies.get(event.body) ?? 0) + 1)
      if (++total >= LINES) done()
    }
  })
  await Promise.race([enough, new Promise(resolve => setTimeout(resolve, 60_000))])
  // A line told twice would come after the last one is there.
  await new Promise(resolve => setTimeout(resolve, 2000))
  await tail.close()
  expect({ lines: bodies.size, twice: [...bodies.values()].filter(n => n > 1).length }).toEqual({ lines: LINES, twice: 0 })
})
