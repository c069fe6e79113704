import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RemSim } from '../remediation/remsim.ts'
import { evalRemediation } from './remediation.ts'

describe('eval remediation', () => {
  it('writes figures that anyone gets who replays the actions', { timeout: 300_000 }, async () => {
    const out = await mkdtemp(join(tmpdir(), 'aegis-eval-'))
    try {
      await evalRemediation({ out, seedBase: '3000000', episodes: '6' })
      const { policies } = JSON.parse(await readFile(join(out, 'remediation.json'), 'utf8'))
      expect(Object.keys(policies)).toEqual(expect.arrayContaining(['ppo', 'rules', 'random', 'oracle', 'qmdp']))
      expect(policies.random.score).toBe(0)
      expect(policies.oracle.score).toBe(1)
      for (const name of Object.keys(policies)) {
        const lines = (await readFile(join(out, `actions.${name}.jsonl`), 'utf8')).trim().split('\n')
        let [total, unsafe, paged] = [0, 0, 0]
        lines.forEach((line, k) => {
          const { seed, actions } = JSON.parse(line)
          expect(seed).toBe(3_000_000 + k)
          const sim = new RemSim()
          sim.reset(seed)
          for (const a of actions) total += sim.step(a)
          expect(sim.done).toBe(true)
          unsafe += sim.unsafe
          paged += actions.includes(19) ? 1 : 0
        })
        expect(policies[name].return).toBeCloseTo(total / 6, 9)
        expect(policies[name].unsafe_per_100).toBeCloseTo((100 * unsafe) / 6, 9)
        expect(policies[name].paged_share).toBeCloseTo(paged / 6, 9)
      }
    } finally {
      await rm(out, { recursive: true, force: true })
    }
  })

  it('says what is wrong with its arguments', async () => {
    await expect(evalRemediation({ out: '/nowhere', seedBase: 'x' })).rejects.toThrow(/--seed-base must be a whole number, not x/)
    await expect(evalRemediation({ out: '/nowhere', episodes: 0 })).rejects.toThrow(/at least 1/)
  })
})
