/**
 * The registry of an MLflow server (3.x), by its REST API: a run of the experiment `aegis` for each version, with metrics, parameters and artifacts; a registered model
 * with a version that points to them; states as a tag and as the aliases champion, challenger and archived.
 *
 * MLflow counts its versions 1, 2, 3; ours, the digest, stands in the tag `aegis.version`. A missing alias answers 400, not 404.
 */
import { AegisError } from '@aegis/domain'
import { digestOf, MOST_BYTES, notFinite } from './check-model.ts'
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
import { ALIASES, type Alias, aliasOf, isModelState, type ModelState } from './states.ts'

export interface MlflowOptions {
  /** Where the server answers, such as http://127.0.0.1:5000. */
  readonly url: string
  /** Microseconds. */
  readonly now: () => number
  readonly experiment?: string
  /** Milliseconds that a call may take. Default 10,000. */
  readonly timeoutMs?: number
}
interface Tag {
  readonly key: string
  readonly value: string
}
interface MlflowVersion {
  readonly name: string
  readonly version: string
  readonly run_id?: string
  readonly source?: string
  readonly tags?: readonly Tag[]
  readonly creation_timestamp?: number | string
}
const WEIGHTS = 'model/weights.bin'
/** MLflow allows neither "/" nor ":" in the name of a model. */
export const mlflowName = (name: string): string => name.replaceAll('/', '~').replaceAll(':', '=')

class MlflowError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export class MlflowRegistry implements ModelRegistry {
  readonly #options: Required<MlflowOptions>
  #experiment: Promise<string> | undefined

  constructor(options: MlflowOptions) {
    this.#options = { experiment: 'aegis', timeoutMs: 10_000, ...options, url: options.url.replace(/\/+$/, '') }
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
    if (weights.length > MOST_BYTES)
      throw new AegisError('INPUT_INVALID', `${name}: it has ${weights.length} bytes, more than ${MOST_BYTES}`)
    const version = versionOf(weights)
    const known = (await this.#all(name)).find(v => tagOf(v, 'aegis.version') === version)
    if (known) return this.#seen(known, name)
    const experiment = await this.#experimentId()
    const now = this.#options.now()
    const ms = Math.round(now / 1000)
    const digest = digestOf(weights)
    const { run } = await this.#post<{ run: { info: { run_id: string; artifact_uri: string } } }>('runs/create', {
      experiment_id: experiment,
      start_time: ms,
      run_name: `${name} ${version}`,
      tags: [{ key: 'aegis.model', value: name }],
    })
    const { run_id: runId, artifact_uri: uri } = run.info
    await this.#post('runs/log-batch', {
      run_id: runId,
      metrics: Object.entries(metrics).map(([key, value]) => ({ key: safeKey(key), value, timestamp: ms, step: 0 })),
      params: Object.entries({ ...lineage, environment, digest })
        .filter(([, value]) => value !== '')
        .slice(0, 100)
        .map(([key, value]) => ({ key: safeKey(key), value: value.slice(0, 6000) })),
    })
    await this.#put(uri, WEIGHTS, weights)
    await this.#put(uri, 'model/MLmodel', Buffer.from(mlmodelOf(runId, name, version, digest, now)))
    for (const [key, text] of Object.entries(artifacts)) await this.#put(uri, `artifacts/${safeKey(key)}`, Buffer.from(text))
    await this.#post('runs/update', { run_id: runId, status: 'FINISHED', end_time: ms })
    const called = mlflowName(name)
    try {
      await this.#post('registered-models/create', { name: called, tags: [{ key: 'aegis.model', value: name }] })
    } catch (error) {
      if (!(error instanceof MlflowError && error.code === 'RESOURCE_ALREADY_EXISTS')) throw error
    }
    const tags = [
      { key: 'aegis.version', value: version },
      { key: 'aegis.state', value: 'registered' },
      { key: 'aegis.digest', value: digest },
      { key: 'aegis.time', value: String(now) },
      { key: 'aegis.artifacts', value: JSON.stringify(Object.keys(artifacts)) },
      { key: 'aegis.metrics', value: JSON.stringify(metrics) },
      { key: 'aegis.lineage', value: JSON.stringify(lineage) },
    ]
    const { model_version: made } = await this.#post<{ model_version: MlflowVersion }>('model-versions/create', {
      name: called,
      source: `${uri}/model`,
      run_id: runId,
      tags,
    })
    return this.#seen({ ...made, tags }, name)
  }

  async loadModel(name: string, which: Which): Promise<LoadedModel> {
    const all = await this.#all(name)
    const found = await this.#pick(name, all, which)
    if (!found)
      throw noModel(
        name,
        which,
        all.map(v => this.#seen(v, name)),
      )
    const at = (found.source ?? '').replace(/\/model$/, '')
    const weights = await this.#get(at, WEIGHTS)
    const [said, own] = [tagOf(found, 'aegis.digest'), digestOf(weights)]
    if (said !== own)
      throw new AegisError(
        'INPUT_INVALID',
        `${name} ${tagOf(found, 'aegis.version')}: its bytes are ${own.slice(0, 19)}…, not ${said.slice(0, 19)}… as was said`,
      )
    const artifacts: Record<string, string> = {}
    for (const key of JSON.parse(tagOf(found, 'aegis.artifacts') || '[]') as string[])
      artifacts[key] = (await this.#get(at, `artifacts/${safeKey(key)}`)).toString()
    return { ...this.#seen(found, name), weights, artifacts }
  }

  async promoteModel(name: string, version: string, stage: ModelState): Promise<RegisteredVersion> {
    const all = await this.#all(name)
    const found = all.find(v => tagOf(v, 'aegis.version') === version)
    if (!found)
      throw noModel(
        name,
        version,
        all.map(v => this.#seen(v, name)),
      )
    mayMove(this.#seen(found, name), stage)
    const alias = aliasOf(stage)
    const before = aliasOf(this.#seen(found, name).state)
    const displaced = alias && alias !== 'archived' ? await this.#byAlias(name, alias) : undefined
    // What is displaced is archived first, so that a stop in between leaves no two in force.
    if (displaced && displaced.version !== found.version) await this.#state(displaced, 'retired')
    await this.#state(found, stage)
    if (before && before !== alias && (await this.#byAlias(name, before))?.version === found.version)
      await this.#call('DELETE', 'registered-models/alias', { name: mlflowName(name), alias: before })
    if (alias) await this.#post('registered-models/alias', { name: mlflowName(name), alias, version: found.version })
    if (displaced && displaced.version !== found.version)
      await this.#post('registered-models/alias', { name: mlflowName(name), alias: 'archived', version: displaced.version })
    return { ...this.#seen(found, name), state: stage }
  }

  async versions(name: string): Promise<readonly RegisteredVersion[]> {
    return (await this.#all(name)).map(v => this.#seen(v, name))
  }

  #state(version: MlflowVersion, value: ModelState): Promise<unknown> {
    return this.#post('model-versions/set-tag', { name: version.name, version: version.version, key: 'aegis.state', value })
  }

  #seen(v: MlflowVersion, name: string): RegisteredVersion {
    const state = tagOf(v, 'aegis.state')
    return {
      name,
      version: tagOf(v, 'aegis.version'),
      state: isModelState(state) ? state : 'registered',
      time: Number(tagOf(v, 'aegis.time') || Number(v.creation_timestamp ?? 0) * 1000),
      metrics: JSON.parse(tagOf(v, 'aegis.metrics') || '{}'),
      lineage: { ...JSON.parse(tagOf(v, 'aegis.lineage') || '{}'), digest: tagOf(v, 'aegis.digest') },
    }
  }

  /** Ours only: what others registered under this name has no tag of ours. */
  async #all(name: string): Promise<MlflowVersion[]> {
    const found: MlflowVersion[] = []
    let token = ''
    do {
      const query = {
        filter: `name='${mlflowName(name).replaceAll("'", '')}'`,
        max_results: '200',
        ...(token && { page_token: token }),
      }
      const page = await this.#call<{ model_versions?: MlflowVersion[]; next_page_token?: string }>(
        'GET',
        `model-versions/search?${new URLSearchParams(query)}`,
      )
      found.push(...(page.model_versions ?? []))
      token = page.next_page_token ?? ''
    } while (token)
    return found.filter(v => tagOf(v, 'aegis.version') !== '').sort((a, b) => Number(a.version) - Number(b.version))
  }

  async #pick(name: string, all: readonly MlflowVersion[], which: Which): Promise<MlflowVersion | undefined> {
    if (which === 'latest') return all.at(-1)
    if ((ALIASES as readonly string[]).includes(which)) {
      const named = await this.#byAlias(name, which as Alias)
      return named && all.find(v => v.version === named.version)
    }
    return all.find(v => tagOf(v, 'aegis.version') === which)
  }
  async #byAlias(name: string, alias: Alias): Promise<MlflowVersion | undefined> {
    try {
      const query = new URLSearchParams({ name: mlflowName(name), alias })
      return (await this.#call<{ model_version?: MlflowVersion }>('GET', `registered-models/alias?${query}`)).model_version
    } catch (error) {
      if (error instanceof MlflowError && ['INVALID_PARAMETER_VALUE', 'RESOURCE_DOES_NOT_EXIST'].includes(error.code))
        return undefined
      throw error
    }
  }

  #experimentId(): Promise<string> {
    const { experiment } = this.#options
    this.#experiment ??= (async () => {
      try {
        const query = new URLSearchParams({ experiment_name: experiment })
        const found = await this.#call<{ experiment: { experiment_id: string } }>('GET', `experiments/get-by-name?${query}`)
        return found.experiment.experiment_id
      } catch (error) {
        if (!(error instanceof MlflowError && error.code === 'RESOURCE_DOES_NOT_EXIST')) throw error
        return (await this.#post<{ experiment_id: string }>('experiments/create', { name: experiment })).experiment_id
      }
    })()
    // A server that was away is asked again.
    this.#experiment.catch(() => {
      this.#experiment = undefined
    })
    return this.#experiment
  }

  #post<T>(method: string, body: object): Promise<T> {
    return this.#call<T>('POST', method, body)
  }
  async #call<T>(verb: string, method: string, body?: object): Promise<T> {
    const response = await this.#fetch(`${this.#options.url}/api/2.0/mlflow/${method}`, {
      method: verb,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    const text = await response.text()
    let answer: { error_code?: string; message?: string }
    try {
      answer = JSON.parse(text || '{}')
    } catch {
      answer = { message: text.slice(0, 200) }
    }
    if (!response.ok)
      throw new MlflowError(
        answer.error_code ?? String(response.status),
        `MLflow refused ${method.split('?')[0]}: ${answer.message ?? response.status}`,
      )
    return answer as T
  }
  #artifact(uri: string, path: string): string {
    const inside = uri.replace(/^mlflow-artifacts:\/*/, '')
    if (inside === uri)
      throw new AegisError(
        'CONFIG_INVALID',
        `MLflow keeps artifacts at ${uri}, out of our reach: start it with --serve-artifacts`,
      )
    return `${this.#options.url}/api/2.0/mlflow-artifacts/artifacts/${inside}/${path}`
  }
  async #put(uri: string, path: string, bytes: Uint8Array): Promise<void> {
    const response = await this.#fetch(this.#artifact(uri, path), { method: 'PUT', body: new Uint8Array(bytes) })
    if (!response.ok) throw new MlflowError(String(response.status), `MLflow refused the artifact ${path}: ${response.status}`)
  }
  async #get(uri: string, path: string): Promise<Buffer> {
    const response = await this.#fetch(this.#artifact(uri, path), {})
    if (!response.ok) throw new MlflowError(String(response.status), `MLflow has no artifact ${path}: ${response.status}`)
    const bytes = Buffer.from(await response.arrayBuffer())
    if (bytes.length > MOST_BYTES) throw new AegisError('INPUT_INVALID', `the artifact ${path} has more than ${MOST_BYTES} bytes`)
    return bytes
  }
  async #fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, { ...init, signal: AbortSignal.timeout(this.#options.timeoutMs) })
    } catch (cause) {
      throw new AegisError('STORE_UNAVAILABLE', `MLflow at ${this.#options.url} does not answer: ${(cause as Error).message}`, {
        cause,
      })
    }
  }
}

const tagOf = (v: MlflowVersion, key: string): string => v.tags?.find(t => t.key === key)?.value ?? ''
const safeKey = (key: string): string => key.replace(/[^\w.\- ]/g, '_')
/** So that MLflow's own pages show it as a model; nobody loads it by a flavor of Python. */
const mlmodelOf = (runId: string, name: string, version: string, digest: string, timeUs: number): string =>
  `artifact_path: model\nflavors:\n  aegis:\n    data: weights.bin\n    digest: '${digest}'\n    model: '${name}'\n    version: '${version}'\nrun_id: ${runId}\nutc_time_created: '${new Date(timeUs / 1000).toISOString().replace('T', ' ').replace('Z', '')}'\n`
