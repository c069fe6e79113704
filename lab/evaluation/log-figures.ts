/**
 * How right predictions over logs are, for data that carries labels: read after the predictions were made and written, for the figures alone.
 *
 * Parsing after Zhu et al. (ICSE 2019), Khan et al. (ICSE 2022) and Jiang et al. (ISSTA 2024), strict: groups are sets of lines, texts must agree to the letter.
 */
import type { EvaluatedLine } from './parse-stream.ts'

export interface ParsingFigures {
  /** Share of lines whose group holds exactly the lines of one true template. */
  readonly GA: number
  /** F1 over groups. */
  readonly FGA: number
  /** Share of lines with the true template's text. */
  readonly PA: number
  /** F1 over templates that are right in group and text. */
  readonly FTA: number
  /** PA of the templates that the lines had when they were read. */
  readonly firstPA: number
}

const f1 = (right: number, found: number, true_: number): number => (right === 0 ? 0 : (2 * right) / (found + true_))
const share = (count: number, of: number): number => (of === 0 ? 0 : count / of)

/** @param truth the true template of each line */
export function parsingFigures(truth: readonly string[], lines: readonly EvaluatedLine[]): ParsingFigures {
  const size = new Map<string, number>()
  for (const template of truth) size.set(template, (size.get(template) ?? 0) + 1)
  const truthsBy = (key: (line: EvaluatedLine) => string) => {
    const by = new Map<string, { lines: number; truths: Set<string> }>()
    lines.forEach((line, i) => {
      const group = by.get(key(line)) ?? { lines: 0, truths: new Set() }
      by.set(key(line), group)
      group.lines++
      group.truths.add(truth[i] as string)
    })
    return by
  }
  const groups = truthsBy(({ clusterId }) => clusterId)
  const right = [...groups.values()].filter(
    ({ lines, truths }) => truths.size === 1 && lines === size.get([...truths][0] as string),
  )
  const texts = truthsBy(({ template }) => template)
  const rightTexts = [...texts].filter(([text, { truths }]) => truths.size === 1 && truths.has(text)).length
  const agree = (text: (line: EvaluatedLine) => string) => lines.filter((line, i) => text(line) === truth[i]).length
  return {
    GA: share(
      right.reduce((sum, { lines }) => sum + lines, 0),
      lines.length,
    ),
    FGA: f1(right.length, groups.size, size.size),
    PA: share(
      agree(line => line.template),
      lines.length,
    ),
    FTA: f1(rightTexts, texts.size, size.size),
    firstPA: share(
      agree(line => line.firstTemplate),
      lines.length,
    ),
  }
}

export interface LabelledUnit {
  readonly anomalous: boolean
  readonly score: number
  readonly alert: boolean
}
export interface AnomalyFigures {
  readonly units: number
  readonly anomalies: number
  /** Of the detector's own decisions. */
  readonly F1: number
  readonly precision: number
  readonly recall: number
  /** Average precision of the ranking by score; of equal scores the worst order counts. */
  readonly AP: number
}

export function anomalyFigures(units: readonly LabelledUnit[]): AnomalyFigures {
  const anomalies = units.filter(({ anomalous }) => anomalous).length
  const alerts = units.filter(({ alert }) => alert).length
  const hits = units.filter(({ alert, anomalous }) => alert && anomalous).length
  const ranked = [...units].sort((a, b) => b.score - a.score)
  let [sum, found, read] = [0, 0, 0]
  while (read < ranked.length) {
    let [tied, end] = [0, read]
    for (; end < ranked.length && ranked[end]?.score === ranked[read]?.score; end++) if (ranked[end]?.anomalous) tied++
    found += tied
    sum += (tied * found) / end
    read = end
  }
  return {
    units: units.length,
    anomalies,
    F1: f1(hits, alerts, anomalies),
    precision: share(hits, alerts),
    recall: share(hits, anomalies),
    AP: share(sum, anomalies),
  }
}

/** Columns under their heads: the first to the left, numbers to the right, fractions with three places. */
export function tableText(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cell = (value: string | number) =>
    typeof value === 'string' ? value : Number.isInteger(value) && value > 1 ? String(value) : value.toFixed(3)
  const text = rows.map(row => row.map(cell))
  const width = heads.map((head, i) => Math.max(head.length, ...text.map(row => row[i]?.length ?? 0)))
  return [heads, ...text]
    .map(row =>
      row
        .map((value, i) => (i === 0 ? value.padEnd(width[i]) : value.padStart(width[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
