/** A simulated failure through all services in this process: the cause is found, and every reference of its incident leads somewhere. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { explain } from '@aegis/cli/commands/incidents'
import {
  type LogLine,
  logsRaw,
  metricsRaw,
  type Observation,
  type Span,
  type Stream,
  type TopologyEdge,
  topologyEdges,
  tracesSpans,
} from '@aegis/domain'
import { type CameOfIt, playThrough } from '@aegis/lab/replay/run-recording'
import { simulateRecording } from '@aegis/lab/root-cause/simulate-recording'
import { systemOfList } from '@aegis/root-cause'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { type Pipeline, startEmbedded } from '@aegis/stack/pipeline/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const folder = mkdtempSync(path.join(tmpdir(), 'aegis-recording-'))
let pipeline: Pipeline
beforeAll(async () => {
  pipeline = await startEmbedded({
    env: { AEGIS_CLOCK: 'off', AEGIS_DATA_PARTITIONS: '1', AEGIS_ENVIRONMENT_PARTITIONS: '1', AEGIS_BATCH_WAIT_MS: '0' },
    logFolder: folder,
  })
}, 60_000)
afterAll(async () => {
  await pipeline?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const { edges } = systemOfList(
  'web -> orders\nweb -> items\norders -> stock\norders -> pay\nstock -> database:goods\nitems -> database:goods\n',
)

describe('a simulated failure through the pipeline', () => {
  it.each(['crash', 'error', 'disk'] as const)(
    '%s: found, explained, and every reference leads somewhere',
    async fault => {
      const environment = `test-${fault}`
      const s = simulateRecording(edges, {
        environment,
        seed: 3,
        from: 1_700_000_000_000_000,
        fault,
        at: 'service:stock',
        quietSeconds: 45,
        faultSeconds: 75,
        rate: 6,
      })
      const client = new StreamClient(pipeline.infrastructure!)
      const lines = new Map<string, LogLine>()
      const spans = new Map<string, Span>()
      const observed = new Map<string, Observation[]>()
      const known = new Set<string>()
      const tail = await client.tail(
        [logsRaw, metricsRaw, topologyEdges, tracesSpans] as unknown as Stream<never>[],
        'end',
        decoded => {
          for (const { value, record } of decoded) {
            if (!value || (value as LogLine).environment !== environment) continue
            if (record.topic === logsRaw.name) lines.set(`${record.partition}/${record.offset}`, value as LogLine)
            else if (record.topic === tracesSpans.name)
              spans.set(`${record.partition}/${record.offset}`, value as unknown as Span)
            else if (record.topic === topologyEdges.name)
              known.add(`${(value as TopologyEdge).from} ${(value as TopologyEdge).to}`)
            else {
              const o = value as Observation
              const key = `${o.entity} ${o.metric_name}`
              observed.set(key, [...(observed.get(key) ?? []), o])
            }
          }
        },
      )
      const found: CameOfIt = await playThrough(
        client,
        { ...s, to: s.to - 60e6, name: fault, stepSeconds: 1, misplaced: 0 },
        {
          environment,
          speed: 0,
          tickSeconds: 1,
          signal: new AbortController().signal,
        },
      )
      await tail.close()
      const list = [...found.incidents.values()].filter(i => i.state !== 'merged')
      expect(list.length).toBeGreaterThan(0)
      const named = list.filter(i => i.verdict === 'cause_named')
      expect(named.map(i => i.causes[0].entity)).toContain('service:stock')
      for (const i of list) {
        for (const id of i.anomalies) expect(found.anomalies.has(id), `anomaly ${id}`).toBe(true)
        for (const e of i.graph) expect(known.has(`${e.from} ${e.to}`), `${e.from} → ${e.to}`).toBe(true)
        for (const t of i.timeline) {
          expect(t.time >= s.from && t.time <= s.to + 5e6).toBe(true)
          expect(
            s.edges.some(e => e.from === t.entity || e.to === t.entity),
            t.entity,
          ).toBe(true)
        }
        expect(i.timeline.map(t => t.time)).toEqual(i.timeline.map(t => t.time).toSorted((a, b) => a - b))
        for (const [rank, c] of i.causes.entries()) {
          expect(c.path[0]).toBe(c.entity)
          for (let n = 1; n < c.path.length; n++)
            expect(
              i.graph.some(e => e.from === c.path[n] && e.to === c.path[n - 1]),
              c.path.join(' → '),
            ).toBe(true)
          if (rank > 0) expect(c.against.length, `why not ${c.entity}`).toBeGreaterThan(0)
          for (const e of c.evidence) {
            if (e.kind === 'log') expect(lines.get(`${e.partition}/${e.offset}`)?.body).toBe(e.text)
            else if (e.kind === 'span') {
              const span = spans.get(`${e.partition}/${e.offset}`)
              expect(span).toMatchObject({ entity: e.entity, operation: e.name, time: e.time })
              expect(e.text).toContain(`trace ${span!.trace_id}, span ${span!.span_id}`)
            }
            // Silence is told by what is missing: nothing of its own came then.
            else if (e.name === 'telemetry')
              expect(
                (observed.get(`${e.entity} process.cpu.utilization`) ?? []).every(o => Math.abs(o.time - e.time) > 1e6),
              ).toBe(true)
            else
              expect(
                observed.get(`${e.entity} ${e.name}`)?.some(o => Math.abs(o.time - e.time) <= 5e6),
                `${e.entity} ${e.name}`,
              ).toBe(true)
          }
        }
      }
      const text = explain(named[0], [], [])
      for (const part of ['Cause: service:stock', 'path: service:stock → ', 'Rejected: ', 'because: ', 'Timeline'])
        expect(text).toContain(part)
    },
    120_000,
  )
})
