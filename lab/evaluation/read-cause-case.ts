/** A recorded case as the ranker takes it: series cut at the onset, lines with their templates, spans, each beside a quiet time. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { AegisError, hash32, seededRandom } from '@aegis/domain'
import { TemplateMiner } from '@aegis/log-mining'
import { parseCsv } from '@aegis/recordings/log-tables'
import type { CaseLine, CaseSpan, CauseCase, CutSeries } from '@aegis/root-cause'
import { estimateOnset } from './estimate-onset.ts'

export interface CaseFile {
  readonly services?: readonly string[]
  readonly edges?: readonly (readonly [string, string])[]
  readonly baseline?: readonly (readonly [number, number])[]
  readonly fault_window?: readonly [number, number]
  readonly inject_epoch?: number
  readonly reference?: string | null
  readonly step_s?: number
  readonly alert?: { readonly service: string; readonly metric: string; readonly time?: number }
}
export interface ReadOptions {
  readonly without?: string
  readonly dropEdges?: number
  /** "none": it is not told; "late": it is told one step late. */
  readonly onset?: string
  /** Share of services whose spans are not there. */
  readonly untraced?: number
  /** Which draw of the edges and services that are left out. Default 0. */
  readonly draw?: number
}
export interface ReadCase {
  readonly id: string
  readonly file: CaseFile
  readonly evidence: CauseCase
}

interface Table {
  readonly times: readonly number[]
  readonly columns: ReadonlyMap<string, readonly number[]>
}
const textOf = (folder: string, name: string): string | undefined => {
  for (const [file, unzip] of [
    [path.join(folder, `${name}.csv.gz`), true],
    [path.join(folder, `${name}.csv`), false],
  ] as const)
    if (existsSync(file))
      try {
        return (unzip ? gunzipSync(readFileSync(file)) : readFileSync(file)).toString('utf8')
      } catch (error) {
        throw new AegisError('INPUT_INVALID', `${file} cannot be read: ${(error as Error).message}`)
      }
  return undefined
}
const tableOf = (folder: string): Table => {
  const rows = parseCsv(textOf(folder, 'metrics') ?? '')
  const head = rows.shift() ?? []
  const kept = rows.filter(r => r.length > 1)
  const columns = new Map<string, number[]>()
  head.forEach((name, i) => {
    if (i > 0)
      columns.set(
        name,
        kept.map(r => (r[i] === '' || r[i] === undefined ? Number.NaN : Number(r[i]))),
      )
  })
  return { times: kept.map(r => Number(r[0])), columns }
}
interface RawLine {
  time: number
  entity: string
  text: string
  severity: string
  trace: string
  span: string
}
const linesOf = (folder: string): RawLine[] => {
  const rows = parseCsv(textOf(folder, 'logs') ?? '')
  const head = rows.shift() ?? []
  const [t, s, tr, sp, l, m] = ['time_us', 'service', 'trace_id', 'span_id', 'level', 'message'].map(c => head.indexOf(c))
  return rows
    .filter(r => r.length > 1)
    .map(r => ({
      time: Number(r[t]),
      entity: r[s],
      trace: r[tr] ?? '',
      span: r[sp] ?? '',
      severity: r[l] ?? '',
      text: r[m] ?? '',
    }))
    .sort((a, b) => a.time - b.time)
}
const spansOf = (folder: string): CaseSpan[] => {
  const rows = parseCsv(textOf(folder, 'traces') ?? '')
  const head = rows.shift() ?? []
  const [t, tr, id, p, s, o, d, st] = [
    'start_us',
    'trace_id',
    'span_id',
    'parent_id',
    'service',
    'operation',
    'duration_us',
    'status',
  ].map(c => head.indexOf(c))
  return rows
    .filter(r => r.length > 1)
    .map(r => ({
      start: Number(r[t]),
      duration: Number(r[d]),
      trace: r[tr],
      id: r[id],
      parent: r[p] ?? '',
      entity: r[s],
      operation: r[o] ?? '',
      ...(st >= 0 && /error|5\d\d/i.test(r[st] ?? '') ? { failed: true } : {}),
    }))
}

interface Reference {
  readonly table: Table
  readonly lines: readonly RawLine[]
  readonly spans: readonly CaseSpan[]
}
/** Reads cases of one folder; quiet times that many cases share are read once. */
export class CaseReader {
  readonly #data: string
  readonly #references = new Map<string, Reference>()

  constructor(data: string) {
    this.#data = data
  }

  #reference(name: string | null | undefined): Reference | undefined {
    if (!name) return undefined
    const folder = path.resolve(this.#data, name)
    let known = this.#references.get(folder)
    if (!known) {
      known = { table: tableOf(folder), lines: linesOf(folder), spans: spansOf(folder) }
      if (this.#references.size > 3) this.#references.clear()
      this.#references.set(folder, known)
    }
    return known
  }

  read(id: string, options: ReadOptions = {}): ReadCase {
    const folder = path.join(this.#data, id)
    const jsonFile = path.join(folder, 'case.json')
    let file: CaseFile
    try {
      file = JSON.parse(readFileSync(jsonFile, 'utf8'))
    } catch (error) {
      throw new AegisError('INPUT_INVALID', `${jsonFile} is not JSON: ${(error as Error).message}`)
    }
    const told = options.onset !== 'none'
    const reference = this.#reference(file.reference)
    const table = tableOf(folder)
    const late = options.onset === 'late' ? (file.step_s ?? 60) : 0
    const known = told ? (file.fault_window?.[0] ?? file.inject_epoch) : undefined
    const from = known === undefined ? undefined : known + late
    const until = told ? (file.fault_window?.[1] ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY
    const baseline = told ? (file.baseline ?? []) : []
    const onset = from ?? estimateOnset(table.times, table.columns)
    // Whoever tells the onset may be a step late: the step before it counts for the time of the fault.
    const gap = told ? (file.step_s ?? 60) : 0
    const quiet =
      baseline.length > 0 ? (t: number) => baseline.some(([a, b]) => t >= a && t <= b) : (t: number) => t < onset - gap
    const series: CutSeries[] = []
    for (const [column, values] of table.columns) {
      const cut = column.lastIndexOf('__')
      if (cut < 0) continue
      const [entity, peer] = column.slice(0, cut).split('->')
      let before: readonly number[] = values.filter((_, i) => quiet(table.times[i]))
      const after = values.filter((_, i) => table.times[i] >= onset - gap && table.times[i] <= until)
      if (before.length < 5) before = [...(reference?.table.columns.get(column) ?? []), ...before]
      series.push({ entity: peer ?? entity, metric: column.slice(cut + 2), ...(peer ? { peer: entity } : {}), before, after })
    }
    const without = (options.without ?? '').split(',')
    const now = without.includes('logs') ? [] : linesOf(folder)
    const was = without.includes('logs') ? [] : (reference?.lines ?? [])
    const untraced = options.untraced ?? 0
    const kept = (what: string, share: number) => seededRandom(hash32(`${id} ${options.draw ?? 0} ${what}`))() >= share
    const dark = new Map<string, boolean>()
    const traced = ({ entity }: CaseSpan) => {
      if (untraced > 0 && !dark.has(entity)) dark.set(entity, !kept(entity, untraced))
      return !dark.get(entity)
    }
    const spans = without.includes('traces') ? [] : spansOf(folder).filter(traced)
    const spansBefore = without.includes('traces') ? [] : (reference?.spans ?? []).filter(traced)
    let edges = without.includes('edges') ? [] : (file.edges ?? [])
    if (options.dropEdges) edges = edges.filter(([from, to]) => kept(`${from} ${to}`, options.dropEdges!))
    const [lines, linesBefore] = withTemplates(now, was)
    const seen = new Set<string>(file.services ?? [])
    for (const s of series) seen.add(s.entity)
    return {
      id,
      file,
      evidence: {
        entities: [...seen],
        edges,
        series: without.includes('metrics') ? [] : series,
        lines,
        linesBefore,
        spans,
        spansBefore,
      },
    }
  }
}

/** Templates are mined over both times together, then every line is named by its final template. */
const withTemplates = (now: readonly RawLine[], before: readonly RawLine[]): [CaseLine[], CaseLine[]] => {
  if (now.length + before.length === 0) return [[], []]
  const miner = new TemplateMiner()
  for (const l of before) miner.learn(l.text)
  for (const l of now) miner.learn(l.text)
  const named = (l: RawLine): CaseLine => ({ ...l, template: statementOf(l.text, miner.learn(l.text).template) })
  return [now.map(named), before.map(named)]
}

/** Where in the code the line was written, if it says so; else the first words of its template, which values at the end do not split. */
const statementOf = (text: string, template: string): string =>
  /\b[\w$]+(?:\.[\w$]+)*(?:#|:)\d+\b/.exec(text.slice(0, 160).replace(/\d+:\d+(:\d+)?/g, ''))?.[0] ??
  template.split(' ').slice(0, 10).join(' ')
