import { OPTIONS } from '@aegis/remediation/options'
import { describe, expect, it } from 'vitest'
import { HEALS, IncidentSim, SHOP } from './incident-sim.ts'

const page = OPTIONS.findIndex(o => o.action === 'page')
const onFirst = (action: string) => OPTIONS.findIndex(o => o.action === action && o.suspect === 0)

describe('IncidentSim', () => {
  it('plays the same episode from the same seed', () => {
    const episode = (seed: number) => {
      const sim = new IncidentSim()
      sim.reset(seed)
      const seen = [JSON.stringify(sim.incident)]
      let total = 0
      for (let turn = 0; !sim.done; turn++) {
        total += sim.step(turn < 3 && sim.allowed(turn) ? turn : page)
        seen.push(JSON.stringify(sim.incident))
      }
      return { seen, total, healed: sim.healed }
    }
    for (const seed of [1, 2, 50]) expect(episode(seed)).toEqual(episode(seed))
    expect(episode(1)).not.toEqual(episode(2))
  })

  it('names suspect and fault rightly more often when it is surer', () => {
    // What would heal is tried at once: it works more often at high confidence.
    const healed = [0, 0]
    const seen = [0, 0]
    const sim = new IncidentSim()
    for (let seed = 0; seed < 6000; seed++) {
      sim.reset(seed)
      const kind = sim.faultKind as keyof typeof HEALS
      const best = Object.entries(HEALS[kind]?.heals ?? {}).sort(([, a], [, b]) => b - a)[0]
      const sure = sim.incident.causes[0].confidence > 0.7 ? 1 : 0
      if (!best) continue
      seen[sure]++
      sim.step(onFirst(best[0]))
      healed[sure] += sim.healed ? 1 : 0
    }
    expect(healed[1] / seen[1]).toBeGreaterThan(healed[0] / seen[0] + 0.15)
  })

  it('ends with a person at the latest, and what failed once fails again', () => {
    const sim = new IncidentSim()
    for (let seed = 0; seed < 200; seed++) {
      sim.reset(seed)
      for (let turn = 0; turn < 20 && !sim.done; turn++) {
        const open = OPTIONS.map((_, a) => a).filter(a => sim.allowed(a))
        sim.step(open.includes(1) ? 1 : page)
      }
      expect(sim.done).toBe(true)
      expect(sim.tried.length).toBeLessThanOrEqual(6)
    }
  })

  it('has a first suspect that is right about as often as is said, sure or unsure', () => {
    const sim = new IncidentSim()
    const [said, right, seen] = [
      [0, 0],
      [0, 0],
      [0, 0],
    ]
    for (let seed = 0; seed < 4000; seed++) {
      sim.reset(seed)
      const [{ entity, confidence }] = sim.incident.causes
      const sure = confidence > 0.7 ? 1 : 0
      said[sure] += confidence
      right[sure] += entity === sim.root ? 1 : 0
      seen[sure]++
    }
    for (const sure of [0, 1]) expect(Math.abs(said[sure] - right[sure]) / seen[sure]).toBeLessThan(0.1)
  })

  it('heals the demo shop by what was measured to heal it, and by little else', () => {
    const sim = new IncidentSim()
    const healed = { measured: [0, 0], other: [0, 0] }
    for (let seed = 0; seed < 3000; seed++) {
      sim.reset(seed)
      const fault = SHOP.faults.find(f => f.name === sim.shopFault)
      if (!fault || sim.incident.causes[0].entity !== sim.root) continue
      const a = seed % (page + 1)
      const effect = fault.heals[OPTIONS[a].action]
      if (!effect) continue
      sim.step(a)
      const count = effect.healed === effect.tried ? healed.measured : effect.healed === 0 ? healed.other : [0, 0]
      count[sim.healed ? 1 : 0]++
    }
    expect(healed.measured[1]).toBeGreaterThan(9 * healed.measured[0])
    expect(healed.other[0]).toBeGreaterThan(9 * healed.other[1])
  })
})
