/** The short form of `npm run chaos`: a fixed seed, every service killed, the broker restarted; and a harness that fails when a promise is taken away. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { SERVICES } from '@aegis/lab/bench/chaos/fleet'
import { ChaosInput } from '@aegis/lab/bench/chaos/input'
import { type Harm, plan } from '@aegis/lab/bench/chaos/plan'
import { type Ran, run } from '@aegis/lab/bench/chaos/run'
import { judge } from '@aegis/lab/bench/chaos/verdict'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const SEED = 20_261_121
const STEPS = 28
const input = new ChaosInput({ seed: SEED, records: 8400, steps: STEPS })
const folder = mkdtempSync(path.join(tmpdir(), 'aegis-chaos-'))
const say = (line: string) => console.log(line)
let unharmed: Ran

beforeAll(async () => {
  unharmed = await run({ name: 'unharmed', folder, input, seed: SEED, say })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe(`the pipeline under kills (seed ${SEED})`, () => {
  it('comes from lines to decisions when left alone', () => {
    expect(unharmed.crashes).toEqual([])
    for (const [topic, { count }] of unharmed.outputs) expect([topic, count > 0]).toEqual([topic, true])
  })

  it('says the same to the byte when every service is killed and the broker restarted', async () => {
    const harms = plan({
      seed: SEED,
      steps: STEPS,
      kills: SERVICES.length + 2,
      rebalances: 0,
      zombies: 0,
      restarts: { kafka: 1 },
    })
    const harmed = await run({ name: 'harmed', folder, input, seed: SEED, plan: harms, say })
    expect(new Set(harms.flatMap(h => (h.kind === 'kill' ? [h.service] : [])))).toEqual(new Set(SERVICES))
    expect(judge(unharmed, harmed, { restarts: { kafka: 1 } }).faults).toEqual([])
    expect(harmed.harm?.kills).toBe(SERVICES.length + 2)
    expect(harmed.harm?.landed.transaction).toBeGreaterThan(0)
  })

  it('does not when snapshots are switched off: the comparison notices', async () => {
    // What a stage has learned is gone with it, whenever it is killed: this proof needs no luck.
    const harms = (['anomaly-detector', 'log-parser', 'root-cause-analyzer'] as const).flatMap(service =>
      [10, 16].map((step): Harm => ({ kind: 'kill', step, delayMs: 0, service, aims: ['transaction'] })),
    )
    const broken = await run({ name: 'broken', folder, input, seed: SEED, plan: harms, broken: 'snapshots', say })
    expect(judge(unharmed, broken, {}).faults).not.toEqual([])
  })
})
