/** The evaluation of the miner as the stream runs it: one pass, in order, one state; then each line under the template it ended up in. */

import { type MinerOptions, TemplateMiner } from '@aegis/log-mining/template-miner'
import { TemplateHistory } from './template-history.ts'

export interface EvaluatedLine {
  /** The template when the line had just been read. */
  readonly firstTemplate: string
  /** The template after all that was learned since, and its id. */
  readonly template: string
  readonly clusterId: string
}

export interface ParsingReport {
  readonly lines: readonly EvaluatedLine[]
  readonly templates: number
  /** Lines whose template changed after they were read. */
  readonly revised: number
}

export function evaluateParsing(
  bodies: Iterable<string>,
  options: MinerOptions = {},
  onLine?: (count: number) => void,
): ParsingReport {
  const miner = new TemplateMiner(options)
  const history = new TemplateHistory()
  const first: { id: string; text: string }[] = []
  for (const body of bodies) {
    const match = miner.learn(body)
    history.follow(match.changes)
    first.push({ id: match.templateId, text: match.template })
    onLine?.(first.length)
  }
  let revised = 0
  const lines = first.map(({ id, text }) => {
    const clusterId = history.resolve(id)
    const template = clusterId === id ? text : (history.textOf(clusterId) ?? text)
    if (template !== text) revised++
    return { firstTemplate: text, template, clusterId }
  })
  return { lines, templates: miner.templates().length, revised }
}
