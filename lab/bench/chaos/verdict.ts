/** Holds a harmed run against the unharmed one and says what is wrong with it. */
import type { ServerName } from '@aegis/stack/local/places'
import { compare, type Difference } from './compare.ts'
import type { Ran } from './run.ts'

/** A server that is back must have everything working again within this. */
const COMEBACK_MS = 30_000

export interface Verdict {
  readonly differences: readonly Difference[]
  readonly faults: readonly string[]
}
export interface Bars {
  /** Kills must have landed in open transactions, snapshots and silent replays, or the run proves little. */
  readonly landings?: boolean
  readonly restarts?: Readonly<Partial<Record<ServerName, number>>>
}

export const judge = (unharmed: Ran, ran: Ran, bars: Bars): Verdict => {
  const differences = compare(unharmed.outputs, ran.outputs)
  const harm = ran.harm!
  const faults = [...harm.failures]
  if (ran.stuck) faults.push(ran.stuck)
  for (const d of differences)
    if (!d.equal)
      faults.push(`${d.topic}: ${d.lost} lost, ${d.duplicated} duplicated, ${d.different} different, ${d.added} added`)
  if (ran.deadLetters > 0) faults.push(`${ran.deadLetters} dead letters of an input that holds none`)
  if (ran.crashes.length > 0) faults.push(`services ended by themselves: ${ran.crashes.join(', ')}`)
  if (bars.landings)
    for (const phase of ['transaction', 'snapshot', 'replay'] as const)
      if (harm.landed[phase] === 0) faults.push(`no kill landed in a ${phase}`)
  for (const [server, n] of Object.entries(bars.restarts ?? {})) {
    const back = harm.comebacks.filter(c => c.server === server)
    if (back.length < n) faults.push(`${server} was restarted ${back.length} times of ${n}: more steps are needed`)
    const late = back.filter(c => c.workingAfterMs > COMEBACK_MS)
    if (late.length > 0)
      faults.push(`${late.length} times it took more than ${COMEBACK_MS / 1000} s to work again after ${server} came back`)
  }
  return { differences, faults }
}
