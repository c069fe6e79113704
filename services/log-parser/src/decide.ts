/** What the log-parser decides of a line where producer and line say different things, or nothing. */
import type { LogLine } from '@aegis/domain'
import { type FaultPattern, type ParsedLine, type Severity, severityNamed } from '@aegis/log-mining'

type Said = Omit<ParsedLine, 'body'>
/** What came with a line beside its text. */
type Known = Omit<LogLine, 'body'>

/** What the producer states, then what the line states; where neither does, what it shows: a trace is an error at least. */
export function severityOf(
  line: Known,
  parsed: Said,
  facts: { readonly fault?: FaultPattern; readonly failure?: Severity },
  trace: boolean,
): Severity {
  const stated = (line.severity ? severityNamed(line.severity) : undefined) ?? parsed.severity
  if (stated !== undefined) return stated
  const shown = facts.fault?.severity ?? facts.failure ?? 'INFO'
  return trace && (shown === 'INFO' || shown === 'WARN') ? 'ERROR' : shown
}

/**
 * A time of the producer's own stands; a line that merely arrived has its time written in it, if any. A clock that is ahead must not hold the event
 * back until its time comes: when it arrived is as late as it can have been.
 */
export const timeOf = (line: Known, parsed: Said, time: number): number =>
  line.time === line.observed_time && parsed.timeUs !== undefined ? Math.min(parsed.timeUs, time) : time

/** Attributes that tell apart who writes: lines of different ones are never joined. */
const WRITERS = new Set([
  'service.instance.id',
  'k8s.pod.uid',
  'k8s.pod.name',
  'k8s.container.name',
  'container.id',
  'container.name',
  'host.name',
  'process.pid',
  'log.file.path',
  'log.file.name',
  'log.iostream',
  'syslog.appname',
  'stream',
  'filename',
  'pod',
  'container',
  'instance',
])
/** What tells this line's writer from others of the same entity. */
export function writerOf({ attributes }: Known): string {
  if (!attributes) return ''
  let writer = ''
  for (const key in attributes) if (WRITERS.has(key)) writer += `\0${attributes[key]}`
  return writer
}
