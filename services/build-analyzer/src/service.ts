import { ciDiagnoses, ciFailures } from '@aegis/domain'
import { defineService, streamList } from '@aegis/runtime'
import { DiagnoseBuilds } from './diagnose-builds.ts'

export const buildAnalyzer = defineService({
  name: 'build-analyzer',
  about: 'Reads the logs of failed jobs: cause by line, whose it is, what to do.',
  settings: {},
  create: () => ({
    stages: [
      {
        name: 'diagnose-builds',
        reads: streamList(ciFailures),
        writes: streamList(ciDiagnoses),
        create: () => new DiagnoseBuilds(),
      },
    ],
  }),
})
