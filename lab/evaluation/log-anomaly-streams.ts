/**
 * The evaluation of the log anomaly detectors. A raw log goes through the stages of the log-parser and the anomaly-detector as it would live, with a tick a
 * second, and what they judged of each session is written down; sequences of event ids and single lines go to the detectors that the stages use.
 */
import {
  LineAnomalyDetector,
  type Session,
  SessionAnomalyDetector,
  type SessionScore,
} from '@aegis/anomaly-detection/logs/log-anomaly'
import { DetectLogAnomalies } from '@aegis/anomaly-detector/detect-log-anomalies'
import { type Input, type LogEvent, type LogLine, logsParsed, logsRaw } from '@aegis/domain'
import { matchFault, parseLine, severityOfText, TemplateMiner } from '@aegis/log-mining'
import { ParseLogs } from '@aegis/log-parser/parse-logs'
import { received, runStage, tick } from '@aegis/runtime/testing'

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

const SECOND_US = 1_000_000
/** A pause longer than this is passed over in steps of its own length: nothing happens in it that a few ticks do not bring about. */
const PAUSE_S = 60
/** After the last line, so that what waits for silence happens. */
const REST_S = 120
/** Lines handed over at once. */
const BATCH = 500

/**
 * The units of a raw log: the worst that the pipeline ever said of each, in one pass. A unit is a session, named by an identifier that stands in its lines.
 * Nothing of the table but the names is used.
 */
export async function evaluateSessionLog(
  lines: Iterable<string>,
  units: ReadonlySet<string>,
  onLine?: (count: number) => void,
): Promise<UnitScore[]> {
  const worst = new Map<string, SessionScore>()
  const find = idFinder(units)
  const parser = new ParseLogs()
  const detector = new DetectLogAnomalies({
    onSession: (_, session, score) => {
      for (const unit of find(session)) {
        const before = worst.get(unit)
        if (!before || score.score > before.score) worst.set(unit, { ...score, alert: score.alert || (before?.alert ?? false) })
        else if (score.alert && !before.alert) worst.set(unit, { ...before, alert: true })
      }
    },
  })
  const seen = new Set<string>()
  let offset = 0
  let now = 0
  const through = async (inputs: readonly Input[]): Promise<void> => {
    const { of } = await runStage(parser, [inputs])
    const events = of(logsParsed).map((event: LogEvent) => received(logsParsed, event, event.offset))
    await runStage(detector, [[...events, ...inputs.filter(input => input.kind === 'tick')]])
  }
  let batch: Input[] = []
  for (const body of lines) {
    onLine?.(++offset)
    for (const unit of find(body)) seen.add(unit)
    const time = parseLine(body).timeUs ?? now
    if (now === 0) now = time
    for (let step = time - now > PAUSE_S * SECOND_US ? (time - now) / PAUSE_S : SECOND_US; now + step <= time; ) {
      await through(batch)
      batch = []
      now += step
      await through([tick(now, { offset })])
    }
    batch.push(received(logsRaw, lineOf(body, time, offset), offset))
    if (batch.length < BATCH) continue
    await through(batch)
    batch = []
  }
  await through(batch)
  for (let i = 1; i <= REST_S; i++) await through([tick(now + i * SECOND_US, { offset, final: i === REST_S })])
  return [...seen].map(unit => ({ unit, score: worst.get(unit)?.score ?? 0, alert: worst.get(unit)?.alert ?? false }))
}

const lineOf = (body: string, time: number, offset: number): LogLine => ({
  id: `line-${offset}`,
  environment: 'evaluation',
  time,
  observed_time: time,
  entity: 'service:log',
  severity: null,
  body,
  attributes: {},
  trace_id: null,
  span_id: null,
  source: 'file',
})

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
