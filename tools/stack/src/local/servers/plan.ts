import type { Probe } from '../health.ts'
import type { ServerName } from '../places.ts'
import type { Ports } from '../ports.ts'
import type { Command } from '../processes.ts'

export interface Settings {
  /** State folder of the stack. */
  readonly folder: string
  readonly ports: Ports
  readonly password: string
}

/** How one server is run as a process of its own. */
export interface ServerPlan {
  readonly name: ServerName
  /** Writes what the server needs on disk and says how to start it. Safe to repeat; keeps data that is there. */
  prepare(settings: Settings): Promise<Command>
  probe(settings: Settings): Probe
}

/** Ready sooner and smaller: a stack on a laptop lives minutes, too short for the optimising compiler to pay. */
export const fastJvm: readonly string[] = [
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  '-Xshare:auto',
  '-XX:+ExitOnOutOfMemoryError',
]
