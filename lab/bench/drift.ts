/** How fast drift is analysed: a plan of 5,000 resources, a question to an audit log of a million entries, a prediction with its SHAP values. */
import { seededRandom } from '@aegis/domain'
import { analyzeReading } from '@aegis/drift-analysis/analyze-drift'
import type { JsonObject } from '@aegis/drift-analysis/noise/same-value'
import { readDrift } from '@aegis/drift-analysis/sources/read-drift'
import { type AuditEvent, readAuditEvent } from '@aegis/drift-analysis/who/audit-event'
import { AuditTrail } from '@aegis/drift-analysis/who/find-maker'
import { GradientBoosting } from '@aegis/learning/gradient-boosting'

const share = (times: number[], q: number): string => times.sort((a, b) => a - b)[Math.floor(q * (times.length - 1))].toFixed(2)
const T = Date.parse('2026-03-01T00:00:00Z')

export async function run(args: string[]): Promise<void> {
  const random = seededRandom(1)
  const drifts = Array.from({ length: 5000 }, (_, i) => ({
    address: `cloud_box.b${i}`,
    type: 'cloud_box',
    change: {
      actions: ['update'],
      before: { id: `b${i}`, size: 2, rules: ['a', 'b', 'c'], tags: { team: 'x' }, etag: `${i}`, zone: 'z' },
      after: { id: `b${i}`, size: i % 3 === 0 ? 4 : 2, rules: ['c', 'b', 'a'], tags: { team: 'x' }, etag: `${i + 1}`, zone: 'z' },
    },
  }))
  const plan = {
    format_version: '1.2',
    terraform_version: '1.9',
    resource_drift: drifts,
    resource_changes: drifts,
  } as unknown as JsonObject
  let from = performance.now()
  const analyses = analyzeReading(readDrift([plan]), { window: { from: 0, to: T } })
  console.log(`plan of 5,000 resources, ${analyses.length} drifted: ${((performance.now() - from) / 1000).toFixed(2)} s`)

  const count = Number(args[args.indexOf('--events') + 1]) || 1_000_000
  from = performance.now()
  const events: AuditEvent[] = []
  for (let i = 0; i < count; i++)
    events.push(
      readAuditEvent({
        eventID: `e${i}`,
        eventTime: new Date(T - i * 500).toISOString(),
        eventName: i % 2 === 0 ? 'ModifyDBInstance' : 'UpdateFunctionConfiguration',
        eventSource: 'x.amazonaws.com',
        userAgent: 'aws-cli/2',
        userIdentity: { type: 'IAMUser', userName: `u${i % 50}` },
        requestParameters: { dBInstanceIdentifier: `box-${Math.floor(random() * 50_000)}`, allocatedStorage: i % 100 },
      })!,
    )
  const trail = new AuditTrail(events)
  const built = performance.now() - from
  const times = Array.from({ length: 2000 }, () => {
    const id = `box-${Math.floor(random() * 50_000)}`
    const start = performance.now()
    trail.find({ type: 'aws_db_instance', id, changed: ['allocated_storage'], from: 0, to: T })
    return performance.now() - start
  })
  console.log(
    `${count} audit entries indexed in ${(built / 1000).toFixed(1)} s; a question p50 ${share(times, 0.5)} ms, p95 ${share(times, 0.95)} ms`,
  )

  const rows = Array.from({ length: 600 }, () => Float64Array.from({ length: 300 }, random))
  const model = new GradientBoosting({ classes: 7, rounds: 120, depth: 4, columns: 0.4 })
  model.fit(
    rows,
    rows.map(r => Math.floor(7 * r[0])),
  )
  const asked = rows.slice(0, 200).map(row => {
    const start = performance.now()
    model.predict(row)
    model.explain(row)
    return performance.now() - start
  })
  console.log(`prediction of 7 classes with SHAP values (840 trees): p50 ${share(asked, 0.5)} ms, p99 ${share(asked, 0.99)} ms`)
}
