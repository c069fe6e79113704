import { guardSettings, pairs } from '@aegis/remediation/guard-settings'
import { z } from 'zod'

const number = (fallback: number) => z.coerce.number().nonnegative().default(fallback)
const POLICIES = ['rules', 'learned'] as const
export const settings = {
  ...guardSettings,
  policy: {
    env: 'AEGIS_POLICY',
    schema: z.enum(POLICIES).default('rules'),
    about:
      'Who chooses while "aegis policy promote" has put nobody in charge: the runbook table, or the trained policy that ships with Aegis.',
  },
  environmentPolicies: {
    env: 'AEGIS_ENVIRONMENT_POLICIES',
    schema: pairs(POLICIES, 'policy'),
    about: 'Who chooses in single environments, such as staging=learned,prod-*=rules; it wins over what was promoted.',
  },
  exploration: {
    env: 'AEGIS_EXPLORATION',
    schema: z.coerce.number().min(0).max(1).default(0),
    about: 'Share of the trained policy’s choices drawn by its probabilities, so that others can be judged from them later.',
  },
  errorBudgetMinutes: {
    env: 'AEGIS_ERROR_BUDGET_MINUTES',
    schema: number(0),
    about:
      'Minutes of incidents of high or critical severity that an environment may have in 30 days (99.9 % are 43); 0: no budget is kept.',
  },
  policyServiceUrl: {
    env: 'POLICY_ENGINE_URL',
    schema: z.url().optional(),
    about:
      'External policy service that is asked before each action, such as http://policy:8080/api/v1/policy/evaluate. While it does not answer, nothing disruptive is done.',
  },
  policyServiceMs: {
    env: 'POLICY_ENGINE_TIMEOUT_MS',
    schema: z.coerce.number().positive().default(2000),
    about: 'Milliseconds the policy service has to answer.',
  },
  authorityFolder: {
    env: 'AEGIS_AUTHORITY_FOLDER',
    schema: z.string().optional(),
    about:
      'Folder with the private key of this service (SERVICE.key, made at its first start) and the public ones of the others (SERVICE.key.pub): decisions, approvals, controls and outcomes are signed, and refused where they are not. Empty: neither.',
  },
}
