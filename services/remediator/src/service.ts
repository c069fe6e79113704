import { sealIn } from '@aegis/authority'
import { approvals, controls, decisions, incidents, manualFixes, models, outcomes } from '@aegis/domain'
import { defineService, streamList } from '@aegis/runtime'
import { askPolicyService } from './ask-policy-service.ts'
import { settings } from './config.ts'
import { DecideActions } from './decide-actions.ts'
import { policyNamed, policyOf } from './policies.ts'

export const remediator = defineService({
  name: 'remediator',
  about: 'Chooses an action for each incident, holds it against the guard, and writes down why.',
  settings,
  async create(config, context) {
    // Experiments may put any of them in charge of a share of the incidents.
    const policies = {
      rules: await policyNamed('rules', config.exploration),
      learned: await policyNamed('learned', config.exploration),
    }
    return {
      seal: config.authorityFolder ? sealIn(config.authorityFolder, 'remediator') : undefined,
      stages: [
        {
          name: 'decide-actions',
          reads: streamList(incidents, approvals, outcomes, manualFixes),
          follows: streamList(controls, models),
          writes: streamList(decisions, models),
          snapshotAlways: true,
          create: () =>
            new DecideActions(policies[config.policy], {
              policies,
              defaultMode: config.defaultMode,
              environmentModes: config.environmentModes,
              environmentPolicies: config.environmentPolicies,
              approvalUs: config.approvalMs * 1000,
              allow: config.allow,
              deny: config.deny,
              errorBudgetUs: config.errorBudgetMinutes * 60e6,
              ask: config.policyServiceUrl ? askPolicyService(config.policyServiceUrl, config.policyServiceMs) : undefined,
              models: {
                load: version => policyOf(version, config.exploration),
                latest: id => context.latest(models, id),
                onFailed: (version, err) =>
                  context.log.error({ err, version }, 'a policy on the models stream cannot be used; the rule table decides'),
              },
              limits: {
                disruptivePerHour: config.disruptivePerHour,
                concurrent: config.concurrent,
                cooldownMs: config.cooldownMs,
                minimumConfidence: config.minimumConfidence,
                minimumEvidence: config.minimumEvidence,
                errorBudgetFloor: config.errorBudgetFloor,
              },
            }),
        },
      ],
    }
  },
})
