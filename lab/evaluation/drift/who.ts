import { type AuditEvent, readAuditEvent } from '@aegis/drift-analysis/who/audit-event'
import { AuditTrail } from '@aegis/drift-analysis/who/find-maker'
import { readRows } from './read-rows.ts'

export interface WindowRow {
  readonly id: string
  readonly trail: string
  readonly from: string
  readonly to: string
  readonly resource: { readonly type: string; readonly id: string }
  readonly changed: readonly string[]
}
export const readEvents = (rows: readonly unknown[]): AuditEvent[] =>
  rows.flatMap(row => {
    const event = readAuditEvent(row)
    return event ? [event] : []
  })

export function answerWindow(trail: AuditTrail, w: Omit<WindowRow, 'trail'>) {
  const { found, confidence } = trail.find({
    type: w.resource.type,
    id: w.resource.id,
    changed: w.changed,
    from: Date.parse(w.from),
    to: Date.parse(w.to),
  })
  return { id: w.id, event: found?.event.id ?? null, actor: found?.actor ?? null, channel: found?.channel ?? null, confidence }
}

/** Which event made each change. */
export function evalWho(data: string, progress: (done: number, total: number) => void): object[] | undefined {
  const rows = readRows<WindowRow>(data, 'who', 'windows')
  const trails = new Map<string, AuditTrail>()
  return rows?.map((row, i) => {
    let trail = trails.get(row.trail)
    if (!trail) {
      trail = new AuditTrail(readEvents(readRows<unknown>(data, 'who', 'trails', row.trail) ?? []))
      trails.set(row.trail, trail)
    }
    progress(i + 1, rows.length)
    return answerWindow(trail, row)
  })
}
