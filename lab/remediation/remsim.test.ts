import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { OraclePolicy, QmdpPolicy, type SimPolicy } from './full-information.ts'
import { play, scoreOf } from './play.ts'
import golden from './remsim.golden.json' with { type: 'json' }
import { FEATURE_COUNT, RemSim } from './remsim.ts'
import { PagingPlayer, RandomPlayer, RunbookPlayer } from './runbook.ts'

const PLAYERS: Readonly<Record<string, () => SimPolicy>> = {
  random: () => new RandomPlayer(),
  rules: () => new RunbookPlayer(),
  oracle: () => new OraclePolicy(),
}
const fnv = (hash: number, bytes: Uint8Array): number => {
  for (const b of bytes) hash = Math.imul(hash ^ b, 0x01000193) >>> 0
  return hash
}
/** Return, actions, and a hash of every observation and reward, byte by byte. */
function replay(player: SimPolicy, seed: number) {
  const sim = new RemSim()
  const seen = new Float32Array(FEATURE_COUNT)
  const bytes = new Uint8Array(seen.buffer)
  sim.reset(seed)
  player.reset(sim)
  sim.observe(seen)
  let hash = fnv(0x811c9dc5, bytes)
  let total = 0
  const actions: number[] = []
  while (!sim.done) {
    const action = player.act(sim)
    const reward = sim.step(action)
    sim.observe(seen)
    total += reward
    hash = fnv(fnv(hash, new Uint8Array(Float64Array.of(reward).buffer)), bytes)
    actions.push(action)
  }
  return { return: total, unsafe: sim.unsafe, actions, hash }
}

describe('RemSim', () => {
  it('replays the reference episodes bit for bit', () => {
    for (const { player, seed, ...expected } of golden)
      expect(replay(PLAYERS[player](), seed), `${player} on ${seed}`).toEqual(expected)
  })

  it('ranks random, paging, runbook, planning and full information as the reference does', () => {
    const returns = [new RandomPlayer(), new PagingPlayer(), new RunbookPlayer(), new QmdpPolicy(), new OraclePolicy()].map(
      p => play(p, 1_000_000, 24).return,
    )
    expect([...returns].sort((a, b) => a - b)).toEqual(returns)
    expect(scoreOf(returns[0], returns[0], returns[4])).toBe(0)
  })

  it('refuses what is masked', () => {
    const sim = new RemSim()
    sim.reset(1)
    while (sim.candidates[sim.focus] === sim.root) sim.reset(sim.seed + 1)
    sim.step(3)
    expect(sim.allowed(3)).toBe(false)
    expect(() => sim.step(3)).toThrow(/restart_pod may not be taken at minute 1/)
  })

  // The reference itself, where it is at hand: AEGIS_EVAL_REMSIM names the file, AEGIS_EVAL_PYTHON an interpreter that has numpy.
  const file = process.env.AEGIS_EVAL_REMSIM
  const there = file !== undefined && existsSync(file)
  it.skipIf(!there)(
    there
      ? 'plays fresh episodes as the reference file does'
      : 'reference file absent: AEGIS_EVAL_REMSIM is not set, only the checked-in episodes were replayed',
    () => {
      const script = `
import sys, json
sys.path.insert(0, ${JSON.stringify(dirname(file ?? ''))}); sys.argv = ['x']
import numpy as np
from remsim import RemSim, Rand
def fnv(h, b):
    for x in b: h = ((h ^ x) * 0x01000193) & 0xffffffff
    return h
out = []
e = RemSim()
for seed in range(2_000_000, 2_000_040):
    p = Rand(); o = e.reset(seed); p.reset(e); h = fnv(0x811c9dc5, o.tobytes()); t = 0.0; acts = []
    while not e.done:
        a = p.act(e); o, r, d = e.step(a); t += float(r); h = fnv(fnv(h, np.float64(r).tobytes()), o.tobytes()); acts.append(int(a))
    out.append(dict(seed=seed, unsafe=e.unsafe, actions=acts, hash=h) | {'return': t})
print(json.dumps(out))`
      const out = execFileSync(process.env.AEGIS_EVAL_PYTHON ?? 'python3', ['-c', script], { encoding: 'utf8' })
      for (const { seed, ...expected } of JSON.parse(out))
        expect(replay(new RandomPlayer(), seed), `seed ${seed}`).toEqual(expected)
    },
  )
})
