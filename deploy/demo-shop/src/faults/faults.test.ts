import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { shopPlan } from '../supervisor/plan.ts'
import { operationNames } from '../supervisor/supervised-service.ts'
import { faultNamed, faults } from './faults.ts'

const services = shopPlan.map(plan => plan.name)

describe('the faults', () => {
  it('are at least eight, each named once, with a true cause and actions that exist', () => {
    expect(new Set(faults.map(fault => fault.name)).size).toBe(faults.length)
    expect(faults.length).toBeGreaterThanOrEqual(8)
    for (const { trueCause, rightActions } of faults) {
      expect(services).toContain(trueCause)
      expect(rightActions.length).toBeGreaterThan(0)
      for (const { service, operation } of rightActions) {
        expect(service).toBe(trueCause)
        expect(operationNames).toContain(operation)
      }
    }
  })

  it('cannot all be healed by one kind of action', () => {
    for (const operation of operationNames) {
      const healed = faults.filter(fault => fault.rightActions.some(action => action.operation === operation))
      expect(healed.length).toBeLessThanOrEqual(faults.length * 0.6)
    }
  })

  it('are found by name, or the names there are are told', () => {
    expect(faultNamed('disk-full').trueCause).toBe('store')
    expect(() => faultNamed('flood')).toThrow(/no fault flood; there are bad-deploy/)
  })

  it('every release of the plan is a file', () => {
    for (const { releases, version } of shopPlan) {
      expect(releases).toHaveProperty([version])
      for (const file of Object.values(releases)) expect(existsSync(new URL(`../services/${file}`, import.meta.url))).toBe(true)
    }
  })
})
