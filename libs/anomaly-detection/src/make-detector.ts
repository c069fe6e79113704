/** Every detector of an entity's metrics by name, with the settings it is used with. */
import { Ensemble, type Member } from './ensemble.ts'
import { RowForest } from './isolation-forest.ts'
import { KMeansWindows } from './k-means-windows.ts'
import { LstmAutoencoder, type LstmOptions } from './lstm-autoencoder.ts'
import { Ewma, RobustZ } from './moving-level.ts'
import { NearestNeighbour } from './nearest-neighbour.ts'
import { RidgeForecast } from './ridge-forecast.ts'
import type { RowModel } from './row-model.ts'
import { SeasonalBaseline } from './seasonal-baseline.ts'
import { SubPca } from './sub-pca.ts'
import type { Tensors } from './tensorflow.ts'
import { VariationalAutoencoder } from './variational-autoencoder.ts'

const MODELS = {
  ridge: () => ({ model: new RidgeForecast(), online: false }),
  'sub-pca': () => ({ model: new SubPca(), online: false }),
  seasonal: () => ({ model: new SeasonalBaseline(), online: false }),
  'k-means': () => ({ model: new KMeansWindows(), online: false }),
  'isolation-forest': () => ({ model: new RowForest(), online: false }),
  ewma: () => ({ model: new Ewma(), online: true }),
  'robust-z': () => ({ model: new RobustZ(), online: true }),
  'nearest-neighbour': () => ({ model: new NearestNeighbour(), online: true }),
} satisfies Record<string, () => { model: RowModel; online: boolean }>

/** Networks: they need TensorFlow.js, loaded once per process with `loadTensorFlow()`. */
const NETWORKS = {
  'lstm-autoencoder': (tensors: Tensors, options?: LstmOptions) => new LstmAutoencoder(tensors, options),
  vae: (tensors: Tensors, { rows: _rows, ...options }: LstmOptions = {}) => new VariationalAutoencoder(tensors, options),
} satisfies Record<string, (tensors: Tensors, options?: LstmOptions) => RowModel>

export type ModelName = keyof typeof MODELS
export type NetworkName = keyof typeof NETWORKS
export const MODEL_NAMES = Object.keys(MODELS) as ModelName[]
export const NETWORK_NAMES = Object.keys(NETWORKS) as NetworkName[]
export const DETECTOR_NAMES: readonly string[] = ['ensemble', ...MODEL_NAMES, ...NETWORK_NAMES]
export const needsTensorFlow = (name: string): boolean => membersOf(name).some(isNetwork)
const isNetwork = (name: string): name is NetworkName => name in NETWORKS
/** `ridge+sub-pca` is an ensemble of these two. */
const membersOf = (name: string): string[] => name.split('+')
/** Whether it is a name of `DETECTOR_NAMES`, or several models joined by plus signs. */
export const isDetector = (name: string): boolean =>
  DETECTOR_NAMES.includes(name) || membersOf(name).every(m => m !== 'ensemble' && DETECTOR_NAMES.includes(m))

/** A bare model, as its paper has it. */
export const makeModel = (name: ModelName): RowModel => MODELS[name]().model
export const makeNetwork = (name: NetworkName, tensors: Tensors, options?: LstmOptions): RowModel =>
  NETWORKS[name](tensors, options)

export interface MakeOptions {
  /** No history to learn from first: calibrates as it goes. Default false. */
  readonly streaming?: boolean
  /** What `loadTensorFlow()` gave, for the networks. */
  readonly tensors?: Tensors
  readonly onProgress?: LstmOptions['onProgress']
  /** Training steps at most, for the networks. Default the network's own. */
  readonly steps?: number
}

/** A detector by its name, or an ensemble of those whose names are joined by plus signs, each with the weight and settings it has in the whole ensemble. */
export function makeDetector(name: string, options: MakeOptions = {}): Ensemble {
  const streaming = options.streaming ?? false
  const usual = streaming ? streamingMembers() : trainedMembers()
  if (name === 'ensemble') return new Ensemble({ members: usual, streaming })
  const members = membersOf(name)
  if (members.length === 1) return new Ensemble({ members: [{ ...bare(name, options), weight: 1 }], streaming })
  return new Ensemble({
    members: members.flatMap(m => {
      const known = usual.filter(({ model }) => model.name === m)
      return known.length > 0 ? known : [{ ...bare(m, options), weight: 1 }]
    }),
    streaming,
  })
}

const bare = (name: string, { tensors, onProgress, steps }: MakeOptions): { model: RowModel; online?: boolean } => {
  if (isNetwork(name)) {
    if (!tensors) throw new Error(`the detector ${name} needs TensorFlow.js: load it first and hand it over as "tensors"`)
    return {
      model: makeNetwork(name, tensors, { ...(onProgress && { onProgress }), ...(steps !== undefined && { steps }) }),
    }
  }
  const make = MODELS[name as ModelName]
  if (!make) throw new Error(`no detector is called ${name}: there are ${DETECTOR_NAMES.join(', ')}`)
  return make()
}

/** Forecast errors find what changes, leftovers and distances what is out of place; the first kind is right more often, and about which metrics too. */
const trainedMembers = (): Member[] => [
  { model: new RidgeForecast(), weight: 2, names: true },
  { model: new SubPca(), weight: 1 },
  { model: new KMeansWindows(), weight: 1 },
]
/** With little history nothing is better than the most similar past; levels short and long beside it. */
const streamingMembers = (): Member[] => [
  {
    model: new RidgeForecast({ lags: 5, span: 20, penalty: 0.001 }),
    weight: 1,
    names: true,
  },
  {
    model: new RobustZ({ span: 1, window: 1500, every: 10 }),
    weight: 1,
    online: true,
  },
  {
    model: new RobustZ({ span: 40, window: 2000, every: 10 }),
    weight: 1,
    online: true,
  },
  { model: new NearestNeighbour(), weight: 1, online: true },
]
