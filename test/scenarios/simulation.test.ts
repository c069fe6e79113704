/** The short form of `npm run simulate-faults`: fixed seeds, and proof that they would notice. */

import type { Broken } from '@aegis/lab/bench/chaos/phases'
import { inputOf, judgeSimulated, type Simulated, simulate } from '@aegis/lab/bench/simulation/simulate'
import { loadDefinitions } from '@aegis/lab/bench/simulation/simulated-fleet'
import { beforeAll, describe, expect, it } from 'vitest'

/** Of two inputs, so that two unharmed runs do. */
const SEEDS = Array.from({ length: 50 }, (_, i) => 4 * i + 1)
let definitions: Awaited<ReturnType<typeof loadDefinitions>>
const unharmed = new Map<number, Simulated>()
const run = async (seed: number, broken?: Broken) => {
  const input = inputOf(seed)
  const before = unharmed.get(input) ?? (await simulate({ definitions, seed: input }))
  unharmed.set(input, before)
  const ran = await simulate({ definitions, seed, struck: { broken } })
  return { before, ran, ...judgeSimulated(before, ran) }
}

describe('the pipeline in simulated time', () => {
  beforeAll(async () => {
    definitions = await loadDefinitions()
  })

  it('comes from lines to outcomes when left alone', async () => {
    const { before } = await run(1)
    for (const [topic, { count }] of before.outputs) expect([topic, count > 0]).toEqual([topic, true])
  })

  it('does the same thing for the same seed', async () => {
    const [first, again, other] = [(await run(3)).ran, (await run(3)).ran, (await run(11)).ran]
    expect(again.schedule).toBe(first.schedule)
    expect(other.schedule).not.toBe(first.schedule)
  })

  it('says the same to the byte whatever befalls it, in each of 50 seeds', async () => {
    const failed: string[] = []
    const struck: Record<string, number> = {}
    for (const seed of SEEDS) {
      const { faults, ran } = await run(seed)
      for (const [blow, n] of Object.entries(ran.fate.struck)) struck[blow] = (struck[blow] ?? 0) + n
      if (faults.length > 0) failed.push(`npm run simulate-faults -- --seed ${seed}: ${faults.join('; ')}`)
    }
    expect(failed).toEqual([])
    for (const blow of ['crash', 'halt', 'refuse', 'lose', 'slow', 'join', 'outage']) expect(struck[blow]).toBeGreaterThan(0)
  }, 300_000)

  it.each(['fencing', 'transactions', 'snapshots', 'order'] as const)(
    'does not without %s: some seed notices',
    async broken => {
      let noticed = 0
      for (const seed of SEEDS.slice(0, 30)) {
        if (noticed > 0) break
        noticed += (await run(seed, broken)).faults.length
      }
      expect(noticed).toBeGreaterThan(0)
    },
    300_000,
  )
})
