import { readFile } from 'node:fs/promises'
import { FatalError, idOf, models } from '@aegis/domain'
import { ALERT_RULES } from '@aegis/model-registry'
import type { ServiceContext } from '@aegis/runtime'
import { readAlertRules } from './read-alert-rules.ts'

const LOOK_EVERY_MS = 2000

/** The rules of a file; throws what is wrong with it, all of it. */
export async function readRulesFile(path: string): Promise<{ content: string; count: number }> {
  const content = await readFile(path, 'utf8').catch(error => {
    throw new FatalError('CONFIG_INVALID', `AEGIS_ALERT_RULES: ${path} cannot be read: ${error.message}`)
  })
  const { rules, faults } = readAlertRules(content, path)
  if (faults.length > 0) throw new FatalError('CONFIG_INVALID', `AEGIS_ALERT_RULES: ${faults.join('; ')}`)
  return { content, count: rules.length }
}

/**
 * Publishes the file of alert rules, and again whenever it changes; the stages take it up at the tick that names it. A file that can no longer be used is told in
 * the log, and the rules before it stay.
 */
export function watchRulesFile(
  path: string,
  context: Pick<ServiceContext, 'log' | 'now' | 'publish' | 'latest'>,
): { stop(): void } {
  let seen: string | undefined
  const look = async () => {
    const { content, count } = await readRulesFile(path)
    if (content === seen) return
    seen = content
    const version = idOf(content).slice(0, 12)
    if (context.latest(models, ALERT_RULES)?.version === version) return
    await context.publish(models, [
      {
        id: ALERT_RULES,
        environment: '*',
        time: context.now(),
        version,
        state: 'active',
        weights: Buffer.from(content),
        metrics: { rules: count },
        lineage: { file: path },
      },
    ])
    context.log.info({ file: path, rules: count, version }, 'alert rules are published')
  }
  let told = ''
  let looking = Promise.resolve()
  const again = () => {
    looking = looking.then(look).catch((error: Error) => {
      if (error.message !== told) context.log.error({ err: error, file: path }, 'the alert rules stay as they were')
      told = error.message
    })
  }
  again()
  const timer = setInterval(again, LOOK_EVERY_MS)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}
