import type { Action, Executor, Found, Receipt } from '@aegis/domain'

/** Calls a person: posts the page to a webhook where one is configured; without one the decision on its stream is the page. */
export class Page implements Executor {
  readonly name = 'page'
  readonly actions = ['page']
  readonly #webhook: string | undefined

  constructor(webhook: string | undefined) {
    this.#webhook = webhook
  }

  async execute(action: Action, id: string, signal: AbortSignal): Promise<Receipt> {
    if (!this.#webhook) return { text: 'paged by the decision itself: no webhook is configured' }
    const answer = await fetch(this.#webhook, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': id },
      body: JSON.stringify({ id, ...action }),
      signal,
    })
    if (!answer.ok) throw new Error(`the page webhook answered ${answer.status}`)
    return { text: `paged through the webhook: ${answer.status}` }
  }
  /** Better called twice than not at all; the receiver tells a repeated page by its key. */
  async find(): Promise<Found> {
    return 'ask-again'
  }
}
