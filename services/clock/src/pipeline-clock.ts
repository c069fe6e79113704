import { type Control, controls } from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'

const TICK_MS = 1000
/** How long a control that was just written may take to come back before the next tick has to do, milliseconds. */
const HEARD_MS = 500
const POLL_MS = 10

/** The pipeline's clock: a tick a second while this one leads, one after the other, and one at once when a control was set. */
export class PipelineClock {
  readonly #context: Pick<ServiceContext, 'tick' | 'now' | 'latest' | 'log'>
  #timer: NodeJS.Timeout | undefined
  #leading = false
  #last: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(context: Pick<ServiceContext, 'tick' | 'now' | 'latest' | 'log'>) {
    this.#context = context
  }

  lead(leading: boolean): void {
    clearInterval(this.#timer)
    this.#leading = leading
    if (!leading) return
    this.#context.log.info('leads the pipeline clock')
    this.#timer = setInterval(() => void this.#tick(), TICK_MS)
  }

  /**
   * A control is in force from the tick that names it. A kill switch must not wait most of a second for that: the tick comes as soon as the control
   * was heard. Where another one leads, its next tick names it.
   */
  async tickOn({ environment, version }: Pick<Control, 'environment' | 'version'>): Promise<void> {
    const heard = () => (this.#context.latest(controls, environment)?.version ?? 0) >= version
    for (let waited = 0; this.#leading && !heard() && waited < HEARD_MS; waited += POLL_MS)
      await new Promise(resolve => setTimeout(resolve, POLL_MS))
    if (this.#leading && heard()) await this.#tick()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#leading = false
  }

  /** In turn, so that times rise; one under way and one to come are enough, as that one names whatever was heard before it. */
  #tick(): Promise<void> {
    const { tick, now, log } = this.#context
    this.#next ??= this.#last.then(() => {
      this.#next = undefined
      return tick({ time: now(), environment: '*' }).catch(error => log.warn({ err: error }, 'tick failed'))
    })
    this.#last = this.#next
    return this.#last
  }
}
