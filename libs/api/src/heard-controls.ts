import { type Control, controls, type Standstill, type Stream, standstills } from '@aegis/domain'
import type { Seen, ServiceContext } from '@aegis/runtime'

/** How long a wish may take to come back as what is in force, milliseconds. */
export const ANSWER_MS = 5000

/** What a wish holds to: with what became of others before it, that tells whether it counted. */
interface Wish {
  readonly environment: string
  /** Version that was in force when it was said. */
  readonly seen: number
  /** It counts only while that version is in force. */
  readonly heldTo: boolean
  /** It takes a stop back. */
  readonly resumes: boolean
}
export type Answer =
  | { readonly wanted: string; readonly control: Control }
  /** Somebody else came first. */
  | { readonly wanted: undefined; readonly version: number }

/** Controls and standstills as they come: what became of each wish, and which stop has stopped all. */
export class HeardControls {
  readonly #context: Pick<ServiceContext, 'tail'>
  readonly #waiting = new Set<(control: Control) => void>()
  readonly #still = new Map<string, number>()
  #listening: Promise<unknown> | undefined

  static readonly streams = [controls, standstills] as unknown as readonly Stream<never>[]

  constructor(context: Pick<ServiceContext, 'tail'>) {
    this.#context = context
  }

  /**
   * Says a wish and waits for what becomes of it: wishes count in the order of their stream, so one that holds to what it has seen was refused when another
   * control came first.
   * @returns undefined where nothing came within `ANSWER_MS`
   */
  async answerTo(id: string, say: (id: string) => Promise<Wish>): Promise<Answer | undefined> {
    await this.listen()
    const before: Control[] = []
    let take = (control: Control): void => void before.push(control)
    const hear = (control: Control) => take(control)
    this.#waiting.add(hear)
    try {
      const wish = await say(id)
      return await new Promise<Answer | undefined>(resolve => {
        const timer = setTimeout(() => resolve(undefined), ANSWER_MS)
        const end = (answer: Answer) => {
          clearTimeout(timer)
          resolve(answer)
        }
        take = control => {
          if (control.environment !== wish.environment) return
          if (control.wanted === id) end({ wanted: id, control })
          else if (
            control.version > wish.seen &&
            (wish.heldTo || (wish.resumes && control.kill_switch && control.stopped_at === control.version))
          )
            end({ wanted: undefined, version: control.version })
        }
        for (const control of before) take(control)
      })
    } finally {
      this.#waiting.delete(hear)
    }
  }

  /** The version of the newest stop since which nothing is under way in an environment. */
  async stillSince(environment: string): Promise<number | undefined> {
    await this.listen()
    return this.#still.get(environment)
  }

  listen(): Promise<unknown> {
    this.#listening ??= this.#context
      .tail(HeardControls.streams, 'start', seen => this.#take(seen))
      .then(async tail => {
        await tail.caughtUp
        return tail
      })
      .catch(error => {
        this.#listening = undefined
        throw error
      })
    return this.#listening
  }

  #take(seen: readonly Seen[]): void {
    for (const { stream, value } of seen) {
      if (stream === standstills.name) {
        const { environment, version } = value as Standstill
        this.#still.set(environment, Math.max(version, this.#still.get(environment) ?? 0))
      } else for (const hear of this.#waiting) hear(value as Control)
    }
  }
}
