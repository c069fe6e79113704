/**
 * Recorded cases through the services: each case is replayed through the embedded pipeline, and where its true cause stands among the suspects of the
 * incident is counted beside where `aegis eval root-cause` puts it with the same telemetry. `--data FOLDER` of cases with their labels (or
 * AEGIS_EVAL_DATA), `--only PART` of their names, `--fault KINDS` with commas, `--explain` prints each incident; `--accept` writes the shares to root-cause.json. What is measured is the gap
 * between the two: the stream sees anomalies, eval all of it.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Incident, nameOf } from '@aegis/domain'
import { fuseEvidence } from '@aegis/root-cause'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { startEmbedded } from '@aegis/stack/pipeline/pipeline'
import { CaseReader } from '../evaluation/read-cause-case.ts'
import { readCase } from '../replay/read-case.ts'
import { playThrough } from '../replay/run-recording.ts'
import { accept } from './root-cause.ts'

interface Labels {
  readonly fault_type: string
  readonly root_cause_service: string
  readonly fault_window: readonly [number, number]
}
interface Row {
  readonly name: string
  readonly fault: string
  readonly truth: string
  /** Place of the true cause among the suspects, 0 where it is not among them. */
  readonly services: number
  readonly eval: number
  readonly named: string
}
const text = (args: readonly string[], name: string): string | undefined => {
  const at = args.indexOf(`--${name}`)
  return at < 0 ? undefined : args[at + 1]
}

export const run = async (args: readonly string[]): Promise<void> => {
  const data = text(args, 'data') ?? process.env.AEGIS_EVAL_DATA
  if (!data) throw new Error('name a folder of cases with --data, or in AEGIS_EVAL_DATA')
  const faults = text(args, 'fault')?.split(',')
  const cases = readdirSync(data)
    .filter(name => name.includes(text(args, 'only') ?? ''))
    .flatMap(name => {
      try {
        return [{ name, labels: JSON.parse(readFileSync(path.join(data, name, 'case.json'), 'utf8')) as Labels }]
      } catch {
        return []
      }
    })
    .filter(({ labels }) => labels.root_cause_service && (!faults || faults.includes(labels.fault_type)))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  if (cases.length === 0) throw new Error(`${data} holds no labelled case of that kind`)
  const reader = new CaseReader(data)
  const rows: Row[] = []
  for (const [i, { name, labels }] of cases.entries()) {
    const ranking = fuseEvidence(reader.read(name).evidence)
    const incident = await replay(path.join(data, name), labels)
    const suspects = (incident?.causes ?? []).map(c => nameOf(c.entity))
    const row: Row = {
      name,
      fault: labels.fault_type,
      truth: labels.root_cause_service,
      services: suspects.indexOf(labels.root_cause_service) + 1,
      eval: ranking.suspects.findIndex(s => s.entity === labels.root_cause_service) + 1,
      named: suspects[0] ?? 'nobody',
    }
    rows.push(row)
    console.log(
      `${String(i + 1).padStart(3)}/${cases.length}  ${name.padEnd(26)} ${row.fault.padEnd(16)} ${row.truth.padEnd(24)} services ${place(row.services)}  eval ${place(row.eval)}  named ${row.named}`,
    )
    if (args.includes('--explain') && incident) console.log(`\n${incident.explanation}\n`)
  }
  if (args.includes('--accept'))
    accept(`replayed through the services: ${faults?.join(', ') ?? 'all faults'}`, {
      date: new Date().toISOString().slice(0, 10),
      cases: rows.length,
      services: { first: rate(rows, 'services', 1), inThree: rate(rows, 'services', 3) },
      eval: { first: rate(rows, 'eval', 1), inThree: rate(rows, 'eval', 3) },
    })
  console.log(`\n${'fault'.padEnd(18)} ${'n'.padStart(3)}   services first  in three   eval first  in three`)
  for (const fault of [...new Set(rows.map(r => r.fault)), 'all']) {
    const list = rows.filter(r => fault === 'all' || r.fault === fault)
    const within = (by: 'services' | 'eval', most: number) => rate(list, by, most).toFixed(3)
    console.log(
      `${fault.padEnd(18)} ${String(list.length).padStart(3)}   ${within('services', 1).padStart(14)}  ${within('services', 3).padStart(8)}   ${within('eval', 1).padStart(10)}  ${within('eval', 3).padStart(8)}`,
    )
  }
}
/** Share of the cases whose cause is among the first so many. */
const rate = (rows: readonly Row[], by: 'services' | 'eval', most: number): number =>
  Math.round((1000 * rows.filter(r => r[by] > 0 && r[by] <= most).length) / rows.length) / 1000
const place = (n: number) => (n > 0 ? String(n) : '–').padStart(2)

/** The incident that holds most of what became strange while the fault was there; where several do, the one begun first. */
const replay = async (folder: string, { fault_window: [from, to] }: Labels): Promise<Incident | undefined> => {
  const logFolder = mkdtempSync(path.join(tmpdir(), 'aegis-replay-'))
  const pipeline = await startEmbedded({
    env: { AEGIS_CLOCK: 'off', AEGIS_DATA_PARTITIONS: '1', AEGIS_ENVIRONMENT_PARTITIONS: '1', AEGIS_BATCH_WAIT_MS: '0' },
    logFolder,
  })
  try {
    const recorded = await readCase(folder, 'replayed')
    const found = await playThrough(new StreamClient(pipeline.infrastructure!), recorded, {
      environment: 'replayed',
      speed: 0,
      tickSeconds: Math.min(10, recorded.stepSeconds),
      signal: new AbortController().signal,
    })
    const during = (i: Incident) =>
      i.anomalies.filter(id => {
        const a = found.anomalies.get(id)
        return a && a.started >= (from - 60) * 1e6 && a.started <= to * 1e6
      }).length
    return [...found.incidents.values()]
      .filter(i => i.state !== 'merged' && during(i) > 0)
      .sort((a, b) => during(b) - during(a) || a.started - b.started)[0]
  } finally {
    await pipeline.stop()
    rmSync(logFolder, { recursive: true, force: true })
  }
}
