/** The whole thing on the real servers: a healthy shop is left alone, a broken one is healed by the right action on the right service. */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import path from 'node:path'
import { faultNamed } from '@aegis/demo-shop'
import { type DrillReport, drill } from '@aegis/lab/drill/drill'
import { anyFree } from '@aegis/stack/local/ports'
import { type Stack, up } from '@aegis/stack/local/stack'
import { type Pipeline, startProcesses } from '@aegis/stack/pipeline/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** A busy machine keeps the shop from being well before any fault; a drill waits for that. */
const LONG_MS = 1_200_000
const folder = mkdtempSync(path.join(tmpdir(), 'aegis-heal-'))
let stack: Stack
let pipeline: Pipeline
let supervisorPort = 0
let n = 0

beforeAll(async () => {
  stack = await up({ attached: true, folder: path.join(folder, 'stack'), say: line => console.log(`[stack] ${line}`) })
  supervisorPort = await anyFree()
  const env = {
    ...stack.env,
    AEGIS_DATA_PARTITIONS: '2',
    AEGIS_ENVIRONMENT_PARTITIONS: '1',
    AEGIS_VERIFY_MS: '20000',
    AEGIS_ENVIRONMENT_MODES: 'drill-*=act',
    AEGIS_EXECUTORS: `drill-*=process:http://127.0.0.1:${supervisorPort}`,
  }
  pipeline = await startProcesses({
    env,
    logFolder: path.join(folder, 'logs'),
    onLost: (service, how) => console.error(`${service} ended: ${how}`),
  })
})
afterAll(async () => {
  await pipeline?.stop()
  await stack?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const run = (fault: string | undefined, limitSeconds: number): Promise<DrillReport> =>
  drill({
    environment: `drill-${++n}`,
    gatewayUrl: pipeline.gatewayUrl,
    stateDir: path.join(folder, `shop-${n}`),
    supervisorPort,
    fault,
    learnSeconds: 15,
    limitSeconds,
    keep: false,
    say: line => console.log(line),
    signal: new AbortController().signal,
  })

/** A machine with other work waiting for every core cannot say how a shop does that is left alone; one without can, and a shop that is ill there is a defect. */
const isBusy = () => loadavg()[0] > 3 * availableParallelism()

describe('a healthy shop', () => {
  it(
    'opens no incident and sees no action in a minute',
    async context => {
      // On a machine so busy that customers notice, an incident is right; then there was no healthy minute, and another is tried.
      let report = await run(undefined, 60)
      for (let again = 0; again < 3 && !report.wellThroughout; again++) report = await run(undefined, 60)
      context.skip(!report.wellThroughout && isBusy(), 'the machine never left the shop alone for a minute')
      expect(report.wellThroughout).toBe(true)
      expect({ incidents: report.incidents, decisions: report.decisions }).toEqual({ incidents: 0, decisions: [] })
    },
    LONG_MS,
  )
})

describe('a broken shop', () => {
  it.each(['killed-dependency', 'bad-deploy', 'disk-full', 'bad-config'])(
    '%s is healed by the right action on the true cause',
    async name => {
      const report = await run(name, 240)
      const fault = faultNamed(name)
      const { stop: _, ...whole } = report as DrillReport & { stop: unknown }
      expect({ broken: report.broken, healed: report.healed }, JSON.stringify(whole, undefined, 1)).toEqual({
        broken: true,
        healed: true,
      })
      expect(report.causeRank).toBeLessThanOrEqual(3)
      const operations: Record<string, string> = {
        rollback_deploy: 'rollback',
        revert_config: 'revert-config',
        raise_limit: 'raise-limit',
        clean_disk: 'clean-disk',
        scale_out: 'scale',
      }
      const acted = report.decisions
        .filter(d => d.startsWith('act '))
        .map(d => d.split(' '))
        .map(([, action, target]) => ({ operation: operations[action] ?? action, service: target.replace('service:', '') }))
      expect(fault.rightActions).toContainEqual(acted.at(-1))
    },
    LONG_MS,
  )
})
