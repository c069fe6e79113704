import { detectorContract } from './detector.contract.ts'
import { EntityDetector } from './entity-detector.ts'
import { DETECTOR_NAMES, MODEL_NAMES, makeDetector, makeModel, needsTensorFlow } from './make-detector.ts'
import { RobustBaseline } from './robust-baseline.ts'

detectorContract('robust-baseline', () => new RobustBaseline(), { warmUp: 12 })
for (const name of MODEL_NAMES)
  detectorContract(`${name}, bare`, () => new EntityDetector({ model: makeModel(name), warmUp: 200 }), { warmUp: 200 })
for (const name of DETECTOR_NAMES.filter(name => !needsTensorFlow(name)))
  for (const streaming of [false, true])
    detectorContract(
      `${name}, calibrated${streaming ? ', streaming' : ''}`,
      () => new EntityDetector({ model: makeDetector(name, { streaming }), warmUp: 200 }),
      // Held scores pass the cap of what can be said only by a little.
      { warmUp: 200, margin: 0.99 },
    )
