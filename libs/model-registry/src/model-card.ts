/**
 * What there is to know of a version before it is trusted, as text for people and as JSON. Mitchell et al. 2019, "Model Cards for Model Reporting". What is not known is
 * said so: a card without hold-out figures is a warning.
 */
import type { ModelVersion } from '@aegis/domain'

export interface ModelCard {
  readonly name: string
  readonly version: string
  readonly state: string
  readonly digest: string | undefined
  readonly signer: string | undefined
  readonly made: string
  /** What it learned from: stream, span of time, count. */
  readonly data: Readonly<Record<string, string | number>>
  readonly features: readonly string[]
  /** Measured on what it did not learn from. */
  readonly figures: Readonly<Record<string, number>>
  readonly calibration: Readonly<Record<string, number>>
  readonly limits: readonly string[]
  readonly lineage: Readonly<Record<string, string>>
}
const DATA_METRICS = ['rows', 'windows', 'samples', 'instances', 'left_out', 'templates', 'sessions']
const DATA_LINEAGE = ['stream', 'partition', 'offset', 'from', 'to', 'entity', 'file']
const CALIBRATION = ['ece', 'brier', 'estimated']
const OWN = ['digest', 'signer', 'signature', 'features', 'limits', 'registered']

export function cardOf(m: ModelVersion, name = m.id): ModelCard {
  const { metrics = {}, lineage = {} } = m
  const data: Record<string, string | number> = {}
  for (const key of DATA_LINEAGE) if (lineage[key] !== undefined) data[key] = lineage[key]
  for (const key of DATA_METRICS) if (metrics[key] !== undefined) data[key] = metrics[key]
  const figures = Object.entries(metrics).filter(([key]) => !DATA_METRICS.includes(key) && !CALIBRATION.includes(key))
  const limits = lineage.limits ? lineage.limits.split('\n') : []
  const tried = figures.some(([key]) => key.startsWith('holdout'))
  if (!tried) limits.push('no hold-out figures: how well it does on what it has not seen is not known')
  if (lineage.digest === undefined) limits.push('no digest: whether its bytes are those that were trained is not known')
  if (lineage.signature === undefined) limits.push('not signed: who made it is not proven')
  return {
    name,
    version: m.version,
    state: m.state,
    digest: lineage.digest,
    signer: lineage.signer,
    made: new Date(m.time / 1000).toISOString(),
    data,
    features: lineage.features ? lineage.features.split('\n') : [],
    figures: Object.fromEntries(figures),
    calibration: Object.fromEntries(Object.entries(metrics).filter(([key]) => CALIBRATION.includes(key))),
    limits,
    lineage: Object.fromEntries(
      Object.entries(lineage).filter(
        ([key]) => !OWN.includes(key) && !DATA_LINEAGE.includes(key) && !key.startsWith('artifact:'),
      ),
    ),
  }
}

export function cardText(card: ModelCard): string {
  const rows = (of: Readonly<Record<string, string | number>>, none: string) =>
    Object.keys(of).length === 0
      ? [none]
      : [
          '| what | value |',
          '| --- | --- |',
          ...Object.entries(of).map(([k, v]) => `| ${k.replaceAll('_', ' ')} | ${shown(v)} |`),
        ]
  return [
    `# ${card.name} ${card.version}`,
    `State: ${card.state}. Made: ${card.made}. Digest: ${card.digest ?? 'none'}. Signed by: ${card.signer ?? 'nobody'}.`,
    '',
    '## Data',
    ...rows(card.data, 'Not said.'),
    ...(card.features.length > 0 ? ['', '## Features', card.features.join(', ')] : []),
    '',
    '## Figures',
    ...rows(card.figures, 'None.'),
    '',
    '## Calibration',
    ...rows(card.calibration, 'Not measured.'),
    '',
    '## Limits',
    ...(card.limits.length > 0 ? card.limits.map(limit => `- ${limit}`) : ['None known.']),
    '',
    '## Lineage',
    ...rows(card.lineage, 'Nothing before it.'),
    '',
  ].join('\n')
}
const shown = (v: string | number): string =>
  typeof v === 'number' ? String(Number(v.toPrecision(4))) : v.replaceAll('|', '\\|').replaceAll('\n', ' ')
export const cardArtifacts = (m: ModelVersion, name?: string): Record<string, string> => {
  const card = cardOf(m, name)
  return { 'card.md': cardText(card), 'card.json': JSON.stringify(card, null, 2) }
}
