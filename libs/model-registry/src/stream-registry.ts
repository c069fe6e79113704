/**
 * The registry that needs no server: versions on the `models` stream, each with its digest and, where there is a key, a signature. What is in force stands under the model's
 * name, as ticks name it; candidates and what is kept stand beside it, so that registering never changes who decides.
 */
import { AegisError, type ModelVersion } from '@aegis/domain'
import { type ModelKeys, type ModelSigner, notFinite, objectionToModel, sealed } from './check-model.ts'
import { objectionToNumbers } from './model-file.ts'
import {
  type Artifacts,
  type LoadedModel,
  type Metrics,
  type ModelRegistry,
  mayMove,
  noModel,
  type RegisteredVersion,
  type RegisterOptions,
  versionOf,
  type Which,
} from './registry.ts'
import { ALIASES, type Alias, aliasOf, decides, isModelState, type ModelState } from './states.ts'

/** The `models` stream, as its reader has it. */
export interface ModelStream {
  /** Every version there is, oldest first. */
  versions(): Promise<readonly ModelVersion[]>
  publish(version: ModelVersion): Promise<void>
}
export interface StreamRegistryOptions {
  /** Microseconds. */
  readonly now: () => number
  readonly signer?: ModelSigner
  /** Public keys of those who may sign; without it signatures are not asked for. */
  readonly keys?: ModelKeys
}
const ARTIFACT = 'artifact:'
const REGISTERED = 'registered'
const MOST_ARTIFACTS = 65_536
/** Where a version stands on the stream. */
export const placeOf = (name: string, state: ModelState, version: string): string =>
  decides({ state }) || state === 'learning'
    ? name
    : state === 'candidate' || state === 'canary'
      ? `${name}/candidate`
      : `${name}/kept/${version}`
const nameOf = (id: string): string => id.replace(/\/(candidate|kept\/[^/]+)$/, '')

/** The newest state of each version of a model, in the order in which they were registered; what was displaced counts as retired. */
export function standing(versions: readonly ModelVersion[], name: string): ModelVersion[] {
  const latest = new Map<string, ModelVersion>()
  const atPlace = new Map<string, string>()
  for (const v of versions) {
    if (nameOf(v.id) !== name || !v.weights) continue
    const before = atPlace.get(v.id)
    if (before !== undefined && before !== v.version && !v.id.includes('/kept/')) {
      const displaced = latest.get(before)
      if (displaced?.id === v.id) latest.set(before, { ...displaced, state: 'retired' })
    }
    atPlace.set(v.id, v.version)
    // It keeps its place in the order.
    latest.set(v.version, v)
  }
  return [...latest.values()]
}
const seen = (m: ModelVersion, name: string): RegisteredVersion => ({
  name,
  version: m.version,
  state: isModelState(m.state) ? m.state : 'registered',
  time: Number(m.lineage?.[REGISTERED] ?? m.time),
  metrics: m.metrics ?? {},
  lineage: Object.fromEntries(Object.entries(m.lineage ?? {}).filter(([key]) => !key.startsWith(ARTIFACT) && key !== REGISTERED)),
})

export class StreamRegistry implements ModelRegistry {
  readonly #stream: ModelStream
  readonly #options: StreamRegistryOptions

  constructor(stream: ModelStream, options: StreamRegistryOptions) {
    this.#stream = stream
    this.#options = options
  }

  async registerModel(
    weights: Uint8Array,
    name: string,
    metrics: Metrics,
    artifacts: Artifacts = {},
    { environment = '*', lineage = {} }: RegisterOptions = {},
  ): Promise<RegisteredVersion> {
    const bad = notFinite(metrics)
    if (bad !== undefined) throw new AegisError('INPUT_INVALID', `${name}: the figure ${bad} is no number`)
    const size = Object.values(artifacts).reduce((sum, text) => sum + text.length, 0)
    if (size > MOST_ARTIFACTS)
      throw new AegisError('INPUT_INVALID', `${name}: what goes with it has ${size} characters, more than ${MOST_ARTIFACTS}`)
    const version = versionOf(weights)
    const known = standing(await this.#stream.versions(), name).find(v => v.version === version)
    if (known) return seen(known, name)
    const time = this.#options.now()
    const made: ModelVersion = {
      id: placeOf(name, 'registered', version),
      environment,
      time,
      version,
      state: 'registered',
      weights,
      metrics: { ...metrics },
      lineage: {
        ...lineage,
        [REGISTERED]: String(time),
        ...Object.fromEntries(Object.entries(artifacts).map(([key, text]) => [`${ARTIFACT}${key}`, text])),
      },
    }
    const objection = objectionToModel(made) ?? objectionToNumbers(made, name)
    if (objection !== undefined) throw new AegisError('INPUT_INVALID', `${name}: ${objection}`)
    return seen(await this.#publish(made, name), name)
  }

  async loadModel(name: string, which: Which): Promise<LoadedModel> {
    const all = standing(await this.#stream.versions(), name)
    const found = pick(all, which)
    if (!found?.weights) throw noModel(name, which, await this.versions(name))
    const objection = objectionToModel({ ...found, id: name }, this.#options.keys)
    if (objection !== undefined) throw new AegisError('INPUT_INVALID', `${name} ${found.version}: ${objection}`)
    const artifacts = Object.entries(found.lineage ?? {}).flatMap(([key, text]) =>
      key.startsWith(ARTIFACT) ? [[key.slice(ARTIFACT.length), text]] : [],
    )
    return { ...seen(found, name), weights: found.weights, artifacts: Object.fromEntries(artifacts) }
  }

  async promoteModel(name: string, version: string, stage: ModelState): Promise<RegisteredVersion> {
    const all = standing(await this.#stream.versions(), name)
    const found = all.find(v => v.version === version)
    if (!found) throw noModel(name, version, await this.versions(name))
    mayMove(seen(found, name), stage)
    const model = { ...found, id: placeOf(name, stage, version), state: stage, time: this.#options.now() }
    return seen(await this.#publish(model, name), name)
  }

  async versions(name: string): Promise<readonly RegisteredVersion[]> {
    return standing(await this.#stream.versions(), name).map(m => seen(m, name))
  }

  /** The signature is over the model's name, wherever on the stream it stands. */
  async #publish(model: ModelVersion, name: string): Promise<ModelVersion> {
    const made = { ...sealed({ ...model, id: name }, this.#options.signer), id: model.id }
    await this.#stream.publish(made)
    return made
  }
}

function pick(all: readonly ModelVersion[], which: Which): ModelVersion | undefined {
  if (which === 'latest') return all.at(-1)
  if ((ALIASES as readonly string[]).includes(which))
    return [...all]
      .filter(v => isModelState(v.state) && aliasOf(v.state) === (which as Alias))
      .sort((a, b) => a.time - b.time)
      .at(-1)
  return all.find(v => v.version === which)
}
