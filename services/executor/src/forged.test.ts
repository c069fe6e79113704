import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sealIn } from '@aegis/authority'
import { type Decision, decisions, type Outcome, outcomes } from '@aegis/domain'
import { Codec, MemoryBroker, MemoryRegistry, RUNTIME_SETTINGS, readConfig, silentLog, startService } from '@aegis/runtime'
import { expect, it } from 'vitest'
import { MemoryCoordination } from './coordination.ts'
import { executorWith } from './service.ts'

const decision = (n: number): Decision => ({
  id: `d${n}`,
  environment: 'prod',
  time: Date.now() * 1000,
  incident: 'i1',
  incident_revision: 1,
  attempt: 1,
  cause: `service:s${n}`,
  action: 'restart',
  target: `service:s${n}`,
  parameters: {},
  mode: 'act',
  status: 'decided',
  decision: `d${n}`,
  candidates: [],
  propensity: 1,
  situation: [],
  facts: '{}',
  evidence: [],
  reasons: [],
  explanation: '',
  policy: 'rules',
  policy_version: '1',
  seed: 1,
  suggestions: [],
})

it('acts on none of 1,000 decisions that the remediator did not sign, goes on, and acts on the one that it did', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aegis-'))
  const [broker, registry] = [new MemoryBroker(), new MemoryRegistry()]
  const definition = executorWith(new MemoryCoordination(() => performance.now()))
  const env = { AEGIS_AUTHORITY_FOLDER: folder, AEGIS_ENVIRONMENT_PARTITIONS: '1', AEGIS_DATA_PARTITIONS: '1' }
  const service = await startService(
    definition,
    readConfig(definition.settings, env),
    readConfig(RUNTIME_SETTINGS, env),
    { broker, registry },
    silentLog(),
  )
  const codec = new Codec(registry)
  await codec.prepare([decisions, outcomes] as never)
  const producer = await broker.producer()
  const remediator = sealIn(folder, 'remediator')
  const stranger = sealIn(mkdtempSync(path.join(tmpdir(), 'aegis-')), 'remediator')
  const send = (n: number, headers: (value: Buffer, at: number) => Readonly<Record<string, string>>) => {
    const value = Buffer.from(codec.encode(decisions as never, decision(n)))
    return producer.send([{ topic: decisions.name, key: 'prod', value, headers: headers(value, Date.now() * 1000) }])
  }
  const forged = [
    () => ({}),
    (value: Buffer, at: number) => stranger.sign(decisions.name, value, at),
    (_: Buffer, at: number) => remediator.sign(decisions.name, Buffer.from('another'), at),
    (value: Buffer, at: number) => remediator.sign(decisions.name, value, at - 120_000_000),
  ]
  for (let n = 0; n < 1000; n++) await send(n, forged[n % forged.length])
  await send(1000, (value, at) => remediator.sign(decisions.name, value, at))
  const acted: string[] = []
  const tail = await broker.tail([outcomes.name], {
    from: 'start',
    onRecords: async records => {
      for (const r of records)
        if (r.value) {
          await codec.learn(r.topic, [r.value])
          acted.push((codec.decode(r.topic, r.value) as Outcome).decision)
        }
    },
  })
  await expect.poll(() => acted.length, { timeout: 20_000 }).toBeGreaterThan(0)
  expect(new Set(acted)).toEqual(new Set(['d1000']))
  await tail.close()
  await service.stop()
  await broker.close()
}, 60_000)
