/**
 * A candidate's way into force, as a sequence of tests that can be replayed: what is recorded of each case goes in, a verdict comes out.
 *
 * 1. Hold-out: cases neither has learned from. The candidate goes on where the lower confidence bound of its advantage is above nothing, and no slice is worse by more than
 *    its noise.
 * 2. Shadow: it is asked beside the one in force, case by case. The bound is one that may be looked at after every case; this is where what was learned by heart is found out.
 * 3. Canary: it decides for a share of entities, by a hash of their name. Here it is held against what the others meet, since what it does may change what it sees.
 * 4. In force: the one before it goes on beside it, frozen, and takes over again when it is shown to be better.
 */
import { AegisError, hash32 } from '@aegis/domain'
import { Differences, normalQuantile } from './evidence.ts'
import type { ModelState } from './states.ts'

export interface TrialOptions {
  /** New samples without which nothing is trained. Default 1,000. */
  readonly fewestSamples?: number
  /** Hold-out cases without which nothing is judged. Default 300. */
  readonly fewestHeldOut?: number
  /** Chance that one that is no better passes the hold-out. Default .1; what passes by chance is found in the shadow. */
  readonly holdOutAlpha?: number
  /** Chance that one that is no better ever passes the shadow. Default .001. */
  readonly shadowAlpha?: number
  /** Cases in the shadow after which it is given up. Default 10,000. */
  readonly mostShadow?: number
  /** Chance that a slice of one that is no worse is called worse, all slices together. Default .01. */
  readonly sliceAlpha?: number
  /** Per cent of entities it decides for as a canary. Default 10. */
  readonly canaryShare?: number
  /** Outcomes of the canary before it may decide for all. Default 500. */
  readonly fewestCanary?: number
  /** Success that the canary may seem to lack: noise of so few outcomes. Default .03. */
  readonly canaryMargin?: number
  /** Cases in which the frozen one goes on beside it. Default 10,000. */
  readonly mostTwin?: number
}
export const TRIAL_DEFAULTS: Required<TrialOptions> = {
  fewestSamples: 1000,
  fewestHeldOut: 300,
  holdOutAlpha: 0.1,
  shadowAlpha: 0.001,
  mostShadow: 10_000,
  sliceAlpha: 0.01,
  canaryShare: 10,
  fewestCanary: 500,
  canaryMargin: 0.03,
  mostTwin: 10_000,
}
/** One case that both were asked: how well each did, 0 to 1, and what kind of case it was. */
export interface PairedCase {
  readonly present: number
  readonly candidate: number
  readonly slice?: string
}
export interface Verdict {
  readonly state: ModelState
  /** One sentence. */
  readonly reason: string
}
/** Cases at which the bounds of shadow and twin are narrowest. */
const TUNED = 3000
const LATE = 'no longer on trial'
/** Slices that are kept apart; the rest are one. */
const MOST_SLICES = 32
const REST = 'other'
const shown = (x: number): string => `${x >= 0 ? '+' : ''}${x.toFixed(4)}`

export class Trial {
  readonly #options: Required<TrialOptions>
  readonly #name: string
  #state: ModelState = 'registered'
  #all = new Differences()
  #slices = new Map<string, Differences>()
  #canary = { candidate: new Differences(), present: new Differences() }
  #twin = new Differences()

  /** @param name of the trial: which entities are the canary's follows from it */
  constructor(name: string, options: TrialOptions = {}) {
    this.#name = name
    this.#options = { ...TRIAL_DEFAULTS, ...options }
  }
  get state(): ModelState {
    return this.#state
  }
  get cases(): number {
    return this.#all.count
  }

  /** Whether there is enough that is new to train on; otherwise the one in force stays, and says why. */
  enough(newSamples: number): Verdict {
    const { fewestSamples } = this.#options
    return newSamples >= fewestSamples
      ? { state: 'registered', reason: `${newSamples} new samples` }
      : {
          state: 'retired',
          reason: `${newSamples} new samples are too few: the model in force stays until there are ${fewestSamples}`,
        }
  }

  /** Both on the same cases that neither learned from. @throws INPUT_INVALID after the first time: what was looked at is no hold-out any more */
  holdOut(cases: readonly PairedCase[]): Verdict {
    if (this.#state !== 'registered') throw new AegisError('INPUT_INVALID', `${this.#name}: the hold-out was used already`)
    const { fewestHeldOut, holdOutAlpha } = this.#options
    if (cases.some(c => !(c.candidate >= 0 && c.candidate <= 1) || !(c.present >= 0 && c.present <= 1)))
      return this.#to('retired', 'its answers cannot be judged: some are no numbers')
    if (cases.length < fewestHeldOut)
      return this.#to('retired', `${cases.length} hold-out cases are too few: ${fewestHeldOut} are needed`)
    const all = new Differences()
    const slices = new Map<string, Differences>()
    for (const c of cases) put(all, slices, c)
    const low = all.mean - normalQuantile(holdOutAlpha) * all.error
    const worse = this.#worseSlice(slices, cases.length)
    if (worse) return this.#to('retired', `hold-out: ${worse}`)
    return low > 0
      ? this.#to('candidate', `hold-out: ${shown(all.mean)} over ${cases.length} cases, at least ${shown(low)}`)
      : this.#to('retired', `hold-out: ${shown(all.mean)} over ${cases.length} cases, but perhaps ${shown(low)}`)
  }

  /** One case in the shadow; a verdict when there is one. */
  shadow(c: PairedCase): Verdict | undefined {
    if (this.#state !== 'candidate') throw new AegisError('INPUT_INVALID', `${this.#name}: ${LATE} in the shadow`)
    const { shadowAlpha, mostShadow } = this.#options
    if (!(c.candidate >= 0 && c.candidate <= 1)) return this.#to('retired', 'shadow: an answer that is no number')
    put(this.#all, this.#slices, c)
    const n = this.#all.count
    const { low, high } = this.#all.sequence(shadowAlpha, TUNED)
    if (high < 0) return this.#to('retired', `shadow: worse by ${shown(this.#all.mean)} over ${n} cases`)
    // Slices are looked at now and then: each look is one more chance to be wrong.
    if (n % 1000 === 0 || low > 0) {
      const worse = this.#worseSlice(this.#slices, n)
      if (worse) return this.#to('retired', `shadow: ${worse}`)
    }
    if (low > 0) return this.#to('canary', `shadow: ${shown(this.#all.mean)} over ${n} cases, at least ${shown(low)}`)
    return n >= mostShadow
      ? this.#to('retired', `shadow: no advantage shown in ${n} cases (${shown(this.#all.mean)})`)
      : undefined
  }

  /** Whether the candidate decides for this entity: the same answer always, for the share of all that was asked for. */
  decidesFor(entity: string): boolean {
    if (this.#state === 'active') return true
    return this.#state === 'canary' && isCanary(this.#name, entity, this.#options.canaryShare)
  }

  /** How a case ended that one of the two decided, 0 to 1. */
  canary(by: 'candidate' | 'present', success: number): Verdict | undefined {
    if (this.#state !== 'canary') throw new AegisError('INPUT_INVALID', `${this.#name}: ${LATE} as a canary`)
    const { fewestCanary, canaryMargin } = this.#options
    if (!(success >= 0 && success <= 1))
      return by === 'candidate' ? this.#to('rolled_back', 'canary: an outcome that is no number') : undefined
    this.#canary[by].add(success)
    const { candidate, present } = this.#canary
    if (candidate.count < 50 || present.count < 50) return undefined
    const off = candidate.mean - present.mean
    const error = Math.hypot(candidate.error, present.error)
    if (off + 3 * error < 0) return this.#to('rolled_back', `canary: ${shown(off)} over ${candidate.count} outcomes`)
    if (candidate.count < fewestCanary) return undefined
    return off > -canaryMargin
      ? this.#to('active', `canary: ${shown(off)} over ${candidate.count} outcomes`)
      : this.#to('rolled_back', `canary: ${shown(off)} over ${candidate.count} outcomes`)
  }

  /** One case of its life in force, with the one before it asked beside it. */
  twin(c: PairedCase): Verdict | undefined {
    if (this.#state !== 'active') throw new AegisError('INPUT_INVALID', `${this.#name}: ${LATE} beside its twin`)
    if (this.#twin.count >= this.#options.mostTwin) return undefined
    if (!(c.candidate >= 0 && c.candidate <= 1)) return this.#to('rolled_back', 'in force: an answer that is no number')
    this.#twin.add(c.candidate - c.present)
    const { high } = this.#twin.sequence(this.#options.shadowAlpha, TUNED)
    return high < 0
      ? this.#to(
          'rolled_back',
          `in force: the one before it does better, ${shown(this.#twin.mean)} over ${this.#twin.count} cases`,
        )
      : undefined
  }

  #to(state: ModelState, reason: string): Verdict {
    this.#state = state
    return { state, reason }
  }

  /** A slice that is worse by more than its noise; the chance of saying so in vain is shared by all of them. */
  #worseSlice(slices: ReadonlyMap<string, Differences>, cases: number): string | undefined {
    const z = normalQuantile(this.#options.sliceAlpha / Math.max(1, slices.size))
    for (const [slice, d] of slices)
      if (d.count >= 20 && d.mean + z * d.error < 0)
        return `worse by ${shown(d.mean)} on "${slice}", ${d.count} of ${cases} cases`
    return undefined
  }

  toJSON() {
    const { candidate, present } = this.#canary
    return { state: this.#state, all: this.#all, slices: [...this.#slices], candidate, present, twin: this.#twin }
  }
  /** From `JSON.parse` of what `toJSON` gave. */
  load(saved: { state: ModelState; all: Saved; slices: [string, Saved][]; candidate: Saved; present: Saved; twin: Saved }): this {
    const of = (s: Saved) => new Differences().load(s)
    this.#state = saved.state
    this.#all = of(saved.all)
    this.#slices = new Map(saved.slices.map(([slice, s]) => [slice, of(s)]))
    this.#canary = { candidate: of(saved.candidate), present: of(saved.present) }
    this.#twin = of(saved.twin)
    return this
  }
}
type Saved = ReturnType<Differences['toJSON']>

function put(all: Differences, slices: Map<string, Differences>, c: PairedCase): void {
  const difference = c.candidate - c.present
  all.add(difference)
  if (c.slice === undefined) return
  const name = slices.has(c.slice) || slices.size < MOST_SLICES ? c.slice : REST
  let slice = slices.get(name)
  if (!slice) slices.set(name, (slice = new Differences()))
  slice.add(difference)
}
/** Whether an entity is one of the canary's: the same answer always. `share` in per cent; `name` of the trial, so that another one takes other entities. */
export const isCanary = (name: string, entity: string, share = TRIAL_DEFAULTS.canaryShare): boolean =>
  scramble(hash32(`${name}\n${entity}`)) % 10_000 < 100 * share
/** The name's hash alone is uneven for names that differ in their last letters only. */
const scramble = (x: number): number => {
  const y = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  return (y ^ (y >>> 13)) >>> 0
}
