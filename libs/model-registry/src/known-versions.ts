import { BoundedMap, type ModelVersion } from '@aegis/domain'

/** The last versions of each model, for who reads the `models` stream on and on: what is older than those nobody goes back to. */
export class KnownVersions {
  readonly #each: number
  readonly #models: BoundedMap<string, ModelVersion[]>
  /** In the order in which they came, over all models. */
  readonly #came = new WeakMap<ModelVersion, number>()
  #count = 0

  constructor({ models = 2000, each = 8 }: { readonly models?: number; readonly each?: number } = {}) {
    this.#each = each
    this.#models = new BoundedMap(models)
  }
  see(version: ModelVersion): void {
    const list = this.#models.touch(version.id) ?? []
    if (!this.#models.has(version.id)) this.#models.set(version.id, list)
    list.push(version)
    if (list.length > this.#each) list.shift()
    this.#came.set(version, this.#count++)
  }
  /** Oldest first. */
  all(): ModelVersion[] {
    const came = (v: ModelVersion) => this.#came.get(v) ?? 0
    return [...this.#models].flatMap(([, list]) => list).sort((a, b) => came(a) - came(b))
  }
}
