/** Every detector of an entity's metrics by name, with the settings it is used with. */
import { Ensemble, type Member } from './ensemble.ts'
import { IsolationForest } from './isolation-forest.ts'
import { KMeansWindows } from './k-means-windows.ts'
import { Ewma, RobustZ } from './moving-level.ts'
import { NearestNeighbour } from './nearest-neighbour.ts'
import { RidgeForecast } from './ridge-forecast.ts'
import type { RowModel } from './row-model.ts'
import { SubPca } from './sub-pca.ts'

const MODELS = {
  ridge: () => ({ model: new RidgeForecast(), online: false }),
  'sub-pca': () => ({ model: new SubPca(), online: false }),
  'k-means': () => ({ model: new KMeansWindows(), online: false }),
  'isolation-forest': () => ({ model: new IsolationForest(), online: false }),
  ewma: () => ({ model: new Ewma(), online: true }),
  'robust-z': () => ({ model: new RobustZ(), online: true }),
  'nearest-neighbour': () => ({ model: new NearestNeighbour(), online: true }),
} satisfies Record<string, () => { model: RowModel; online: boolean }>

export type ModelName = keyof typeof MODELS
export const MODEL_NAMES = Object.keys(MODELS) as ModelName[]
export const DETECTOR_NAMES: readonly string[] = ['ensemble', ...MODEL_NAMES]

/** A bare model, as its paper has it. */
export const makeModel = (name: ModelName): RowModel => MODELS[name]().model

export interface MakeOptions {
  /** No history to learn from first: calibrates as it goes. Default false. */
  readonly streaming?: boolean
}

export function makeDetector(name: string, options: MakeOptions = {}): Ensemble {
  const streaming = options.streaming ?? false
  if (name === 'ensemble')
    return new Ensemble({
      members: streaming ? streamingMembers() : trainedMembers(),
      streaming,
    })
  const make = MODELS[name as ModelName]
  if (!make) throw new Error(`no detector is called ${name}: there are ${DETECTOR_NAMES.join(', ')}`)
  const { model, online } = make()
  return new Ensemble({ members: [{ model, weight: 1, online }], streaming })
}

/** Forecast errors find what changes, leftovers and distances what is out of place; the first kind is right more often. */
const trainedMembers = (): Member[] => [
  { model: new RidgeForecast(), weight: 2 },
  { model: new SubPca(), weight: 1 },
  { model: new KMeansWindows(), weight: 1 },
]
/** With little history nothing is better than the most similar past; levels short and long beside it. */
const streamingMembers = (): Member[] => [
  {
    model: new RidgeForecast({ lags: 5, span: 20, penalty: 0.001 }),
    weight: 1,
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
