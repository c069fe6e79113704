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
import { AegisError } from '@aegis/domain'
import { type AlertCase, explainIncident, fuseEvidence, rankAlertCases } from '@aegis/root-cause'
import { CaseReader, type ReadOptions } from './read-cause-case.ts'

export interface RootCauseOptions {
  readonly data: string
  readonly out: string
  /** logs, traces, edges or metrics, several with commas. */
  readonly without?: string
  readonly dropEdges?: string | number
  /** "none": the onset is not told. */
  readonly onset?: string
  readonly progress?: (done: number, total: number, what: string) => void
}

export const evalRootCause = async (options: RootCauseOptions): Promise<string> => {
  const { data, out, progress = () => {} } = options
  const unknown = (options.without ?? '').split(',').filter(k => k !== '' && !['logs', 'traces', 'edges', 'metrics'].includes(k))
  if (unknown.length > 0)
    throw new AegisError('INPUT_INVALID', `--without ${unknown.join(',')}: known are logs, traces, edges, metrics`)
  const dropEdges = options.dropEdges === undefined ? 0 : Number(options.dropEdges)
  if (!(dropEdges >= 0 && dropEdges < 1))
    throw new AegisError('INPUT_INVALID', `--drop-edges ${options.dropEdges}: a share from 0 to 1 is needed`)
  const read: ReadOptions = { without: options.without, dropEdges, onset: options.onset }
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
  for (const [i, id] of cases.entries()) {
    const { evidence, file } = reader.read(id, read)
    const started = performance.now()
    const ranking = fuseEvidence(evidence, {
      alert: file.alert ? { entity: file.alert.service, metric: file.alert.metric } : undefined,
    })
    const seconds = (performance.now() - started) / 1000
    lines.push(
      JSON.stringify({
        case: id,
        ranked: ranking.incident ? ranking.suspects.map(s => s.entity) : [],
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
    progress(i + 1, cases.length, 'cases')
  }
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
  return `${cases.length} cases, ${alertLines.length} alert cases`
}
