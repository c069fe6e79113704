/** Carries a plan out while the input is driven through, and counts what was hit. */
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '@aegis/domain'
import type { Drive } from './drive.ts'
import type { ServiceName } from './fleet.ts'
import { PHASES, type Phase } from './phases.ts'
import type { DiskFull, Harm, Kill, Rebalance, Restart, Zombie } from './plan.ts'
import type { World } from './world.ts'

/** Longer than the session timeout and a rebalance: the halted member's partitions have gone to the other. */
const TAKEN_OVER_MS = 7000
/** Clocks wrong by a minute and a half and by a quarter of an hour, either way; the others are right. */
const SKEWS_MS = [0, 0, 90_000, -90_000, 900_000, -900_000]

export interface Comeback {
  readonly server: string
  /** Until every service said it was ready, and the input had gone a step on, counted from the server's return; milliseconds. */
  readonly workingAfterMs: number
}

export class Harmer {
  readonly #world: World
  readonly #drive: Drive
  readonly #plan: readonly Harm[]
  readonly #random: () => number
  readonly #busy = new Map<string, Promise<void>>()
  readonly #say: (line: string) => void
  #stepDone: (() => void)[] = []
  readonly #servers: (Restart | DiskFull)[] = []
  #away: { readonly step: number; readonly back: Promise<void> } | undefined
  kills = 0
  rebalances = 0
  zombies = 0
  skewed = 0
  /** Kills by what the service was in the middle of when it died. */
  readonly landed: Record<Phase, number> = { transaction: 0, snapshot: 0, commit: 0, restore: 0, replay: 0 }
  readonly comebacks: Comeback[] = []
  readonly failures: string[] = []

  constructor(world: World, drive: Drive, planned: readonly Harm[], seed: number, say: (line: string) => void) {
    this.#world = world
    this.#drive = drive
    this.#plan = planned
    this.#random = seededRandom(seed ^ 0x5eed)
    this.#say = say
  }

  async stepBegins(step: number): Promise<void> {
    // Two steps may begin while a server is away; then the input waits, or it would all be through before the next one is killed.
    if (this.#away && step > this.#away.step + 1) await this.#away.back
    for (const harm of this.#plan.filter(h => h.step === step))
      if (harm.kind === 'restart' || harm.kind === 'disk') this.#servers.push(harm)
      else this.#after(harm.service, harm, () => this.#do(harm))
    // Servers go one at a time.
    if (this.#away === undefined && this.#servers.length > 0) {
      const harm = this.#servers.shift()!
      let back: () => void = () => undefined
      this.#away = { step, back: new Promise(resolve => (back = resolve)) }
      this.#after('servers', harm, () =>
        this.#restart(harm, back).finally(() => {
          back()
          this.#away = undefined
        }),
      )
    }
  }
  /** One thing at a time to each service. */
  #after(whom: string, harm: Harm, work: () => Promise<void>): void {
    const done = Promise.all([this.#busy.get(whom), sleep(harm.delayMs)])
      .then(work)
      .catch(error => void this.failures.push(`${harm.kind}: ${(error as Error).message}`))
    this.#busy.set(whom, done)
  }
  stepDone(): void {
    for (const wake of this.#stepDone.splice(0)) wake()
  }
  /** Resolves when everything that was begun is over. */
  async settled(): Promise<void> {
    const timer = setInterval(() => this.stepDone(), 100)
    await Promise.all(this.#busy.values())
    clearInterval(timer)
  }

  #do(harm: Exclude<Harm, Restart | DiskFull>): Promise<void> {
    if (harm.kind === 'kill') return this.#kill(harm)
    return harm.kind === 'rebalance' ? this.#rebalance(harm) : this.#zombie(harm)
  }

  /** Waits until the service is in the middle of it; false when that did not happen in time. */
  async #catch(service: ServiceName, aim: Phase, withinMs: number): Promise<boolean> {
    const until = performance.now() + withinMs
    while (performance.now() < until) {
      if (this.#world.fleet.of(service).phases().includes(aim)) return true
      await sleep(1)
    }
    return false
  }
  async #up(service: ServiceName): Promise<void> {
    const until = performance.now() + 20_000
    while (!(await this.#world.fleet.of(service).ready()) && performance.now() < until) await sleep(50)
  }
  #start(service: ServiceName): void {
    const skew = SKEWS_MS[Math.floor(this.#random() * SKEWS_MS.length)]
    if (skew !== 0) this.skewed++
    this.#world.fleet.start(service, { AEGIS_CHAOS_SKEW_MS: String(skew) })
  }

  async #kill({ service, aims }: Kill): Promise<void> {
    for (const [i, aim] of aims.entries()) {
      // The second kill of a pair is meant for what follows the first; all others find the service at work.
      if (i === 0) await this.#up(service)
      if (aim) await this.#catch(service, aim, i === 0 ? 3000 : 12_000)
      const phases = await this.#world.fleet.of(service).end('SIGKILL')
      this.kills++
      for (const phase of phases) this.landed[phase]++
      this.#start(service)
    }
  }

  async #rebalance({ service, stayMs, politely }: Rebalance): Promise<void> {
    await this.#up(service)
    const guest = this.#world.fleet.guest(service)
    const until = performance.now() + 20_000
    while (!(await guest.ready()) && performance.now() < until) await sleep(50)
    await sleep(stayMs)
    this.#world.fleet.dismiss(guest)
    await guest.end(politely ? 'SIGTERM' : 'SIGKILL')
    this.rebalances++
  }

  async #zombie({ service }: Zombie): Promise<void> {
    const { fleet } = this.#world
    await this.#up(service)
    const old = fleet.of(service)
    let halted = false
    for (let attempt = 0; attempt < 40 && !halted; attempt++) {
      if (!(await this.#catch(service, 'transaction', 2000))) continue
      old.signal('SIGSTOP')
      await sleep(20)
      // Once the commit has been asked for there is nothing left that a fence could stop.
      halted = old.phases().includes('transaction') && !old.phases().includes('commit')
      if (!halted) old.signal('SIGCONT')
    }
    if (!halted) {
      this.failures.push(`zombie: ${service} was never caught in an open transaction`)
      return
    }
    const guest = fleet.guest(service)
    const until = performance.now() + 20_000
    while (!(await guest.ready()) && performance.now() < until) await sleep(50)
    await sleep(TAKEN_OVER_MS)
    old.signal('SIGCONT')
    await sleep(2000)
    fleet.adopt(guest)
    await old.end('SIGKILL')
    this.zombies++
  }

  async #restart(harm: Restart | DiskFull, isBack: () => void): Promise<void> {
    const { servers } = this.#world
    const server = harm.kind === 'disk' ? 'kafka, disk full' : harm.server
    // The input must be the same in every run: nothing is produced while the broker is away. Its services go on, and find the disk full.
    if (harm.kind === 'disk') {
      const how = await this.#drive.undisturbed(() => servers.fillDisk())
      this.#say(`the broker's disk was full: it ${how}`)
    } else if (harm.server === 'kafka') await this.#drive.undisturbed(() => servers.restart('kafka', harm.awayMs))
    else await servers.restart(harm.server, harm.awayMs)
    isBack()
    const back = performance.now()
    const waiting = await this.#world.fleet.allReady(60_000)
    await new Promise<void>(resolve => this.#stepDone.push(resolve))
    const workingAfterMs = Math.round(performance.now() - back)
    this.comebacks.push({ server, workingAfterMs })
    if (waiting.length > 0) this.failures.push(`${waiting.join(', ')} not ready 60 s after ${server} came back`)
    this.#say(`${server}: back again; everything worked again after ${(workingAfterMs / 1000).toFixed(1)} s`)
  }

  report(): string {
    const landed = PHASES.map(p => `${this.landed[p]} in ${WORDS[p]}`).join(', ')
    return `${this.kills} kills (${landed}), ${this.rebalances} rebalances, ${this.zombies} halted holders, ${this.skewed} skewed clocks, ${this.comebacks.length} server restarts`
  }
}
const WORDS: Readonly<Record<Phase, string>> = {
  transaction: 'open transactions',
  snapshot: 'snapshots being written',
  commit: 'commits',
  restore: 'snapshots being read',
  replay: 'silent replays',
}
