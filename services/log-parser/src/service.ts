import { FatalError, logsParsed, logsRaw, metricsRaw, templates, tracesLines } from '@aegis/domain'
import { type Classifier, firstOf, ruleClassifier } from '@aegis/log-mining'
import { defineService, type ServiceContext, streamList } from '@aegis/runtime'
import { settings } from './config.ts'
import { ParseLogs } from './parse-logs.ts'
import { readHints } from './read-hints.ts'

export const logParser = defineService({
  name: 'log-parser',
  about: 'Reads log lines of any usual format into templates with typed parameters, severity and mentions.',
  settings,
  async create(config, context) {
    const hints = hintsOf(config)
    const classifier = config.logModel ? await transformer(config.logModel, context) : undefined
    return {
      stages: [
        {
          name: 'parse-logs',
          reads: streamList(logsRaw),
          writes: streamList(logsParsed, templates, metricsRaw, tracesLines),
          create: () => new ParseLogs({ classifier, hints }),
        },
      ],
    }
  },
})

const hintsOf = ({ logZone, logFormats }: { readonly logZone?: string; readonly logFormats?: string }) => {
  try {
    return readHints({ zone: logZone, formats: logFormats })
  } catch (error) {
    throw new FatalError('CONFIG_INVALID', `AEGIS_LOG_ZONE, AEGIS_LOG_FORMATS: ${(error as Error).message}`, { cause: error })
  }
}

/** The rules, and where they are silent the transformer; its head is trained on our lines, which takes as long as the encoder takes for them. */
async function transformer(model: string, { log }: Pick<ServiceContext, 'log'>): Promise<Classifier> {
  const { TransformerClassifier } = await import('@aegis/log-mining/transformer-classifier')
  try {
    const onProgress = (lines: number, of: number) =>
      log.info({ lines, of, model }, 'lines embedded for the head of the log model')
    return firstOf(ruleClassifier, await TransformerClassifier.load({ model, onProgress }))
  } catch (error) {
    throw new FatalError('CONFIG_INVALID', `AEGIS_LOG_MODEL: ${(error as Error).message}`, { cause: error })
  }
}
