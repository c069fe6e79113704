/**
 * `aegis eval root-cause`: ranked causes of recorded cases, without labels.
 *
 * Every folder with a `case.json` is one case; `alerts/*.jsonl[.gz]` hold cases of alerts alone. Writes `predictions.jsonl` and `alerts.jsonl`:
 * one object a line with case, ranked, ranked_metrics, confidence, verdict, seconds and evidence. Names of cases are not read.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { AegisError, seededRandom } from '@aegis/domain'
import { type CauseCase, explainIncident, fusedWeights, fuseEvidence } from '@aegis/root-cause'
import { type AlertCase, rankAlertCases } from './rank-alerts.ts'
import { CaseReader, type ReadOptions } from './read-cause-case.ts'

export interface RootCauseOptions {
  readonly data: string
  readonly out: string
  /** Telemetry (logs, traces, edges, metrics) or evidence (causality) that is left out, several with commas. */
  readonly without?: string
  readonly dropEdges?: string | number
  /** "none": the onset is not told; "late": it is told one step late. */
  readonly onset?: string
  /** Share of services without spans. */
  readonly untraced?: string | number
  /** Which draw of the edges and services left out. Default 0. */
  readonly draw?: string | number
  /** Quiet windows drawn from the history of each case with a long one; written to normal.jsonl. */
  readonly normal?: string | number
  readonly progress?: (done: number, total: number, what: string) => void
}

const WITHOUT = ['logs', 'traces', 'edges', 'metrics', 'causality']

export const evalRootCause = async (options: RootCauseOptions): Promise<string> => {
  const { data, out, progress = () => {} } = options
  const unknown = (options.without ?? '').split(',').filter(k => k !== '' && !WITHOUT.includes(k))
  if (unknown.length > 0) throw new AegisError('INPUT_INVALID', `--without ${unknown.join(',')}: known are ${WITHOUT.join(', ')}`)
  const dropEdges = shareOf('--drop-edges', options.dropEdges)
  const untraced = shareOf('--untraced', options.untraced)
  if (options.onset !== undefined && !['none', 'late'].includes(options.onset))
    throw new AegisError('INPUT_INVALID', `--onset ${options.onset}: known are none (not told) and late (one step late)`)
  const normal = wholeOf('--normal', options.normal)
  const read: ReadOptions = {
    without: options.without,
    dropEdges,
    onset: options.onset,
    untraced,
    draw: wholeOf('--draw', options.draw),
  }
  const weights = (options.without ?? '').split(',').includes('causality') ? { ...fusedWeights.weights, causal: 0 } : undefined
  const cases = readdirSync(data)
    .filter(name => existsSync(path.join(data, name, 'case.json')))
    .sort()
  const alertFiles = existsSync(path.join(data, 'alerts'))
    ? readdirSync(path.join(data, 'alerts'))
        .filter(f => /\.jsonl(\.gz)?$/.test(f))
        .sort()
    : []
  if (cases.length + alertFiles.length === 0)
    throw new AegisError('INPUT_INVALID', `${data} holds neither <case>/case.json nor alerts/*.jsonl.gz`)
  await mkdir(out, { recursive: true })
  const reader = new CaseReader(data)
  const lines: string[] = []
  const quiet: { case: string; window: number; incident: boolean; confidence: number }[] = []
  for (const [i, id] of cases.entries()) {
    const { evidence, file } = reader.read(id, read)
    const started = performance.now()
    const ranking = fuseEvidence(evidence, {
      weights,
      alert: file.alert ? { entity: file.alert.service, metric: file.alert.metric } : undefined,
    })
    const seconds = (performance.now() - started) / 1000
    lines.push(
      JSON.stringify({
        case: id,
        ranked: ranking.suspects.map(s => s.entity),
        incident: ranking.incident,
        ranked_metrics: ranking.metrics.slice(0, 20).map(m => `${m.peer ? `${m.peer}->${m.entity}` : m.entity}__${m.metric}`),
        confidence: Number(ranking.confidence.toFixed(4)),
        score: Number((ranking.suspects[0]?.score ?? 0).toFixed(3)),
        gap: Number(((ranking.suspects[0]?.score ?? 0) - (ranking.suspects[1]?.score ?? 0)).toFixed(3)),
        verdict: ranking.verdict,
        explanation: explainIncident(evidence, ranking),
        seconds: Number(seconds.toFixed(5)),
        evidence: ranking.suspects.slice(0, 3).map(s => ({
          entity: s.entity,
          probability: Number(s.probability.toFixed(4)),
          findings: s.findings.slice(0, 8),
        })),
      }),
    )
    for (const [window, calm] of quietWindows(evidence, normal, i).entries()) {
      const found = fuseEvidence(calm, { alert: file.alert && { entity: file.alert.service, metric: file.alert.metric } })
      quiet.push({ case: id, window, incident: found.incident, confidence: Number(found.confidence.toFixed(4)) })
    }
    progress(i + 1, cases.length, 'cases')
  }
  if (quiet.length > 0) await writeFile(path.join(out, 'normal.jsonl'), `${quiet.map(q => JSON.stringify(q)).join('\n')}\n`)
  if (cases.length > 0) await writeFile(path.join(out, 'predictions.jsonl'), `${lines.join('\n')}\n`)
  const alertLines: string[] = []
  for (const file of alertFiles) {
    const bytes = readFileSync(path.join(data, 'alerts', file))
    const text = file.endsWith('.gz') ? gunzipSync(bytes).toString('utf8') : bytes.toString('utf8')
    const known = text
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as AlertCase)
    for (const r of rankAlertCases(known, { onDone: n => progress(n, known.length, file), now: () => performance.now() }))
      alertLines.push(JSON.stringify(r))
  }
  if (alertFiles.length > 0) await writeFile(path.join(out, 'alerts.jsonl'), `${alertLines.join('\n')}\n`)
  const calm = quiet.filter(q => !q.incident).length
  return `${cases.length} cases, ${alertLines.length} alert cases${
    quiet.length > 0
      ? `, ${quiet.length} quiet windows of which ${calm} were left alone (${(calm / quiet.length).toFixed(3)})`
      : ''
  }`
}

const shareOf = (name: string, value: string | number | undefined): number => {
  const share = value === undefined ? 0 : Number(value)
  if (!(share >= 0 && share < 1)) throw new AegisError('INPUT_INVALID', `${name} ${value}: a share from 0 to 1 is needed`)
  return share
}

const wholeOf = (name: string, value: string | number | undefined): number => {
  const whole = value === undefined ? 0 : Number(value)
  if (!Number.isInteger(whole) || whole < 0) throw new AegisError('INPUT_INVALID', `${name} ${value}: a whole number is needed`)
  return whole
}

/** History shorter than this has no window to spare, rows. */
const LONG_HISTORY = 100
/** Windows of a case's own fault-free history, each held against the rest of it; spans and lines have no history to draw from. */
const quietWindows = (c: CauseCase, count: number, seed: number): CauseCase[] => {
  const rows = c.series.reduce((n, s) => Math.max(n, s.before.length), 0)
  const length = c.series.reduce((n, s) => Math.max(n, s.after.length), 0)
  if (rows < LONG_HISTORY || length === 0 || length > rows / 4) return []
  const random = seededRandom(seed + 1)
  return Array.from({ length: count }, (): CauseCase => {
    const at = Math.floor(random() * (rows - length))
    return {
      entities: c.entities,
      edges: c.edges,
      series: c.series.map(s => ({
        ...s,
        before: [...s.before.slice(0, at), ...s.before.slice(at + length)],
        after: s.before.slice(at, at + length),
      })),
    }
  })
}
