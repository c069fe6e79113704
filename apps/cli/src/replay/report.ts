import { logsParsed, logsRaw, metricsRaw, tracesSpans } from '@aegis/domain'
import type { RecordedCase } from '@aegis/lab/replay/read-case'
import type { CameOfIt } from '@aegis/lab/replay/run-recording'
import { explain } from '../commands/incidents.ts'
import { Progress } from '../progress.ts'

/** A bar over the seconds of a recording. */
export const progressOf = (recorded: RecordedCase): Progress => new Progress('seconds', (recorded.to - recorded.from) / 1e6 + 60)

/** What came of a recording, in words. */
export function report(
  { count, ...newest }: CameOfIt,
  recorded: { logs: readonly unknown[]; metrics: readonly unknown[]; spans: readonly unknown[] },
  total: number,
): void {
  const row = (name: string, sent: number, seen: number) =>
    console.log(
      `  ${name.padEnd(14)} ${String(sent).padStart(9)} recorded ${String(seen).padStart(9)} ${sent === seen ? '' : ' DIFFERENT'}`,
    )
  console.log(`counts (${total} records)`)
  row('logs.raw', recorded.logs.length, count.get(logsRaw.name) ?? 0)
  row('logs.parsed', recorded.logs.length, count.get(logsParsed.name) ?? 0)
  row('traces.spans', recorded.spans.length, count.get(tracesSpans.name) ?? 0)
  console.log(
    `  metrics.raw    ${String(recorded.metrics.length).padStart(9)} recorded ${String(count.get(metricsRaw.name) ?? 0).padStart(9)}  (with what was derived from logs and spans)`,
  )
  console.log(`${newest.anomalies.size} anomalies, ${newest.incidents.size} incidents, ${newest.decisions.size} decisions`)
  for (const i of newest.incidents.values()) console.log(`\n${explain(i, [], [])}`)
  for (const d of newest.decisions.values())
    console.log(`\nDECISION ${d.mode}: ${d.action} ${d.target}\n  ${d.explanation}\n  ${d.reasons.join('\n  ')}`)
}
