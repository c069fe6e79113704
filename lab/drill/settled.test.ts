import type { Decision, Incident, Outcome } from '@aegis/domain'
import { expect, test } from 'vitest'
import { hasOpenIncident, settled } from './settled.ts'

const incident = (id: string, state: string) => ({ value: { id, state } as Incident })
const decision = (decision: string, action: string, mode = 'act') => ({
  value: { decision, action, mode, incident: 'i' } as Decision,
})
const outcome = (decision: string, action: string, status: string) => ({ value: { decision, action, status } as Outcome })

test('it is over when a person has been called and nothing is under way, or when all is closed', () => {
  const open = [incident('i', 'open'), incident('i', 'updated')]
  expect(settled({ incidents: [], decisions: [], outcomes: [] })).toBe(false)
  expect(settled({ incidents: open, decisions: [], outcomes: [] })).toBe(false)
  const tried = [decision('d1', 'restart'), decision('d2', 'page')]
  const failed = [outcome('d1', 'restart', 'carried_out'), outcome('d1', 'restart', 'failed')]
  expect(settled({ incidents: open, decisions: tried, outcomes: failed })).toBe(false)
  const paged = [...failed, outcome('d2', 'page', 'carried_out')]
  expect(settled({ incidents: open, decisions: tried, outcomes: paged })).toBe(true)
  // Another incident that nobody was called for, and an act without an end.
  expect(settled({ incidents: [...open, incident('j', 'open')], decisions: tried, outcomes: paged })).toBe(false)
  expect(settled({ incidents: open, decisions: [...tried, decision('d3', 'start')], outcomes: paged })).toBe(false)
  // What is only suggested is not under way.
  expect(settled({ incidents: open, decisions: [...tried, decision('d3', 'start', 'suggest')], outcomes: paged })).toBe(true)
  expect(settled({ incidents: [...open, incident('i', 'closed')], decisions: [], outcomes: [] })).toBe(true)
})

test('an incident is open until its last word closes or merges it', () => {
  const all = [incident('i', 'open'), incident('j', 'open'), incident('i', 'mitigated')]
  expect(hasOpenIncident({ incidents: [] })).toBe(false)
  expect(hasOpenIncident({ incidents: all })).toBe(true)
  expect(hasOpenIncident({ incidents: [...all, incident('i', 'closed')] })).toBe(true)
  expect(hasOpenIncident({ incidents: [...all, incident('i', 'closed'), incident('j', 'merged')] })).toBe(false)
})
