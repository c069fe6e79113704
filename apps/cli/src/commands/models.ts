/** `aegis models`: which models are in force, going back to an earlier one, and models in and out as files. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { toLayersFormat } from '@aegis/anomaly-detection/layers-format'
import { packLogModel, readLogModel } from '@aegis/anomaly-detection/logs/log-model-file'
import { makeNetwork, NETWORK_NAMES, type NetworkName } from '@aegis/anomaly-detection/make-detector'
import { loadTensorFlow } from '@aegis/anomaly-detection/tensorflow'
import { unpackTrained } from '@aegis/anomaly-detection/train-entity'
import { AegisError, type ModelHealth, type ModelVersion, modelHealth, models, type Stream } from '@aegis/domain'
import {
  aliasOf,
  cardArtifacts,
  cardOf,
  cardText,
  copyVersions,
  digestOf,
  earlierVersion,
  entityModel,
  inForce,
  inflate,
  isModelFile,
  isModelState,
  LOG_MODEL,
  MlflowRegistry,
  MODEL_STATES,
  type ModelState,
  moved,
  type PairedCase,
  presentVersion,
  readModelFile,
  StreamRegistry,
  sealed,
  standing,
  Trial,
  type Verdict,
  writeModelFile,
} from '@aegis/model-registry'
import { modelSigner } from '@aegis/stack/own-keys'
import { connectClient } from '@aegis/stack/pipeline/client'
import { Command } from 'commander'

export const modelsCommand = (): Command => {
  const command = new Command('models').addHelpText(
    'after',
    '\nAddresses come from KAFKA_BROKERS and SCHEMA_REGISTRY_URL, else from the local stack of this checkout. Versions of the last seven days are kept.',
  )
  command
    .command('list')
    .argument('[id]', 'every version of this model, rather than the one in force of each')
    .description('models in force: version, state, what they were trained on')
    .action(async (id?: string) => {
      const all = await withModels(async versions => versions)
      const shown = id === undefined ? inForce(all) : all.filter(m => m.id === id)
      if (shown.length === 0)
        console.log(id === undefined ? 'no models; AEGIS_DETECTOR says what is trained' : `no model is called ${id}`)
      for (const m of shown) console.log(lineOf(m))
    })
  command
    .command('rollback')
    .argument('<id>', 'model, as "aegis models list" names it')
    .option('--to <version>', 'this version rather than the one before the present one')
    .description('an earlier version takes over at the next tick, and stays until it is released')
    .action((id: string, { to }: { to?: string }) => republish(id, versions => earlierVersion(versions, id, { to }), 'held'))
  command
    .command('release')
    .argument('<id>', 'a model that was rolled back')
    .description('lets newer versions take over again as they are trained')
    .action((id: string) => republish(id, versions => presentVersion(versions, id), 'active'))
  command
    .command('health')
    .argument('[model]', 'only this one')
    .option('--environment <name>', 'only there')
    .option('--json', 'for programs')
    .description('how models do: accuracy, calibration, what they are given; the last word on each')
    .action(async (model: string | undefined, { environment, json }: { environment?: string; json?: boolean }) => {
      const found = (await lastHealth()).filter(
        h => (model === undefined || h.model === model) && (environment === undefined || h.environment === environment),
      )
      if (json) console.log(JSON.stringify(found, null, 2))
      else if (found.length === 0)
        console.log('no model was watched for long enough; model-keeper says the first word after 100 outcomes or 1,200 inputs')
      else for (const h of found) console.log(healthLine(h))
    })
  command
    .command('judge')
    .argument('<cases>', 'lines of JSON: {"present": 0..1, "candidate": 0..1, "slice": "..."} of cases neither learned from')
    .option('--shadow <cases>', 'the same of live cases, in the order in which they came')
    .description('whether a candidate may go on: hold-out, then shadow, with bounds that hold however often one looks')
    .action(async (file: string, { shadow }: { shadow?: string }) => {
      const trial = new Trial(path.basename(file))
      console.log(verdictLine(trial.holdOut(readCases(await readBytes(file), file))))
      if (shadow && trial.state === 'candidate') {
        for (const c of readCases(await readBytes(shadow), shadow)) {
          const verdict = trial.shadow(c)
          if (!verdict) continue
          console.log(verdictLine(verdict))
          break
        }
        if (trial.state === 'candidate') console.log(`candidate    shadow: no verdict after ${trial.cases} cases`)
      }
      if (trial.state === 'retired') process.exitCode = 1
    })
  command
    .command('card')
    .argument('<id>', 'model, as "aegis models list" names it')
    .argument('[version]', 'or champion, challenger, latest', 'latest')
    .option('--json', 'for programs')
    .description('what a version was made of, how it did, how it is calibrated, and what is not known of it')
    .action(async (id: string, which: string, { json }: { json?: boolean }) => {
      const card = await withModels(async versions => {
        const all = standing(versions, id)
        const state = (v: ModelVersion) => (isModelState(v.state) ? aliasOf(v.state) : undefined)
        const found = all.findLast(v => v.version === which || state(v) === which || which === 'latest')
        if (!found)
          throw new AegisError(
            'INPUT_INVALID',
            `${id} has no ${which}; there are ${all.map(v => v.version).join(', ') || 'none'}`,
          )
        return cardOf(found, id)
      })
      console.log(json ? JSON.stringify(card, null, 2) : cardText(card))
    })
  command
    .command('promote')
    .argument('<id>', 'model')
    .argument('<version>', 'one of its versions')
    .argument('<state>', 'registered, candidate (in shadow), canary, active (in force), held, rolled_back or retired (archived)')
    .description('moves a version through its life; what it displaces is archived')
    .action(async (id: string, version: string, state: string) => {
      if (!isModelState(state))
        throw new AegisError('INPUT_INVALID', `there is no state ${state}; there are ${MODEL_STATES.join(', ')}`)
      await withModels(async (versions, publish) => {
        const registry = new StreamRegistry(
          { versions: async () => versions, publish },
          { now: () => Date.now() * 1000, signer: modelSigner() },
        )
        const moved = await registry.promoteModel(id, version, state)
        console.log(`${id}: version ${moved.version} is ${moved.state} from the next tick on`)
      })
    })
  command
    .command('copy')
    .option('--to <url>', 'the MLflow server (default: MLFLOW_TRACKING_URI)')
    .description('copies what an MLflow server lacks: versions with their cards, and which are in force')
    .action(async ({ to = process.env.MLFLOW_TRACKING_URI }: { to?: string }) => {
      if (!to) throw new AegisError('INPUT_INVALID', 'where to? --to names an MLflow server, or MLFLOW_TRACKING_URI')
      const done = await withModels(versions =>
        copyVersions(versions, new MlflowRegistry({ url: to, now: () => Date.now() * 1000 }), { artifactsOf: cardArtifacts }),
      )
      console.log(`${done.registered} versions registered, ${done.moved} moved`)
      for (const why of done.refused) console.error(`refused: ${why}`)
      if (done.refused.length > 0) process.exitCode = 1
    })
  command
    .command('export')
    .argument('<id>', 'model, as "aegis models list" names it')
    .requiredOption('--out <path>', 'a folder for a network, a file for others')
    .description(
      'the version in force: a network in the format of tf.layers, a log model as "aegis logs --model" reads it, others as one file',
    )
    .action(async (id: string, { out }: { out: string }) => {
      const model = await withModels(async versions => presentVersion(versions, id))
      for (const file of await exportModel(model, out)) console.log(file)
    })
  command
    .command('import')
    .argument('<file>', 'what "aegis logs --train" or "aegis models export" wrote')
    .option('--environment <name>', 'environment a log model is for', 'default')
    .description('checks digest, size and numbers of a model, and puts it in force from the next tick on')
    .action(async (file: string, { environment }: { environment: string }) => {
      const read = readModels(await readBytes(file), file, { environment, timeUs: Date.now() * 1000 })
      await withModels(async (versions, publish) => {
        for (const m of read) {
          const present = versions.findLast(v => v.id === m.id)
          if (present?.state === 'held')
            throw new AegisError(
              'INPUT_INVALID',
              `${m.id} is held at version ${present.version}; "aegis models release ${m.id}" lets others take over`,
            )
          await publish(sealed(m, modelSigner()))
          console.log(`${m.id}: version ${m.version} is ${m.state} from the next tick on`)
        }
      })
    })
  return command
}

/** Every version there is, oldest first; then what is to be published. */
export async function withModels<T>(
  work: (versions: readonly ModelVersion[], publish: (m: ModelVersion) => Promise<void>) => Promise<T>,
): Promise<T> {
  const client = await connectClient()
  try {
    const versions: ModelVersion[] = []
    await client.all([models] as unknown as Stream<never>[], decoded => {
      for (const { value } of decoded) if (value) versions.push(value as ModelVersion)
    })
    return await work(versions, m => client.publish(models, [m]))
  } finally {
    await client.close()
  }
}
const republish = (id: string, pick: (versions: readonly ModelVersion[]) => ModelVersion, state: ModelState): Promise<void> =>
  withModels(async (versions, publish) => {
    const chosen = pick(versions)
    await publish(moved(chosen, state, Date.now() * 1000))
    console.log(`${id}: version ${chosen.version} is ${state} from the next tick on`)
  })

const round = (x: number) => (Number.isInteger(x) ? String(x) : x.toPrecision(3))
export function lineOf(m: ModelVersion): string {
  const { until, ...metrics } = m.metrics ?? {}
  const parts = Object.entries(metrics).map(([k, v]) => `${k.replaceAll('_', ' ')} ${round(v)}`)
  if (until !== undefined) parts.push(`until about ${m.lineage?.until}`)
  return `${m.id}  ${m.version}  ${m.state.padEnd(8)} ${new Date(m.time / 1000).toISOString().slice(0, 19)}  ${parts.join(', ')}`
}

const verdictLine = ({ state, reason }: Verdict): string => `${state.padEnd(12)} ${reason}`
/** @throws INPUT_INVALID naming the line */
export function readCases(bytes: Uint8Array, file: string): PairedCase[] {
  return Buffer.from(bytes)
    .toString()
    .split('\n')
    .flatMap((text, i) => {
      if (text.trim() === '') return []
      try {
        const c = JSON.parse(text) as PairedCase
        if (typeof c.present === 'number' && (typeof c.candidate === 'number' || c.candidate === null))
          return [{ ...c, candidate: c.candidate ?? Number.NaN }]
      } catch {
        // said below
      }
      throw new AegisError('INPUT_INVALID', `${file}, line ${i + 1}: write {"present": 0..1, "candidate": 0..1, "slice": "..."}`)
    })
}
async function lastHealth(): Promise<ModelHealth[]> {
  const client = await connectClient()
  try {
    const last = new Map<string, ModelHealth>()
    await client.all([modelHealth] as unknown as Stream<never>[], decoded => {
      for (const { value } of decoded)
        if (value) last.set(`${(value as ModelHealth).environment} ${(value as ModelHealth).model}`, value as ModelHealth)
    })
    return [...last.values()]
  } finally {
    await client.close()
  }
}
const share = (x: number | null | undefined): string => (x === null || x === undefined ? '–' : x.toFixed(2))
export const healthLine = (h: ModelHealth): string =>
  `${h.environment}  ${h.model}  ${h.state.padEnd(8)} ${h.reason}; ${h.outcomes} outcomes (right ${share(h.accuracy)}, lately ${share(h.accuracy_lately)} after ${share(h.accuracy_before)}), confidence off by ${share(h.calibration_error)}, thought right ${share(h.estimated_accuracy)}; ${h.samples} inputs${h.drifted?.length ? `, changed: ${h.drifted.map(d => d.feature).join(', ')}` : ''}`
const readBytes = async (file: string): Promise<Buffer> => {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new AegisError('INPUT_INVALID', `${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

/**
 * What a file holds, as versions to be published: a log model is one for each service in it.
 * @throws INPUT_INVALID where it is none, damaged, or too large
 */
export function readModels(
  bytes: Uint8Array,
  file: string,
  { environment, timeUs }: { readonly environment: string; readonly timeUs: number },
): ModelVersion[] {
  const text = isGzip(bytes) ? inflate(bytes, file) : Buffer.from(bytes)
  let value: unknown
  try {
    value = JSON.parse(text.toString())
  } catch (cause) {
    throw new AegisError('INPUT_INVALID', `${file} is no model: ${(cause as Error).message}`, { cause })
  }
  if (isModelFile(value)) return [{ ...readModelFile(value, file), time: timeUs }]
  return readLogModel(text, file).services.map(([service, state]) => {
    const entity = `service:${service}`
    const id = entityModel(LOG_MODEL, environment, entity)
    const weights = packLogModel([[service, state]])
    const { windows, templates } = state.rates
    return sealed({
      id,
      environment,
      time: timeUs,
      version: digestOf(weights).slice(7, 19),
      state: 'active',
      weights,
      metrics: { windows, templates: templates.length, sessions: state.sessions.learned, bytes: weights.length },
      lineage: { entity, file: path.basename(file) },
    })
  })
}

export async function exportModel(m: ModelVersion, out: string): Promise<string[]> {
  if (m.id.startsWith(`${LOG_MODEL}/`) && m.weights) {
    await writeFile(out, inflate(m.weights, m.id))
    return [out]
  }
  const trained = m.weights && m.id.includes('/') && isGzip(m.weights) ? unpackTrained(m.weights) : undefined
  if (!trained || !NETWORK_NAMES.includes(trained.detector as NetworkName)) {
    await writeFile(out, writeModelFile(m))
    return [out]
  }
  const tensors = await loadTensorFlow()
  const model = makeNetwork(trained.detector as NetworkName, tensors)
  model.load(trained.ensemble.members[0])
  const files: string[] = []
  const networks = model.networks ?? []
  for (const [n, network] of networks.entries()) {
    const folder = networks.length > 1 ? path.join(out, String(n + 1)) : out
    await mkdir(folder, { recursive: true })
    const { topology, specs, weights } = await toLayersFormat(tensors.tf, network)
    const manifest = {
      format: 'layers-model',
      modelTopology: topology,
      weightsManifest: [{ paths: ['weights.bin'], weights: specs }],
      userDefinedMetadata: { metrics: trained.metrics, mean: trained.mean, spread: trained.spread, version: m.version },
    }
    await writeFile(path.join(folder, 'weights.bin'), weights)
    await writeFile(path.join(folder, 'model.json'), `${JSON.stringify(manifest)}\n`)
    files.push(path.join(folder, 'model.json'), path.join(folder, 'weights.bin'))
  }
  return files
}
const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b
