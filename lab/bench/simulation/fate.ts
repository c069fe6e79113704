/** Draws from the seed what befalls each request to the broker: how long it and its answer take, and now and then something worse. */
import { seededRandom } from '@aegis/domain'

/** What a request is about; the rarer ones are struck more often, so that each is struck in some seeds of many. */
export const REQUESTS = [
  'begin',
  'send',
  'snapshot',
  'order',
  'offsets',
  'commit',
  'fence',
  'committed',
  'restore',
  'replay',
  'take',
  'produce',
  'admin',
] as const
export type RequestKind = (typeof REQUESTS)[number]
const WEIGHT: Readonly<Partial<Record<RequestKind, number>>> = {
  commit: 2,
  snapshot: 2,
  fence: 6,
  committed: 6,
  restore: 10,
  replay: 20,
  take: 0.5,
}

/**
 * crash: the instance dies here. halt: it stands still, perhaps until others have taken its work. refuse: the broker says no. lose: done, but
 * the answer is lost. slow: takes seconds. join: another instance of the service comes for a while. outage: the broker is away for all.
 */
export const BLOWS = ['crash', 'halt', 'refuse', 'lose', 'slow', 'join', 'outage'] as const
export type Blow = (typeof BLOWS)[number]
const SHARE: Readonly<Record<Blow, number>> = { crash: 8, halt: 3, refuse: 3, lose: 4, slow: 3, join: 2, outage: 1 }
const SHARES = Object.values(SHARE).reduce((a, b) => a + b)

export interface Strike {
  readonly blow?: Blow
  /** Whether the blow falls once the request has had its effect. */
  readonly after: boolean
  /** How long a halt, a slow request, a visit or an outage lasts, milliseconds. */
  readonly lastsMs: number
  readonly requestMs: number
  readonly answerMs: number
}

export class Fate {
  readonly random: () => number
  readonly #rate: number
  readonly #most: number
  readonly struck: Partial<Record<Blow, number>> = {}
  /** Crashes and halts by what they fell into. */
  readonly landed: Partial<Record<RequestKind, number>> = {}
  #count = 0
  #over = false

  /** @param most blows to be drawn at most; their rate is drawn as well, so that some seeds are stormy and some nearly calm */
  constructor(seed: number, most: number) {
    this.random = seededRandom(seed)
    this.#most = most
    this.#rate = 0.0005 * 8 ** this.random()
  }
  number(below: number): number {
    return Math.floor(this.random() * below)
  }
  /** No more blows. */
  end(): void {
    this.#over = true
  }

  draw(kind: RequestKind): Strike {
    const { random } = this
    const strike = { after: random() < 0.5, lastsMs: 50 * 60 ** random(), requestMs: 2 * random(), answerMs: random() }
    if (this.#over || this.#count >= this.#most || random() >= this.#rate * (WEIGHT[kind] ?? 1)) return strike
    let at = random() * SHARES
    const blow = BLOWS.find(b => (at -= SHARE[b]) < 0)!
    this.#count++
    this.struck[blow] = (this.struck[blow] ?? 0) + 1
    if (blow === 'crash' || blow === 'halt') this.landed[kind] = (this.landed[kind] ?? 0) + 1
    return { ...strike, blow }
  }
}
