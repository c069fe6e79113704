/**
 * `node lab/inference/judge-recorded.ts FOLDER`: holds detect-failure against recorded incidents, a folder each with case.json (fault_type, fault_window, baseline),
 * metrics.csv.gz (`time`, then a column per `<service>__<metric>`) and logs.csv.gz where there are lines. Nothing of them was learned from. What a fault may rightly be
 * called is a family of types, by words of its label; a window before the fault must be called nothing.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { detectFailure, type FailureLine, type FailureMetric, type FailureName, shippedFailureModel } from '@aegis/inference'
import { matchFault } from '@aegis/log-mining'

const FAMILIES: readonly (readonly [word: RegExp, types: readonly FailureName[]])[] = [
  [/mem/, ['memory_leak', 'memory_leaks', 'resource_exhaustion']],
  [/cpu|stress|load/, ['resource_exhaustion', 'high_latency']],
  [/disk|io\b/, ['storage_issues', 'resource_exhaustion']],
  [/delay|latency|slow/, ['high_latency', 'timeout', 'connection_timeout', 'network_connectivity']],
  [/loss|corrupt|network|partition|dns/, ['network_connectivity', 'high_latency', 'timeout', 'connection_timeout']],
  [/kill|fail|crash|availab|down|abort/, ['service_down', 'service_unavailability']],
  [/exception|return|error|code|bug/, ['runtime_exceptions', 'service_unavailability']],
]
interface Case {
  readonly fault_type: string
  readonly fault_window: readonly [number, number]
  readonly baseline?: readonly (readonly [number, number])[]
}
const MOST_LINES = 5000
const WINDOW_S = 300
const US = 1e6

const rowsOf = (file: string): string[][] => {
  if (!existsSync(file)) return []
  // Quoted cells hold commas; the names and numbers here do not, and lines are only looked at for their words.
  return gunzipSync(readFileSync(file))
    .toString()
    .trim()
    .split('\n')
    .map(line => line.split(','))
}
const model = shippedFailureModel()
const folder = process.argv[2]
if (!folder) throw new Error('which folder? node lab/inference/judge-recorded.ts FOLDER')
const per = new Map<string, { cases: number; detected: number; family: number }>()
let [quiet, falsely] = [0, 0]
for (const name of readdirSync(folder).sort()) {
  const at = path.join(folder, name)
  if (!existsSync(path.join(at, 'case.json'))) continue
  const told = JSON.parse(readFileSync(path.join(at, 'case.json'), 'utf8')) as Case
  const [head = [], ...rows] = rowsOf(path.join(at, 'metrics.csv.gz'))
  const metrics = (from: number, to: number): FailureMetric[] =>
    rows
      .filter(r => Number(r[0]) >= from && Number(r[0]) < to)
      .flatMap(r =>
        head.slice(1).flatMap((column, i) => {
          const text = r[i + 1]
          if (text === undefined || text === '' || !Number.isFinite(Number(text))) return []
          const cut = column.lastIndexOf('__')
          return [
            {
              metric_type: column.slice(cut + 2),
              value: Number(text),
              time: Number(r[0]) * US,
              labels: { service: column.slice(0, Math.max(0, cut)) },
            },
          ]
        }),
      )
  const [logHead = [], ...lines] = rowsOf(path.join(at, 'logs.csv.gz'))
  const column = (label: string) => logHead.indexOf(label)
  const logs = (from: number, to: number): FailureLine[] =>
    lines.slice(0, MOST_LINES).flatMap(r => {
      const time = Number(r[column('time_us')])
      if (!(time >= from * US && time < to * US)) return []
      const message = r.slice(column('message')).join(',')
      return [
        {
          time,
          level: r[column('level')] ?? 'INFO',
          message,
          service: r[column('service')] ?? '',
          fault: matchFault(message)?.kind,
        },
      ]
    })
  const judge = (from: number, to: number) => detectFailure(metrics(from, to), logs(from, to), model, Number.POSITIVE_INFINITY)
  const [from, to] = told.fault_window
  const answer = judge(from, Math.max(to, from + WINDOW_S))
  const [, types = []] = FAMILIES.find(([word]) => word.test(told.fault_type.toLowerCase())) ?? []
  const key = told.fault_type.toLowerCase().replace(/[^a-z]+/g, '_')
  const known = per.get(key) ?? { cases: 0, detected: 0, family: 0 }
  known.cases++
  if (answer.failure_detected) known.detected++
  if (answer.failure_type && types.includes(answer.failure_type)) known.family++
  per.set(key, known)
  const before = told.baseline?.at(-1)
  if (before) {
    quiet++
    if (judge(Math.max(before[0], before[1] - WINDOW_S), before[1] + 1).failure_detected) falsely++
  }
}
const sum = (of: 'cases' | 'detected' | 'family') => [...per.values()].reduce((n, p) => n + p[of], 0)
for (const [key, p] of per)
  console.log(
    `${key.padEnd(22)} ${String(p.cases).padStart(4)} cases, detected ${String(p.detected).padStart(4)}, rightly called ${String(p.family).padStart(4)}`,
  )
console.log(
  `all                    ${String(sum('cases')).padStart(4)} cases, detected ${String(sum('detected')).padStart(4)}, rightly called ${String(sum('family')).padStart(4)}; quiet windows called a failure: ${falsely} of ${quiet}`,
)
