import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ACTIONS, type Action, type Executor, type Found, PLATFORM_ACTIONS, type Receipt } from '@aegis/domain'

export interface WebhookOptions {
  readonly url: string
  /** Shared with the receiver, who checks the signature with it. */
  readonly secret: string
  readonly dryRun?: boolean
  /** Wall clock, microseconds. */
  readonly now: () => number
}
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 5000
/** Answers that mean "not now" rather than "no". */
const AGAIN = new Set([408, 425, 429, 500, 502, 503, 504])

/** `v1=` and the HMAC-SHA256, in hex, of `<seconds>.<body>`: a receiver that refuses old times cannot be fed a recorded call. */
export const signatureOf = (secret: string, seconds: number, body: string): string =>
  `v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`

/**
 * Posts the action to somebody else's automation and takes its answer for the receipt. Silence and "not now" are met by posting again under
 * the same `idempotency-key` (the decision's id) until the time is up: a receiver must do one key's work once.
 */
export class Webhook implements Executor {
  readonly name = 'webhook'
  readonly actions = [...Object.keys(ACTIONS), ...Object.keys(PLATFORM_ACTIONS)]
  readonly #options: WebhookOptions

  constructor(options: WebhookOptions) {
    this.#options = options
  }

  async execute(action: Action, id: string, signal: AbortSignal): Promise<Receipt> {
    const { url, secret, dryRun, now } = this.#options
    if (dryRun) return { text: `dry run: ${action.action} ${action.target} was not posted` }
    for (let wait = FIRST_WAIT_MS, last = ''; ; wait = Math.min(LONGEST_WAIT_MS, wait * 2)) {
      const seconds = Math.floor(now() / 1e6)
      const body = JSON.stringify({ id, ...action, time: seconds })
      try {
        const answer = await fetch(url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'idempotency-key': id,
            'aegis-timestamp': String(seconds),
            'aegis-signature': signatureOf(secret, seconds, body),
          },
          body,
          signal,
        })
        const text = (await answer.text()).slice(0, 1000)
        if (answer.ok) return { text: `${answer.status} ${text}`.trim() }
        last = `the webhook answered ${answer.status}: ${text.slice(0, 300)}`
        if (!AGAIN.has(answer.status)) return Promise.reject(new Error(`${action.action} ${action.target}: ${last}`))
      } catch (error) {
        if (signal.aborted) throw error
        last = `the webhook did not answer (${((error as Error).cause as Error | undefined)?.message ?? (error as Error).message})`
      }
      await sleep(wait, undefined, { signal }).catch(() => {
        throw new Error(`${action.action} ${action.target}: ${last}; check AEGIS_EXECUTORS and the receiver`)
      })
    }
  }

  async find(): Promise<Found> {
    return 'ask-again'
  }
}
