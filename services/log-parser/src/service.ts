import { logsParsed, logsRaw, metricsRaw, templates, tracesLines } from '@aegis/domain'
import { defineService, streamList } from '@aegis/runtime'
import { settings } from './config.ts'
import { ParseLogs } from './parse-logs.ts'

export const logParser = defineService({
  name: 'log-parser',
  about: 'Reads log lines of any usual format into templates with typed parameters, severity and mentions.',
  settings,
  create: () => ({
    stages: [
      {
        name: 'parse-logs',
        reads: streamList(logsRaw),
        writes: streamList(logsParsed, templates, metricsRaw, tracesLines),
        create: () => new ParseLogs(),
      },
    ],
  }),
})
