/** The executor's own limits, whatever was decided: read from a file of its own, so that a broken or captured remediator can do no more than it allows. */
import { readFileSync } from 'node:fs'
import { type Action, FatalError } from '@aegis/domain'
import { parse } from 'yaml'
import { z } from 'zod'

const schema = z
  .object({
    /** Actions that may be done; all where none are named. */
    actions: z.array(z.string()).optional(),
    /** Entities, or their beginnings with a star behind, on which nothing is done. */
    protected: z.array(z.string()).default([]),
    /** Environments in which anything is done; all where none are named. */
    environments: z.array(z.string()).optional(),
    /** Most actions in an hour, all environments together. */
    perHour: z.number().int().nonnegative().optional(),
  })
  .strict()
export type LimitWords = z.infer<typeof schema>

const HOUR_US = 3_600_000_000
const covers = (pattern: string, entity: string): boolean =>
  pattern.endsWith('*') ? entity.startsWith(pattern.slice(0, -1)) : pattern === entity

/** Throws CONFIG_INVALID for a file that says something else than limits. */
export const readLimits = (file: string | undefined): LimitWords => {
  if (!file) return { protected: [] }
  try {
    return schema.parse(parse(readFileSync(file, 'utf8')) ?? {})
  } catch (error) {
    throw new FatalError('CONFIG_INVALID', `AEGIS_EXECUTOR_LIMITS: ${file}: ${(error as Error).message}`)
  }
}

export class Limits {
  readonly #words: LimitWords
  readonly #now: () => number
  #done: number[] = []

  /** @param now microseconds */
  constructor(words: LimitWords, now: () => number) {
    this.#words = words
    this.#now = now
  }

  /** Why it is not done; undefined where it may be, and then it counts. Calling a person is always allowed. */
  objection({ action, target, environment }: Pick<Action, 'action' | 'target' | 'environment'>): string | undefined {
    if (action === 'page') return undefined
    const { actions, environments, perHour, protected: kept } = this.#words
    if (actions && !actions.includes(action)) return `the executor's limits do not allow ${action}`
    if (environments && !environments.includes(environment)) return `the executor's limits do not name ${environment}`
    if (kept.some(pattern => covers(pattern, target))) return `the executor's limits protect ${target}`
    if (perHour === undefined) return undefined
    const now = this.#now()
    this.#done = this.#done.filter(at => now - at < HOUR_US)
    if (this.#done.length >= perHour) return `the executor's limits allow ${perHour} actions an hour`
    this.#done.push(now)
    return undefined
  }
}
