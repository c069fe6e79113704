/** The api service alone, on an in-memory broker, in a process of its own; says where it listens, and on request how much memory it took at most. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { api } from '@aegis/api-service'
import { incidents } from '@aegis/domain'
import {
  MemoryBroker,
  MemoryRegistry,
  RUNTIME_SETTINGS,
  readConfig,
  type ServiceDefinition,
  silentLog,
  startService,
} from '@aegis/runtime'
import { Codec } from '@aegis/runtime/codec'
import { collectGarbage } from '@aegis/runtime/collect-garbage'

const env = {
  NEO4J_URI: 'memory',
  REDIS_URL: 'memory',
  AEGIS_HISTORY_FILE: path.join(mkdtempSync(path.join(tmpdir(), 'aegis-bench-')), 'history.sqlite'),
}
const infrastructure = { broker: new MemoryBroker({ retainedRecords: 1000 }), registry: new MemoryRegistry() }
const service = await startService(
  api as unknown as ServiceDefinition,
  readConfig(api.settings, env) as never,
  readConfig(RUNTIME_SETTINGS, env),
  infrastructure,
  silentLog(),
)
let most = 0
setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 100).unref()
collectGarbage(60_000)
const codec = new Codec(infrastructure.registry)
await codec.prepare([incidents as never])
const producer = await infrastructure.broker.producer()

process.on('message', async (asked: { what: 'usage' } | { what: 'incident'; id: string }) => {
  if (asked.what === 'usage') {
    const { user, system } = process.cpuUsage()
    return process.send?.({ memory: most, cpu: user + system, now: process.memoryUsage() })
  }
  const now = Date.now() * 1000
  const value = {
    id: asked.id,
    environment: 'bench',
    time: now,
    state: 'open',
    revision: 1,
    severity: 'high',
    started: now,
    ended: null,
    entities: ['service:a'],
    anomalies: [],
    health: [],
    verdict: 'not_enough_evidence',
    causes: [],
    timeline: [],
    graph: [],
    explanation: asked.id,
    merged_into: null,
    split_from: null,
  }
  await producer.send([{ topic: incidents.name, key: 'bench', value: codec.encode(incidents as never, value), headers: {} }])
})
process.send?.({ port: service.port })
