/** One run of the input through real servers and services, harmed by a plan or left alone. */
import path from 'node:path'
import { outcomes } from '@aegis/domain'
import { collect, countDeadLetters, type Outputs } from './compare.ts'
import { Drive } from './drive.ts'
import { Harmer } from './harm.ts'
import type { ChaosInput } from './input.ts'
import type { Broken } from './phases.ts'
import type { Harm } from './plan.ts'
import { World } from './world.ts'

export interface RunOptions {
  readonly name: string
  readonly folder: string
  readonly input: ChaosInput
  readonly seed: number
  readonly plan?: readonly Harm[]
  readonly broken?: Broken
  readonly say: (line: string) => void
}
export interface Ran {
  readonly outputs: Outputs
  readonly records: number
  readonly seconds: number
  readonly deadLetters: number
  /** Services that ended by themselves. */
  readonly crashes: readonly string[]
  readonly harm?: Harmer
  /** Why the input did not get through, when it did not. */
  readonly stuck?: string
}

export const run = async (options: RunOptions): Promise<Ran> => {
  const say = (line: string) => options.say(`[${options.name}] ${line}`)
  const world = await World.start({ folder: path.join(options.folder, options.name), broken: options.broken, say })
  try {
    let planned = options.plan
    if (planned?.some(h => h.kind === 'disk') && !(await world.servers.boundDisk())) {
      say('NOT RUN: a full disk, for this user may not mount a file system of its own')
      planned = planned.filter(h => h.kind !== 'disk')
    }
    let harm: Harmer | undefined
    const drive: Drive = new Drive(world.client, {
      onStep: async step => harm?.stepBegins(step),
      onStepDone: () => harm?.stepDone(),
      tend: () => world.fleet.tend(),
      decode: records => world.decode(outcomes, records),
      say: line => say(harm ? `${line}; ${harm.report()}` : line),
    })
    if (planned) harm = new Harmer(world, drive, planned, options.seed, say)
    const began = performance.now()
    // What goes wrong with a broken promise may also show as an input that does not get through.
    const stuck = await drive.run(options.input).then(
      () => undefined,
      error => (error as Error).message,
    )
    const seconds = (performance.now() - began) / 1000
    await harm?.settled()
    say(`${drive.records} records in ${Math.round(seconds)} s${harm ? `; ${harm.report()}` : ''}${stuck ? `; ${stuck}` : ''}`)
    // Half-open transactions of those that were killed last would hold the reader up.
    const outputs = await collect(world)
    return {
      outputs,
      records: drive.records,
      seconds,
      deadLetters: await countDeadLetters(world),
      crashes: world.fleet.crashes,
      harm,
      stuck,
    }
  } finally {
    await world.stop()
  }
}
