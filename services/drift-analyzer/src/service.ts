import { anomalies, driftAnalyses, driftEvents } from '@aegis/domain'
import { defineService, streamList } from '@aegis/runtime'
import { AnalyzeDrifts } from './analyze-drifts.ts'

export const driftAnalyzer = defineService({
  name: 'drift-analyzer',
  about: 'Analyses drift of infrastructure: who made it, why, how bad, what to do.',
  settings: {},
  create: () => ({
    stages: [
      {
        name: 'analyze-drifts',
        reads: streamList(driftEvents),
        writes: streamList(driftAnalyses, anomalies),
        create: () => new AnalyzeDrifts(),
      },
    ],
  }),
})
