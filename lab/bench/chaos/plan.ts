/** What is done to the pipeline, and when: drawn from the seed before the run. */

import { seededRandom } from '@aegis/domain'
import type { ServerName } from '@aegis/stack/local/places'
import { SERVICES, type ServiceName } from './fleet.ts'
import type { Phase } from './phases.ts'

interface When {
  readonly step: number
  /** After the step has begun, milliseconds. */
  readonly delayMs: number
}
/** SIGKILL and a new start, as often as there are aims: at once, or when the service is next in the middle of something. */
export type Kill = When & { readonly kind: 'kill'; readonly service: ServiceName; readonly aims: readonly (Phase | undefined)[] }
/** A second member joins the service's groups, and leaves again. */
export type Rebalance = When & {
  readonly kind: 'rebalance'
  readonly service: ServiceName
  readonly stayMs: number
  readonly politely: boolean
}
/** The service is halted in an open transaction, another takes its partitions over, and it wakes up again. */
export type Zombie = When & { readonly kind: 'zombie'; readonly service: ServiceName }
/** SIGKILL of a server, and back after a while. */
export type Restart = When & { readonly kind: 'restart'; readonly server: ServerName; readonly awayMs: number }
/** The broker's disk is filled, and freed again. */
export type DiskFull = When & { readonly kind: 'disk' }
export type Harm = Kill | Rebalance | Zombie | Restart | DiskFull

export interface PlanOptions {
  readonly seed: number
  readonly steps: number
  readonly kills: number
  readonly rebalances: number
  readonly zombies: number
  readonly restarts: Readonly<Partial<Record<ServerName, number>>>
  readonly disksFull?: number
}

/** Stages with one input replay since their last snapshot; the others snapshot in every transaction. */
const REPLAYING: readonly ServiceName[] = ['log-parser', 'span-aggregator', 'anomaly-detector']

export const plan = (options: PlanOptions): Harm[] => {
  const random = seededRandom(options.seed)
  const number = (below: number) => Math.floor(random() * below)
  const pick = <T>(list: readonly T[]): T => list[number(list.length)]
  const when = (): When => ({ step: 1 + number(Math.max(1, options.steps - 2)), delayMs: number(500) })
  const harms: Harm[] = []
  let kills = 0
  for (let i = 0; kills < options.kills; i++) {
    const dice = number(10)
    // Every service in turn, so that a small number of kills reaches all of them.
    const service = i < SERVICES.length ? SERVICES[i] : pick(SERVICES)
    const aims: (Phase | undefined)[] =
      dice < 5
        ? [undefined]
        : dice < 7
          ? ['transaction']
          : dice < 8 || !REPLAYING.includes(service)
            ? ['snapshot']
            : ['transaction', 'replay']
    harms.push({ kind: 'kill', ...when(), service, aims: aims.slice(0, options.kills - kills) })
    kills += aims.length
  }
  for (let i = 0; i < options.rebalances; i++)
    harms.push({ kind: 'rebalance', ...when(), service: pick(SERVICES), stayMs: number(2000), politely: random() < 0.5 })
  for (let i = 0; i < options.zombies; i++)
    harms.push({ kind: 'zombie', ...when(), service: i === 0 ? 'log-parser' : pick(REPLAYING) })
  const servers = Object.entries(options.restarts).flatMap(([server, n]) =>
    Array.from({ length: n ?? 0 }, () => server as ServerName | 'disk'),
  )
  for (let i = 0; i < (options.disksFull ?? 0); i++) servers.push('disk')
  // One after the other, spread over the run in a drawn order.
  for (let i = servers.length - 1; i > 0; i--) {
    const j = number(i + 1)
    ;[servers[i], servers[j]] = [servers[j], servers[i]]
  }
  servers.forEach((server, i) => {
    const step = 1 + Math.floor(((i + random() * 0.5) / servers.length) * Math.max(1, options.steps - 3))
    harms.push(
      server === 'disk'
        ? { kind: 'disk', step, delayMs: 0 }
        : { kind: 'restart', step, delayMs: number(500), server, awayMs: number(1500) },
    )
  })
  return harms.sort((a, b) => a.step - b.step || a.delayMs - b.delayMs)
}
