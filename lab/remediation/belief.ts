/**
 * What may be concluded from all that was seen so far in an episode of RemSim: a Bayes filter over fault × rank of the suspect, as 128 features.
 *
 * The filter (Åström 1965; Kaelbling, Littman and Cassandra 1998) multiplies a prior by the likelihood of every observation and of every cure that
 * did not come. It uses the simulator's published tables (what a fault looks like, how it grows, what helps) and nothing hidden: neither fault nor
 * root nor age is read. A hypothesis knows its own age, because relief resets it only where the hypothesis says the action was right. Symptoms of
 * callers count as well: their strength is a power of 0.6 that stays for the episode, weighed over what graphs of training seeds show.
 *
 * Row i under fault f at minute t has mean a·c(t)·s_f; with x = Σ c·(row·s_f)/σ² and n = Σ c²·|s_f|²/σ² its log-likelihood is a·x − a²·n/2 up to a
 * constant, so two sums per row are all the memory there is.
 */
import {
  ACTION_COUNT,
  ANYWHERE,
  COST,
  CURES,
  DISRUPTIVE,
  FAULT_COUNT,
  FAULTS,
  HEALS,
  MITIGATES,
  PRIOR,
  RANK_PRIOR,
  RELIEF,
  RemSim,
  SERVICES,
  SIGNALS as SIGNALS_SEEN,
  SIGNS,
  SIM_ACTIONS,
  severity,
} from './remsim.ts'

const SIGNALS = 8
const ABSENT = 3
/** A candidate's or bystander's possible strength when it is not the root. */
const LEVELS = Float64Array.of(0, 0.6, 0.36, 0.216)
const IMPACT = 4
/** Criticality expected of a suspect not yet in focus. */
const USUAL_CRITICALITY = 0.65
const PAGE_MINUTES = 15
export const BELIEF_FEATURES = 128
const DISRUPTIVE_ACTIONS = Array.from(DISRUPTIVE.keys()).filter(a => DISRUPTIVE[a] === 1)
const RELIEVING = Array.from({ length: ACTION_COUNT }, (_, a) => a).filter(a =>
  PRIOR.some((_, f) => RELIEF[f * ACTION_COUNT + a] >= 0),
)

/** Chance of each level for the ten places (three suspects, then the others in order), from graphs of training seeds. */
let levelChances: Float64Array | undefined
function chances(): Float64Array {
  if (levelChances) return levelChances
  const counts = new Float64Array(SERVICES * LEVELS.length).fill(1)
  const sim = new RemSim()
  for (let seed = 0; seed < 4000; seed++) {
    sim.reset(seed)
    const others = Array.from({ length: SERVICES }, (_, i) => i).filter(i => !sim.candidates.includes(i))
    ;[...sim.candidates, ...others].forEach((service, place) => {
      if (service === sim.root) return
      const strength = sim.strengthOf(service)
      const level = strength === 0 ? 0 : Math.min(3, Math.round(Math.log(strength) / Math.log(0.6)))
      counts[Math.min(place, 9) * LEVELS.length + level]++
    })
  }
  // The three suspects share one row: which of them is the root does not matter to the others.
  for (let level = 0; level < LEVELS.length; level++) {
    const mean = (counts[level] + counts[LEVELS.length + level] + counts[2 * LEVELS.length + level]) / 3
    for (let place = 0; place < 3; place++) counts[place * LEVELS.length + level] = mean
  }
  for (let place = 0; place < SERVICES; place++) {
    const row = counts.subarray(place * LEVELS.length, (place + 1) * LEVELS.length)
    const sum = row.reduce((a, b) => a + b, 0)
    row.forEach((x, i) => {
      row[i] = x / sum
    })
  }
  return (levelChances = counts)
}
const LENGTH2 = Float64Array.from({ length: FAULT_COUNT }, (_, f) =>
  SIGNS.subarray(f * SIGNALS, (f + 1) * SIGNALS).reduce((s, x) => s + x * x, 0),
)
const HYPOTHESES = FAULT_COUNT * 4

export class Belief {
  /** Probability of fault f with the root at rank k (3: no suspect), at f · 4 + k. */
  readonly joint = new Float64Array(HYPOTHESES)
  readonly ages = new Float64Array(HYPOTHESES)
  readonly #logs = new Float64Array(HYPOTHESES)
  /** Sums per hypothesis and place. Those of rank 0–2 are kept only where their age went its own way. */
  readonly #x = new Float64Array(HYPOTHESES * SERVICES)
  readonly #n = new Float64Array(HYPOTHESES * SERVICES)
  readonly #own = new Uint8Array(HYPOTHESES)
  readonly #dots = new Float64Array(SERVICES)
  readonly #aside = new Float64Array(SERVICES)
  readonly #places = new Int32Array(SERVICES)
  /** Criticality of suspects whose turn has come. */
  readonly #criticality = new Float64Array(3)
  #probes = 0
  #focus = 0

  reset(): void {
    this.#x.fill(0)
    this.#n.fill(0)
    this.#own.fill(0)
    this.ages.fill(0)
    this.#criticality.fill(USUAL_CRITICALITY)
    this.#probes = this.#focus = 0
    for (let f = 0; f < FAULT_COUNT; f++) for (let k = 0; k < 4; k++) this.#logs[f * 4 + k] = Math.log(PRIOR[f] * RANK_PRIOR[k])
  }

  /** What an action that did not end the episode says. */
  acted(a: number): void {
    for (let f = 0; f < FAULT_COUNT; f++) {
      const cure = CURES[f * ACTION_COUNT + a]
      const relief = RELIEF[f * ACTION_COUNT + a]
      const stays = Math.log(1 - HEALS[f])
      for (let k = 0; k < 4; k++) {
        const h = f * 4 + k
        this.#logs[h] += stays
        if (k === this.#focus || ANYWHERE[a] === 1) {
          if (cure > 0) this.#logs[h] += Math.log(1 - cure)
          if (relief >= 0 && relief < this.ages[h]) {
            if (!this.#own[h]) {
              this.#own[h] = 1
              this.#x.copyWithin(h * SERVICES, (f * 4 + ABSENT) * SERVICES, (f * 4 + ABSENT + 1) * SERVICES)
              this.#n.copyWithin(h * SERVICES, (f * 4 + ABSENT) * SERVICES, (f * 4 + ABSENT + 1) * SERVICES)
            }
            this.ages[h] = relief
          }
        }
        this.ages[h]++
      }
    }
  }

  /** What an observation says; it holds which suspect is in focus and whether it is a probe's. */
  saw(o: Float32Array, offset = 0): void {
    const focus = Math.round(o[offset + 121] * 2)
    const probing = o[offset + 125] > 0.5
    if (focus !== this.#focus) this.#probes = 0
    this.#focus = focus
    if (probing) this.#probes++
    this.#criticality[focus] = o[offset + 124]
    const places = this.#places
    places[0] = focus
    for (let k = 0, row = 1; k < 3; k++) if (k !== focus) places[row++] = k
    for (let row = 3; row < SERVICES; row++) places[row] = row
    const level = chances()
    const { joint } = this
    let top = -Infinity
    for (let f = 0; f < FAULT_COUNT; f++) {
      for (let row = 0; row < SERVICES; row++) {
        let dot = 0
        for (let j = 0; j < SIGNALS; j++) dot += o[offset + row * SIGNALS + j] * SIGNS[f * SIGNALS + j]
        this.#dots[places[row]] = dot * 3
      }
      for (let k = ABSENT; k >= 0; k--) {
        const h = f * 4 + k
        let base = (f * 4 + ABSENT) * SERVICES
        if (k === ABSENT || this.#own[h]) {
          base = h * SERVICES
          const shown = 0.5 + severity(f, this.ages[h])
          for (let i = 0; i < SERVICES; i++) {
            const precision = probing && i === focus ? 16 : 1
            this.#x[base + i] += shown * this.#dots[i] * precision
            this.#n[base + i] += shown * shown * LENGTH2[f] * precision
          }
        }
        if (k === ABSENT || this.#own[h]) {
          for (let i = 0; i < SERVICES; i++) {
            const x = this.#x[base + i]
            const n = this.#n[base + i]
            let sum = level[i * 4]
            for (let l = 1; l < 4; l++)
              sum += level[i * 4 + l] * Math.exp(Math.min(600, LEVELS[l] * x - 0.5 * LEVELS[l] * LEVELS[l] * n))
            this.#aside[i] = Math.log(sum)
          }
          this.#sumAside(h)
        } else this.#sums[h] = this.#sums[f * 4 + ABSENT]
        let likelihood: number
        if (k < ABSENT)
          likelihood = this.#x[base + k] - 0.5 * this.#n[base + k] + this.#sums[h] - this.#asides[this.#asideOf(h) + k]
        else {
          let best = -Infinity
          for (let i = 3; i < SERVICES; i++) best = Math.max(best, this.#x[base + i] - 0.5 * this.#n[base + i] - this.#aside[i])
          let sum = 0
          for (let i = 3; i < SERVICES; i++) sum += Math.exp(this.#x[base + i] - 0.5 * this.#n[base + i] - this.#aside[i] - best)
          likelihood = this.#sums[h] + best + Math.log(sum / 7)
        }
        joint[h] = this.#logs[h] + likelihood
        if (joint[h] > top) top = joint[h]
      }
    }
    let sum = 0
    for (let h = 0; h < HYPOTHESES; h++) sum += joint[h] = Math.exp(joint[h] - top)
    for (let h = 0; h < HYPOTHESES; h++) joint[h] /= sum
  }
  readonly #sums = new Float64Array(HYPOTHESES)
  readonly #asides = new Float64Array(HYPOTHESES * SERVICES)
  #asideOf(h: number): number {
    return (this.#own[h] ? h : (h & ~3) + ABSENT) * SERVICES
  }
  #sumAside(h: number): void {
    let sum = 0
    for (let i = 0; i < SERVICES; i++) {
      sum += this.#aside[i]
      this.#asides[h * SERVICES + i] = this.#aside[i]
    }
    this.#sums[h] = sum
  }

  /** Chance that an action now heals the fault, and that it is an unsafe one. */
  cureChance(a: number): number {
    let p = 0
    for (let f = 0; f < FAULT_COUNT; f++) {
      const cure = CURES[f * ACTION_COUNT + a]
      if (cure === 0) continue
      const { joint } = this
      p +=
        cure *
        (ANYWHERE[a] === 1 ? joint[f * 4] + joint[f * 4 + 1] + joint[f * 4 + 2] + joint[f * 4 + 3] : joint[f * 4 + this.#focus])
    }
    return p
  }
  unsafeChance(a: number): number {
    if (DISRUPTIVE[a] === 0) return 0
    let safe = 0
    for (let f = 0; f < FAULT_COUNT; f++)
      if (CURES[f * ACTION_COUNT + a] > 0 || RELIEF[f * ACTION_COUNT + a] >= 0 || MITIGATES[a] === 1)
        safe += this.joint[f * 4 + this.#focus]
    return Math.min(1, Math.max(0, 1 - safe))
  }

  /** 128 features; `o` is the observation last seen, `caution` what an unsafe act is said to cost. `BELIEF_FEATURE_NAMES` names them. */
  encode(o: Float32Array, caution: number, into: Float32Array, offset: number): void {
    const { joint, ages } = this
    const focus = this.#focus
    let at = offset
    const ranks = new Float64Array(4)
    let [entropy, top, topFault, worst, growth, heals, felt, page] = [0, 0, 0, 0, 0, 0, 0, 0]
    for (let f = 0; f < FAULT_COUNT; f++) {
      let [ahead, elsewhere, all] = [0, 0, 0]
      for (let k = 0; k < 4; k++) {
        const p = joint[f * 4 + k]
        ranks[k] += p
        all += p
        if (k > focus && k < ABSENT) ahead += p
        else if (k !== focus) elsewhere += p
        if (p > 1e-9) entropy -= p * Math.log(p)
        if (p > top) top = p
        const now = severity(f, ages[f * 4 + k])
        const criticality = k < ABSENT ? this.#criticality[k] : USUAL_CRITICALITY
        worst += p * now
        felt += p * criticality * now * IMPACT
        page += p * (1 - HEALS[f]) * criticality * IMPACT * PAGE_MINUTES * severity(f, ages[f * 4 + k] + PAGE_MINUTES / 2)
      }
      if (all > topFault) topFault = all
      growth += all * severity(f, 10)
      heals += all * HEALS[f]
      into[at + f] = joint[f * 4 + focus]
      into[at + 16 + f] = ahead
      into[at + 32 + f] = elsewhere
    }
    at += 48
    for (let k = 0; k < 3; k++) into[at++] = focus + k < ABSENT ? ranks[focus + k] : 0
    into[at++] = ranks[ABSENT]
    into[at++] = ranks.subarray(0, focus).reduce((a, b) => a + b, 0)
    let best = 0
    for (let a = 3; a < 19; a++) {
      const p = this.cureChance(a)
      into[at++] = p
      if (o[80 + a] === 0 && p > best) best = p
    }
    for (const a of DISRUPTIVE_ACTIONS) into[at++] = this.unsafeChance(a)
    for (let a = 3; a < 19; a++) into[at++] = o[80 + a]
    for (const a of RELIEVING) {
      let relief = 0
      for (let f = 0; f < FAULT_COUNT; f++) {
        const to = RELIEF[f * ACTION_COUNT + a]
        const h = f * 4 + focus
        if (to >= 0 && to < ages[h]) relief += joint[h] * (severity(f, ages[h]) - severity(f, to))
      }
      into[at++] = relief
    }
    for (let i = 0; i < 7; i++) into[at++] = o[120 + i]
    for (const x of [entropy / 4, top, topFault, worst, growth, heals, felt / IMPACT, (COST[19] + page) / 50, best])
      into[at++] = x
    into[at++] = Math.min(1, this.#probes / 4)
    into[at++] = caution / 10
    into[at++] = Math.log1p(caution)
    for (let j = 0; at < offset + BELIEF_FEATURES; j++) into[at++] = o[j]
  }
}

const FAULT_NAMES = FAULTS.map(f => f.name)
const of = (names: readonly string[], text: (name: string) => string): string[] => names.map(text)
/** What each of the 128 numbers of `encode` is, in its order. */
export const BELIEF_FEATURE_NAMES: readonly string[] = [
  ...of(FAULT_NAMES, f => `chance of ${f} in the suspect in focus`),
  ...of(FAULT_NAMES, f => `chance of ${f} in a later suspect`),
  ...of(FAULT_NAMES, f => `chance of ${f} elsewhere`),
  ...['the suspect in focus', 'the next suspect', 'the one after it', 'no suspect', 'an earlier suspect'].map(
    s => `chance that ${s} is the root`,
  ),
  ...of(SIM_ACTIONS.slice(3, 19), a => `chance that ${a} heals`),
  ...of(
    SIM_ACTIONS.filter((_, a) => DISRUPTIVE[a] === 1),
    a => `chance that ${a} is unsafe`,
  ),
  ...of(SIM_ACTIONS.slice(3, 19), a => `cooldown of ${a}`),
  ...RELIEVING.map(a => `relief expected of ${SIM_ACTIONS[a]}`),
  'minute',
  'place of the suspect in focus',
  'mitigation left',
  'disruptive acts left',
  'criticality of the suspect',
  'this minute is a probe',
  'something was tried last minute',
  'doubt about the fault',
  'chance of the likeliest hypothesis',
  'chance of the likeliest fault',
  'severity expected',
  'growth expected',
  'chance to heal by itself',
  'impact expected a minute',
  'cost expected of paging now',
  'best chance to heal now',
  'probes of this suspect',
  'price of an unsafe act',
  'logarithm of that price',
  ...SIGNALS_SEEN.map(s => `${s} of the suspect, this minute`),
  ...SIGNALS_SEEN.slice(0, 2).map(s => `${s} of the next suspect, this minute`),
]
