import { type Control, type GuardFacts, MODES } from '@aegis/domain'
import { guard } from '@aegis/remediation/guard'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluatePolicy } from './evaluate-policy.ts'

const NOW = 1_800_000_000_000_000
const limits = {
  disruptivePerHour: 2,
  concurrent: 1,
  cooldownMs: 300_000,
  minimumConfidence: 0.4,
  minimumEvidence: 1,
  errorBudgetFloor: 0,
}
const mode = fc.constantFrom(...MODES)
const state = fc.record({
  killSwitch: fc.boolean(),
  ladder: fc.dictionary(fc.constantFrom('restart', 'scale_out'), mode),
  defaultMode: mode,
  deny: fc.subarray(['restart', 'page']),
  allow: fc.subarray(['restart', 'scale_out']),
  protectedEntities: fc.subarray(['service:a', 'service:b']),
  confidence: fc.double({ min: 0, max: 1, noNaN: true }),
})
const ask = (s: typeof state extends fc.Arbitrary<infer T> ? T : never, action: string, who = 'ada', role = 'operator') =>
  evaluatePolicy(
    {
      action,
      resource: 'service:a',
      type: 'remediation',
      context: { userId: who, role, metadata: { confidence: s.confidence } },
    },
    {
      environment: 'prod',
      control: {
        kill_switch: s.killSwitch,
        ladder: s.ladder,
        default_mode: s.defaultMode,
        protected: s.protectedEntities,
        maintenance: [],
      } as unknown as Control,
      outcomes: [],
      now: NOW,
      defaultMode: 'suggest',
      allow: s.allow,
      deny: s.deny,
      limits,
    },
  )

describe('evaluatePolicy', () => {
  it('allows what the guard of the stage would let a machine do, and nothing else', () => {
    fc.assert(
      fc.property(
        state,
        fc.constantFrom(['restart_pod', 'restart'], ['scale_up', 'scale_out'], ['notify_team', 'page']),
        (s, [theirs, ours]) => {
          const facts: GuardFacts = {
            ...s,
            environment: 'prod',
            maintenance: [],
            recent: [],
            limits,
            evidenceCount: 1,
            disruptive: ours === 'restart',
          }
          const verdict = guard({ action: ours, target: 'service:a', candidates: [], propensity: 1, explanation: '' }, facts, NOW)
          expect(ask(s, theirs).allowed).toBe(verdict.mode === 'act' || verdict.mode === 'canary')
        },
      ),
    )
  })
  it('does not turn a rung that waits for approval into a no when Aegis itself asks', () => {
    const s = {
      killSwitch: false,
      ladder: {},
      defaultMode: 'approve' as const,
      deny: [],
      allow: [],
      protectedEntities: [],
      confidence: 1,
    }
    expect(ask(s, 'restart').allowed).toBe(false)
    expect(ask(s, 'restart', 'aegis', 'remediator').allowed).toBe(true)
    expect(ask({ ...s, deny: ['restart'] }, 'restart', 'aegis', 'remediator')).toMatchObject({
      allowed: false,
      matched_rules: ['deny_list'],
    })
  })
})
