import { setTimeout as sleep } from 'node:timers/promises'
import { type Receipt, Unverified } from '@aegis/domain'

const POLL_MS = 250

/** Looks until `lacks` names nothing any more. Stopped before that, it says what still lacked: done, but not seen to work. */
export const untilStatus = async (
  receipt: Receipt,
  signal: AbortSignal,
  lacks: () => Promise<string | undefined>,
): Promise<void> => {
  let last = 'its status was not read'
  try {
    for (;;) {
      const lacking = await lacks()
      if (lacking === undefined) return
      last = lacking
      await sleep(POLL_MS, undefined, { signal })
    }
  } catch (error) {
    if (error instanceof Unverified || !signal.aborted) throw error
    const why = (signal.reason as Error | undefined)?.message ?? 'stopped'
    throw new Unverified(`${receipt.text}, but ${last} (${why})`, receipt)
  }
}
