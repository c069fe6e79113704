/** What is wrong with a pod, by its phase, its conditions, the states of its containers and warnings that go on. */
import type { Severity } from '@aegis/domain'
import { type Doc, get, listOf, textOf } from '@aegis/domain/document'
import {
  ageOf,
  ageOfObject,
  conditionOf,
  type Found,
  GRACE_MS,
  goesOn,
  HARMLESS,
  lasted,
  SLOW_MS,
  timeOf,
  type Warning,
  wordsOf,
} from './trouble.ts'

/** Reasons to wait that pass by themselves. */
const PASSING = new Set(['', 'ContainerCreating', 'PodInitializing', 'Completed'])
const CRASHES = new Set([
  'CrashLoopBackOff',
  'OOMKilled',
  'RunContainerError',
  'StartError',
  'Error',
  'ContainerCannotRun',
  'DeadlineExceeded',
])
/** Warnings that say what the state of a container or the scheduler's condition says already. */
const SAID_BY_STATE = /^(BackOff|Failed|Unhealthy|ErrImageNeverPull|InspectFailed|NodeNotReady)$/
/** A phase that ended says nothing of now after this long, milliseconds. */
const PAST_MS = 60 * GRACE_MS
/** Failed probes tell of now for this long, milliseconds. */
const PROBE_MS = GRACE_MS

const found = (kind: Found['kind'], name: string, severity: Severity, summary: string): Found => ({
  kind,
  name,
  severity,
  summary,
})
const ended = (state: unknown): string => `${textOf(get(state, 'reason')) || 'exit'} (${textOf(get(state, 'exitCode'))})`
const colon = (text: unknown): string => (textOf(text) ? `: ${textOf(text)}` : '')

/** A container that died and is started again does so once more when the last death is nearer than two of its lives. */
const diesAgain = (c: Doc, now: number): Found | undefined => {
  const running = get(c, 'state', 'running')
  const last = get(c, running ? 'lastState' : 'state', 'terminated')
  const exit = Number(get(last, 'exitCode') ?? 0)
  const reason = textOf(get(last, 'reason'))
  const restarts = Number(c.restartCount ?? 0)
  if (last === undefined || (exit === 0 && reason !== 'OOMKilled') || restarts < (reason === 'OOMKilled' ? 1 : 3))
    return undefined
  const at = timeOf(get(last, 'finishedAt'))
  const life = at === undefined ? 0 : at - (timeOf(get(last, 'startedAt')) ?? at)
  const within = Math.max(10 * GRACE_MS, restarts > 1 ? Math.min(2 * life, 24 * PAST_MS) : 0)
  // Without a time the restarts speak: one in the past of a container that runs is none of now.
  if (at === undefined ? running !== undefined && ageOf(get(running, 'startedAt'), now) > 10 * GRACE_MS : now - at > within)
    return undefined
  const ago = at === undefined ? '' : ` ${lasted(now - at)} ago`
  return found(
    'crash_loop',
    reason || 'Error',
    'high',
    `${c.name}: ended with ${ended(last)}${ago}, ${restarts} restarts${colon(get(last, 'message'))}`,
  )
}

const troubleOfContainer = (c: Doc, now: number): Found | undefined => {
  const waiting = get(c, 'state', 'waiting')
  const reason = textOf(get(waiting, 'reason'))
  if (waiting === undefined || PASSING.has(reason)) return diesAgain(c, now)
  const last = get(c, 'lastState', 'terminated')
  const died = last ? ` after it ended with ${ended(last)}${colon(get(last, 'message'))}` : ''
  return found(
    CRASHES.has(reason) ? 'crash_loop' : 'event',
    reason,
    'high',
    `${c.name}: ${reason}${died}, ${c.restartCount ?? 0} restarts${colon(get(waiting, 'message'))}`,
  )
}

const isReady = (pod: unknown): boolean => conditionOf(pod, 'Ready')?.status === 'True'

/** A pod that ended badly. Its job, if it has one, decides whether that matters. */
const troubleOfFailed = (pod: unknown, now: number): Found[] => {
  const statuses = [...listOf(get(pod, 'status', 'containerStatuses')), ...listOf(get(pod, 'status', 'initContainerStatuses'))]
  const last = statuses
    .map(c => get(c, 'state', 'terminated') ?? get(c, 'lastState', 'terminated'))
    .find(t => t !== undefined && get(t, 'exitCode') !== 0)
  const times = [
    get(last, 'finishedAt'),
    get(conditionOf(pod, 'DisruptionTarget'), 'lastTransitionTime'),
    get(conditionOf(pod, 'Ready'), 'lastTransitionTime'),
  ]
  const at = times.map(timeOf).find(t => t !== undefined)
  if (at !== undefined && now - at > PAST_MS) return []
  const reason = textOf(get(pod, 'status', 'reason')) || textOf(get(last, 'reason')) || 'Failed'
  const words =
    textOf(get(pod, 'status', 'message')) || (last ? `ended with ${ended(last)}${colon(get(last, 'message'))}` : 'the pod failed')
  return [found(reason === 'Evicted' ? 'event' : 'crash_loop', reason, 'high', `${reason}: ${words}`)]
}

export const troublesOfPod = (pod: Doc, ofJob: boolean, warnings: readonly Warning[], now: number): Found[] => {
  const phase = get(pod, 'status', 'phase')
  const spoken = (pattern: RegExp) => warnings.find(w => pattern.test(w.reason))
  const leaving = get(pod, 'metadata', 'deletionTimestamp')
  if (leaving !== undefined) {
    // The time is that at which it should have been gone.
    if (ageOf(leaving, now) < SLOW_MS) return []
    const kept = listOf(get(pod, 'metadata', 'finalizers'))
      .map(textOf)
      .join(', ')
    const why = spoken(/./)
    const told = kept ? `, held by ${kept}` : ''
    return [
      found(
        'event',
        'Terminating',
        'medium',
        `should be gone since ${lasted(ageOf(leaving, now))}${told}${why ? `: ${why.reason}: ${why.message}` : ''}`,
      ),
    ]
  }
  if (phase === 'Succeeded') return []
  if (phase === 'Failed') return ofJob ? [] : troubleOfFailed(pod, now)
  const all = [
    ...listOf(get(pod, 'status', 'initContainerStatuses')),
    ...listOf(get(pod, 'status', 'containerStatuses')),
  ] as Doc[]
  const troubles = all.flatMap(c => troubleOfContainer(c, now) ?? [])
  const scheduled = conditionOf(pod, 'PodScheduled')
  if (
    scheduled?.status === 'False' &&
    ageOf(scheduled.lastTransitionTime ?? get(pod, 'metadata', 'creationTimestamp'), now) >= GRACE_MS
  ) {
    const message = textOf(scheduled.message) || spoken(/^FailedScheduling$/)?.message
    troubles.push(
      found(
        'event',
        textOf(scheduled.reason) || 'Unschedulable',
        'high',
        `cannot be scheduled: ${textOf(scheduled.reason) || 'Unschedulable'}${colon(message)}`,
      ),
    )
  }
  // A container that waits is not asked by its probes: what they said before that is history.
  if (troubles.length > 0) return troubles
  const probe = warnings.find(w => w.reason === 'Unhealthy' && now - w.last <= PROBE_MS && goesOn(w))
  const which = probe && (/^(\w+) probe/i.exec(probe.message)?.[1].toLowerCase() ?? 'probe')
  const started = all.map(c => ageOf(get(c, 'state', 'running', 'startedAt'), now))
  // Who has just begun may answer no yet.
  if (probe && !(isReady(pod) && which === 'readiness') && !started.some(ms => ms < GRACE_MS))
    troubles.push(found('probe', which!, which === 'readiness' ? 'medium' : 'high', probe.message || 'a probe fails'))
  if (troubles.length > 0 || isReady(pod)) return troubles
  const warned = warnings.find(w => !SAID_BY_STATE.test(w.reason) && !HARMLESS.test(w.reason) && goesOn(w))
  if (warned) return [found('event', warned.reason, 'high', `${warned.reason}: ${warned.message}`)]
  return troublesOfWaiting(pod, all, now)
}

/** Nothing says why, but it takes longer than anything that goes well. */
const troublesOfWaiting = (pod: Doc, all: readonly Doc[], now: number): Found[] => {
  const ready = conditionOf(pod, 'Ready')
  const initialized = conditionOf(pod, 'Initialized')
  const age = Math.min(ageOfObject(pod, now), ageOf(get(pod, 'status', 'startTime'), now))
  const waiting = all.map(c => textOf(get(c, 'state', 'waiting', 'reason'))).find(r => r !== '')
  if (get(pod, 'status', 'phase') === 'Unknown')
    return [found('event', 'Unknown', 'high', wordsOf(pod.status) || 'its node does not answer')]
  if (
    initialized?.status === 'False' &&
    ageOf(initialized.lastTransitionTime ?? get(pod, 'metadata', 'creationTimestamp'), now) > 2 * SLOW_MS
  )
    return [found('event', 'PodInitializing', 'medium', `does not get past its init containers${colon(initialized.message)}`)]
  if (waiting && Number.isFinite(age) && age > SLOW_MS)
    return [found('event', waiting, 'medium', `${waiting} since ${lasted(age)}`)]
  const since = ready?.lastTransitionTime ?? get(pod, 'metadata', 'creationTimestamp')
  if (
    get(pod, 'status', 'phase') === 'Running' &&
    ready?.status === 'False' &&
    ready.reason !== 'PodCompleted' &&
    ageOf(since, now) > SLOW_MS
  )
    return [
      found(
        'probe',
        'readiness',
        'medium',
        `not ready${timeOf(since) === undefined ? '' : ` since ${lasted(ageOf(since, now))}`}${colon(wordsOf(ready))}`,
      ),
    ]
  if (
    get(pod, 'status', 'phase') === 'Pending' &&
    Number.isFinite(age) &&
    age > SLOW_MS &&
    all.length === 0 &&
    conditionOf(pod, 'PodScheduled') === undefined
  )
    return [found('event', 'Pending', 'medium', `Pending since ${lasted(age)}${colon(wordsOf(pod.status))}`)]
  return []
}
