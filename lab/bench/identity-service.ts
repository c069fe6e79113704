/** The floor: the same decode, encode, headers and transactions as log-parser, and no work between. */
import { emit, idOf, isFrom, logsParsed, logsRaw, type Stage } from '@aegis/domain'
import { defineService, runService, streamList } from '@aegis/runtime'

class PassOn implements Stage {
  async process(batch: Parameters<Stage['process']>[0]) {
    return batch.flatMap(input => {
      if (!isFrom(input, logsRaw)) return []
      const v = input.value
      const event = {
        id: idOf('logs.raw', input.partition, input.offset, v.id),
        environment: v.environment,
        time: input.time,
        entity: v.entity ?? '',
        service: '',
        service_known_by: 'given',
        template_id: '',
        template: v.body,
        parameters: [],
        severity: 'INFO',
        category: 'other',
        mentions: [],
        body: v.body,
        lines: 1,
        partition: input.partition,
        offset: input.offset,
      }
      return [emit(logsParsed, event, input)]
    })
  }
}
await runService(
  defineService({
    name: process.execArgv.includes('--import') ? 'plain' : 'identity',
    about: 'Passes lines on.',
    settings: {},
    create: () => ({
      stages: [{ name: 'pass-on', reads: streamList(logsRaw), writes: streamList(logsParsed), create: () => new PassOn() }],
    }),
  }),
)
