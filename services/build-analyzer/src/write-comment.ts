import { KINDS } from '@aegis/build-analysis'
import { redact } from '@aegis/log-mining'
import type { Cause } from './join-causes.ts'

/** Found again by this in the comments of a pull request, so that a cause has one comment, updated in place. */
export const markerOf = (key: string): string => `<!-- aegis-ci:${key} -->`

/** Text of a log as data: secrets out, and nothing in it may end the block it stands in. */
export const inert = (text: string, limit = 300): string => redact(text).replace(/`{3,}/g, "'''").slice(0, limit)
const code = (text: string): string => `\`${inert(text, 160).replace(/[`\r\n]/g, "'")}\``
const WHOSE = {
  change: 'this change',
  environment: 'the environment of the job',
  flaky: 'a flaky test',
  external: 'a service outside',
}

/** The comment on one cause: at most 25 visible lines, evidence folded. Every quote is a line of the log. */
export const writeComment = ({ key, failure, analysis, jobs }: Cause): string => {
  const { fix, prevention } = KINDS[failure.kind]
  const [first, ...more] = failure.quotes
  const shown = jobs.slice(0, 3).map(j => (j.url ? `[${inert(j.job, 80).replace(/[[\]]/g, '')}](${j.url})` : code(j.job)))
  const others = jobs.length > shown.length ? ` and ${jobs.length - shown.length} more` : ''
  const dependency = failure.class === 'dependency' || failure.type === 'dependency_conflicts' ? analysis.dependency : undefined
  const files = analysis.files.slice(0, 3).map(code)
  const out = [markerOf(key), `### ${inert(jobs[0]?.job ?? 'Build', 80)} failed`, '', `Failed: ${shown.join(', ')}${others}`, '']
  if (failure.abstain || !first) out.push('**Root cause** The log does not say why.')
  else
    out.push(
      `**Root cause** (line ${first.line}, ${Math.round(failure.confidence * 100)} % sure)`,
      '```text',
      inert(first.text),
      '```',
    )
  out.push(
    failure.abstain
      ? '**Fix** Let the command print why it fails, then run it again.'
      : `**Fix** ${fix}${dependency ? ` It speaks of ${code(dependency.name)}${dependency.to ? ` ${code(dependency.to)}` : ''}.` : ''}${files.length > 0 ? ` Look at ${files.join(', ')}.` : ''}`,
    `**Prevention** ${prevention}`,
    '',
    `Whose: ${WHOSE[failure.whose]}. Type: ${failure.type ?? 'unknown'}.`,
  )
  if (first)
    out.push(
      '',
      '<details><summary>Evidence</summary>',
      '',
      ...(analysis.command ? [`Command: ${code(analysis.command)}`, ''] : []),
      '```text',
      ...[first, ...more].map(q => `${q.line}: ${inert(q.text)}`),
      '```',
      '</details>',
    )
  return `${out.join('\n')}\n`
}
