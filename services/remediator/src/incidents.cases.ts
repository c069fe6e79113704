/** What tests of the remediator are fed. */
import type { Cause, Decision, Incident, Outcome } from '@aegis/domain'

export const T0 = 1_700_000_000_000_000
export const SECOND = 1_000_000

/** An incident of service:a whose cause is named, with what the test says of both. */
export const incidentOf = (cause: Partial<Cause>, over: Partial<Incident> = {}): Incident => ({
  id: 'i1',
  environment: 'test',
  time: T0,
  state: 'updated',
  revision: 2,
  severity: 'high',
  started: T0 - 5 * SECOND,
  entities: ['service:a'],
  anomalies: ['x'],
  health: [],
  verdict: 'cause_named',
  causes: [
    {
      entity: 'service:a',
      confidence: 0.9,
      score: 1,
      path: [],
      metrics: [],
      evidence: [],
      against: [],
      explanation: '',
      ...cause,
    },
  ],
  timeline: [],
  graph: [],
  explanation: '',
  ...over,
})

/** What became of a decision, so many seconds after T0. */
export const outcomeOf = (d: Decision, status: string, second: number, over: Partial<Outcome> = {}): Outcome => ({
  id: `${d.decision}${status}`,
  environment: 'test',
  time: T0 + second * SECOND,
  decision: d.decision,
  incident: d.incident,
  action: d.action,
  target: d.target,
  status,
  ...over,
})
