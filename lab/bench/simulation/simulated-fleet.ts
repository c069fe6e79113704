/** The stream services as their own definitions make them, several instances of each if need be, in this process under simulated time. */

import { MemoryCoordination } from '@aegis/executor/coordination'
import { executorWith } from '@aegis/executor/service'
import { PlainTopology } from '@aegis/root-cause'
import { rootCauseAnalyzerWith } from '@aegis/root-cause-analyzer/service'
import {
  type Registry,
  RUNTIME_SETTINGS,
  type RunningStages,
  readConfig,
  type ServiceDefinition,
  silentLog,
  startStages,
} from '@aegis/runtime'
import { SERVICES as DEFINITIONS } from '@aegis/stack/pipeline/services'
import { SERVICES, type ServiceName } from '../chaos/fleet.ts'
import { ENVIRONMENTS } from '../chaos/input.ts'
import { InstanceBroker, type Surroundings } from './instance-broker.ts'

/** A service that ended is started again after at most this long, simulated milliseconds. */
const RESTART_MS = 1500

interface Instance {
  readonly broker: InstanceBroker
  running?: RunningStages
  gone: boolean
}

/** Loads the services' code; under simulated time nothing may wait for a disk. */
export const loadDefinitions = async (): Promise<Readonly<Record<string, ServiceDefinition>>> =>
  Object.fromEntries(await Promise.all(SERVICES.map(async name => [name, await DEFINITIONS[name]()])))

export class SimulatedFleet {
  readonly #world: Surroundings
  readonly #registry: Registry
  readonly #definitions: Readonly<Record<string, ServiceDefinition>>
  readonly #env: Readonly<Record<string, string>>
  readonly #instances = new Set<Instance>()
  #count = 0
  /** Services that ended by themselves. */
  readonly crashes: string[] = []

  constructor(
    world: Surroundings,
    registry: Registry,
    loaded: Readonly<Record<string, ServiceDefinition>>,
    env: Readonly<Record<string, string>>,
  ) {
    this.#world = world
    this.#registry = registry
    // What Neo4j and Redis hold outlives the services. Time does not pass for it: a word once mirrored stays believed, as ticks keep it in life.
    this.#definitions = {
      ...loaded,
      'root-cause-analyzer': rootCauseAnalyzerWith(new PlainTopology()) as unknown as ServiceDefinition,
      executor: executorWith(new MemoryCoordination(() => 0)) as unknown as ServiceDefinition,
    }
    this.#env = { AEGIS_ENVIRONMENT_MODES: `${ENVIRONMENTS[1]}=act`, ...env }
  }

  async startAll(): Promise<void> {
    for (const service of SERVICES) this.start(service)
    const { clock } = this.#world
    while ([...this.#instances].filter(i => i.running).length < SERVICES.length) await clock.sleep(10)
  }

  start(service: ServiceName): Instance {
    const { fate, clock, note } = this.#world
    const name = `${service}#${++this.#count}`
    // A wall clock may be wrong, now as after a restart.
    const skewUs = this.#count > SERVICES.length && fate.random() < 0.3 ? Math.round((fate.random() - 0.5) * 30 * 60e6) : 0
    const broker = new InstanceBroker(name, this.#world, (blow, lastsMs) =>
      blow === 'crash' ? this.#crash(service, instance) : this.#visit(service, lastsMs),
    )
    const instance: Instance = { broker, gone: false }
    this.#instances.add(instance)
    note(`${clock.now.toFixed(3)} ${name} starts`)
    const definition = this.#definitions[service]
    const ended = (how: string, error: Error & { code?: string }) => {
      if (instance.gone) return
      // One that cannot start while the broker is away ends, and whoever watches over it starts it again.
      if (instance.running || error.code !== 'BROKER_UNAVAILABLE') this.crashes.push(`${name} ${how}: ${error.message}`)
      this.#crash(service, instance)
    }
    startStages(
      definition,
      readConfig(definition.settings, this.#env),
      readConfig(RUNTIME_SETTINGS, this.#env),
      { broker, registry: this.#registry, now: () => clock.wallUs + skewUs },
      silentLog(),
    ).then(
      running => {
        instance.running = running
        running.failed.catch(error => ended('failed', error))
      },
      error => ended('could not start', error),
    )
    return instance
  }

  #crash(service: ServiceName, instance: Instance): void {
    if (instance.gone) return
    this.#bury(instance)
    this.#world.clock.after(RESTART_MS * this.#world.fate.random(), () => this.start(service))
  }
  #bury(instance: Instance): void {
    instance.gone = true
    instance.broker.die()
    this.#instances.delete(instance)
  }

  /** Another instance comes for a while, and leaves, politely or not. */
  #visit(service: ServiceName, lastsMs: number): void {
    const { clock, fate } = this.#world
    const guest = this.start(service)
    const politely = fate.random() < 0.5
    clock.after(lastsMs, () => {
      if (guest.gone) return
      if (!politely || !guest.running) return this.#bury(guest)
      this.#instances.delete(guest)
      void guest.running.stop().then(() => this.#bury(guest))
    })
  }
}
