/** The evaluation of the log anomaly detectors: fit on the units of the training part, then score the others in order, learning as they go. */

import { LineAnomalyDetector, type Session, SessionAnomalyDetector } from '@aegis/anomaly-detection/logs/log-anomaly'
import { matchFault } from '@aegis/log-mining/fault-patterns'
import { parseLine } from '@aegis/log-mining/parse-line'
import { severityOfText } from '@aegis/log-mining/severity'
import { TemplateMiner } from '@aegis/log-mining/template-miner'
import { SessionStream } from './session-stream.ts'

export interface UnitScore {
  readonly unit: string
  readonly score: number
  readonly alert: boolean
}

/** Whole sessions in order; `training` says which of them are only learned from. Every unit gets a score. */
export function evaluateSessions(
  sessions: readonly (readonly [unit: string, session: Session])[],
  training: (unit: string) => boolean,
): UnitScore[] {
  const detector = new SessionAnomalyDetector()
  const part = sessions.filter(([unit]) => training(unit))
  detector.fit(part.map(([, session]) => session))
  const scored = part.map(([unit, session]) => ({ unit, ...detector.score(session) }))
  for (const [unit, session] of sessions) if (!training(unit)) scored.push({ unit, ...detector.observe(session) })
  return scored.map(({ unit, score, alert }) => ({ unit, score, alert }))
}

/** The units of a raw log, in one pass: a line belongs to each unit whose id stands in it. A unit is judged as it goes on (session-stream.ts). */
export function evaluateSessionLog(
  lines: Iterable<string>,
  units: ReadonlySet<string>,
  training: (unit: string) => boolean,
  onLine?: (count: number) => void,
): UnitScore[] {
  const miner = new TemplateMiner()
  const scored: UnitScore[] = []
  const find = idFinder(units)
  const stream = new SessionStream((unit, { score, alert }) => scored.push({ unit, score, alert }))
  let now = 0
  let count = 0
  for (const raw of lines) {
    onLine?.(++count)
    const { body, timeUs, severity } = parseLine(raw)
    if (timeUs !== undefined && timeUs > now) now = timeUs
    const match = miner.learn(body)
    stream.follow(match.changes)
    for (const unit of find(raw)) stream.line(unit, training(unit), `${match.templateId} ${severity ?? ''}`, now)
  }
  stream.end(now)
  return scored
}

/** Ids are found whole: a run of the characters that ids are made of, with or without the full stop after it. */
function idFinder(units: ReadonlySet<string>): (line: string) => Set<string> {
  const more = new Set([...units].flatMap(id => [...id.replace(/[\w\s-]+/g, '')]))
  const run = new RegExp(`[\\w${[...more].map(c => `\\u{${c.codePointAt(0)?.toString(16)}}`).join('')}-]+`, 'gu')
  return line => {
    const ids = new Set<string>()
    for (const [text] of line.matchAll(run)) {
      if (units.has(text)) ids.add(text)
      else if (more.size > 0) {
        const trimmed = text.replace(/^[^\w]+|[^\w]+$/g, '')
        if (units.has(trimmed)) ids.add(trimmed)
      }
    }
    return ids
  }
}

/** Every line of a raw log as a unit, named by its number from 1. */
export function evaluateLines(
  lines: readonly string[],
  training: (unit: string) => boolean,
  onLine?: (count: number) => void,
): UnitScore[] {
  const miner = new TemplateMiner()
  const detector = new LineAnomalyDetector()
  return lines.map((raw, i) => {
    const unit = String(i + 1)
    onLine?.(i + 1)
    const { body, severity } = parseLine(raw)
    const { templateId, changes } = miner.learn(body)
    for (const change of changes)
      if (change.kind !== 'created') detector.rename(change.from, change.kind === 'widened' ? change.to : change.into)
    const textSeverity = severityOfText(body)
    const line = {
      textSeverity,
      templateId,
      severity: severity ?? textSeverity,
      severityGuessed: severity === undefined,
      fault: matchFault(body),
    }
    if (!training(unit)) return { unit, ...detector.observe(line) }
    const scored = detector.score(line)
    detector.learn(line, true)
    return { unit, score: scored.score, alert: scored.alert }
  })
}
