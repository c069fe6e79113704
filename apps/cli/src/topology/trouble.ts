/** Words that all readers of a cluster's state share. */
import type { Severity } from '@aegis/domain'
import { type Doc, get, listOf, textOf } from '@aegis/domain/document'

/** Something wrong with an entity that does not pass by itself. */
export interface Trouble {
  readonly entity: string
  readonly kind: 'probe' | 'crash_loop' | 'event'
  readonly name: string
  readonly severity: Severity
  readonly summary: string
}
export type Found = Omit<Trouble, 'entity'>

/** What begins, and what is being put in order, is given this long, milliseconds. */
export const GRACE_MS = 60_000
/** What may take a while when all is well: a start, a rollout, a volume being made. */
export const SLOW_MS = 5 * GRACE_MS
/** Events older than this say nothing of now, milliseconds: the kubelet repeats what goes on every two to five minutes. */
export const RECENT_MS = 6 * GRACE_MS

/** Milliseconds since the epoch; undefined where there is no time. */
export const timeOf = (value: unknown): number | undefined => {
  const ms = value instanceof Date ? value.getTime() : Date.parse(textOf(value))
  return Number.isFinite(ms) ? ms : undefined
}
/** How long ago; forever where no time is told, since what is wrong without a time has no beginning to wait for. */
export const ageOf = (value: unknown, now: number): number => now - (timeOf(value) ?? Number.NEGATIVE_INFINITY)
export const ageOfObject = (d: unknown, now: number): number => ageOf(get(d, 'metadata', 'creationTimestamp'), now)
export const conditionsOf = (d: unknown): Doc[] => listOf(get(d, 'status', 'conditions')) as Doc[]
export const conditionOf = (d: unknown, type: string): Doc | undefined => conditionsOf(d).find(c => c.type === type)
/** Reason and message as the cluster words them. */
export const wordsOf = (of: unknown): string => {
  const [reason, message] = [textOf(get(of, 'reason')), textOf(get(of, 'message'))]
  return reason && message ? `${reason}: ${message}` : reason || message
}
export const nameIn = (d: unknown): string => textOf(get(d, 'metadata', 'name'))
export const namespaceIn = (d: unknown): string => textOf(get(d, 'metadata', 'namespace'))
export const lasted = (ms: number): string => {
  if (!Number.isFinite(ms)) return ''
  const minutes = Math.round(ms / 60_000)
  return minutes < 1
    ? `${Math.round(ms / 1000)} s`
    : minutes < 120
      ? `${minutes} min`
      : minutes < 2880
        ? `${Math.round(minutes / 60)} h`
        : `${Math.round(minutes / 1440)} days`
}

/** A warning event, of either API (core/v1 or events.k8s.io/v1). */
export interface Warning {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly reason: string
  readonly message: string
  readonly count: number
  /** Milliseconds. */
  readonly last: number
  readonly lastedMs: number
}
/** Warnings that were seen of late, by their object. */
export const warningsOf = (documents: readonly unknown[], now: number): Map<string, Warning[]> => {
  const found = new Map<string, Warning[]>()
  for (const d of documents as Doc[]) {
    if (d?.kind !== 'Event' || (d.type !== undefined && d.type !== 'Warning')) continue
    const about = d.involvedObject ?? d.regarding
    const last = [
      get(d, 'series', 'lastObservedTime'),
      d.lastTimestamp,
      d.deprecatedLastTimestamp,
      d.eventTime,
      get(d, 'metadata', 'creationTimestamp'),
    ]
      .map(timeOf)
      .find(t => t !== undefined)
    if (last === undefined || now - last > RECENT_MS) continue
    const first =
      [d.firstTimestamp, d.deprecatedFirstTimestamp, d.eventTime, get(d, 'metadata', 'creationTimestamp')]
        .map(timeOf)
        .find(t => t !== undefined) ?? last
    const warning = {
      kind: textOf(get(about, 'kind')),
      namespace: textOf(get(about, 'namespace')) || namespaceIn(d),
      name: textOf(get(about, 'name')),
      reason: textOf(d.reason),
      message: textOf(d.message) || textOf(d.note),
      count: Number(get(d, 'series', 'count') ?? d.count ?? d.deprecatedCount ?? 1),
      last,
      lastedMs: last - first,
    }
    const key = `${warning.kind} ${warning.name}`
    found.set(
      key,
      [...(found.get(key) ?? []), warning].sort((a, b) => b.last - a.last),
    )
  }
  return found
}
/** Whether a warning was no single event: it came again, or went on for a while. */
export const goesOn = (w: Warning): boolean => w.count >= 3 || w.lastedMs >= GRACE_MS
/** Warnings that go on for months where nothing is wrong, and those of states that are read where they stand. */
export const HARMLESS =
  /^(DNSConfigForming|ProbeWarning|PolicyViolation|FailedToRetrieveImagePullSecret|FailedToUpdateEndpoint(Slices)?|AlreadyMountedVolume|InvalidDiskCapacity|CalculateExpectedPodCountFailed|MissingClusterDNS|CheckLimitsForResolvConf|NoPods|ImageGCFailed|Rebooted|NodeSysctlChange|OwnerRefInvalidNamespace|VolumeResizeSuccessful|Preempted|NotTriggerScaleUp)$/
