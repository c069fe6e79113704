import { readFileSync } from 'node:fs'
import { addMetricKnowledge, FatalError } from '@aegis/domain'

/** Takes up what a file says series mean. Who names a file means it, so a bad one stops the service. */
export const readKnowledgeFile = (file: string): void => {
  try {
    addMetricKnowledge(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new FatalError('CONFIG_INVALID', `AEGIS_METRIC_KNOWLEDGE: ${file}: ${(error as Error).message}`)
  }
}
