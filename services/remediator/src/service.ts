import { approvals, controls, decisions, incidents, manualFixes, outcomes } from '@aegis/domain'
import { defineService, streamList } from '@aegis/runtime'
import { settings } from './config.ts'
import { DecideActions } from './decide-actions.ts'
import { policyNamed } from './policies.ts'

export const remediator = defineService({
  name: 'remediator',
  about: 'Chooses an action for each incident, holds it against the guard, and writes down why.',
  settings,
  async create(config) {
    // Experiments may put any of them in charge of a share of the incidents.
    const policies = {
      rules: await policyNamed('rules', config.exploration),
      learned: await policyNamed('learned', config.exploration),
    }
    return {
      stages: [
        {
          name: 'decide-actions',
          reads: streamList(incidents, approvals, outcomes, manualFixes),
          follows: streamList(controls),
          writes: streamList(decisions),
          snapshotAlways: true,
          create: () =>
            new DecideActions(policies[config.policy], {
              policies,
              defaultMode: config.defaultMode,
              environmentModes: config.environmentModes,
              approvalUs: config.approvalMs * 1000,
              limits: {
                disruptivePerHour: config.disruptivePerHour,
                concurrent: config.concurrent,
                cooldownMs: config.cooldownMs,
                minimumConfidence: config.minimumConfidence,
                minimumEvidence: config.minimumEvidence,
                errorBudgetFloor: 0,
              },
            }),
        },
      ],
    }
  },
})
