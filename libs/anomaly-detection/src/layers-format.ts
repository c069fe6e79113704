/** Networks as the bytes of `tf.layers` (model.json and weights), to be published, kept and loaded elsewhere. */
import type * as TensorFlow from '@tensorflow/tfjs'

export interface LayersFile {
  readonly topology: object
  readonly specs: readonly TensorFlow.io.WeightsManifestEntry[]
  readonly weights: Uint8Array
}

export async function toLayersFormat(tf: typeof TensorFlow, network: TensorFlow.LayersModel): Promise<LayersFile> {
  let file: LayersFile | undefined
  await network.save(
    tf.io.withSaveHandler(async artifacts => {
      const data = artifacts.weightData
      const weights = Buffer.concat((Array.isArray(data) ? data : [data as ArrayBuffer]).map(part => new Uint8Array(part)))
      file = { topology: artifacts.modelTopology as object, specs: artifacts.weightSpecs ?? [], weights }
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
    }),
  )
  return file as LayersFile
}

export const fromLayersFormat = (tf: typeof TensorFlow, file: LayersFile): Promise<TensorFlow.LayersModel> =>
  tf.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: file.topology,
      weightSpecs: [...file.specs],
      weightData: Uint8Array.from(file.weights).buffer,
    }),
  )
