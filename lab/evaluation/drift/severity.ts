import { severityOfEvent } from '@aegis/drift-analysis/severity/event-severity'
import { type ChangedAttribute, type Severity, severityOfChange } from '@aegis/drift-analysis/severity/severity'
import { readRows } from './read-rows.ts'

const answer = (id: string, { security, performance, cost, compliance }: Severity) => ({
  id,
  security,
  performance,
  cost,
  compliance,
})

/** How bad audit events and changes are. */
export function evalSeverity(data: string, progress: (done: number, total: number) => void): object[] | undefined {
  const events = readRows<{ id: string; event: Record<string, unknown> }>(data, 'severity', 'events')
  const changes = readRows<{ id: string } & ChangedAttribute>(data, 'severity', 'changes')
  if (!events && !changes) return undefined
  const total = (events?.length ?? 0) + (changes?.length ?? 0)
  const out = [
    ...(events ?? []).map(e => answer(e.id, severityOfEvent(e.event))),
    ...(changes ?? []).map(c => answer(c.id, severityOfChange(c))),
  ]
  progress(total, total)
  return out
}
