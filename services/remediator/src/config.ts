import { MODES } from '@aegis/domain'
import { z } from 'zod'

const number = (fallback: number) => z.coerce.number().nonnegative().default(fallback)
/** Pairs of an environment and a word, such as `demo=act,prod-eu=suggest`. */
const pairs = <T extends string>(words: readonly T[], what: string) =>
  z
    .string()
    .default('')
    .transform((text, context) => {
      const out: Record<string, T> = {}
      for (const pair of text.split(',').filter(Boolean)) {
        const [environment, word] = pair.split('=').map(p => p.trim())
        if (!words.includes(word as T))
          context.addIssue({ code: 'custom', message: `${pair}: the ${what} must be one of ${words.join(', ')}` })
        else out[environment] = word as T
      }
      return out
    })
const POLICIES = ['rules', 'learned'] as const
const list = z
  .string()
  .default('')
  .transform(text =>
    text
      .split(',')
      .map(word => word.trim())
      .filter(Boolean),
  )

export const settings = {
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
  defaultMode: {
    env: 'AEGIS_MODE',
    schema: z.enum(MODES).default('suggest'),
    about: 'How far actions may go where nothing else is said: refuse, observe, shadow, suggest, approve, canary or act.',
  },
  environmentModes: {
    env: 'AEGIS_ENVIRONMENT_MODES',
    schema: pairs(MODES, 'mode'),
    about: 'Ladder mode per environment, such as demo=act,prod-eu=suggest. Controls set at run time win.',
  },
  disruptivePerHour: {
    env: 'AEGIS_DISRUPTIVE_PER_HOUR',
    schema: number(6),
    about: 'Disruptive actions per environment and hour.',
  },
  concurrent: { env: 'AEGIS_CONCURRENT_ACTIONS', schema: number(1), about: 'Actions under way at once per environment.' },
  cooldownMs: {
    env: 'AEGIS_COOLDOWN_MS',
    schema: number(300_000),
    about: 'Milliseconds before the same action is taken on the same entity again.',
  },
  minimumConfidence: {
    env: 'AEGIS_MINIMUM_CONFIDENCE',
    schema: number(0.4),
    about: 'Least confidence in the cause for acting alone.',
  },
  minimumEvidence: { env: 'AEGIS_MINIMUM_EVIDENCE', schema: number(1), about: 'Least pieces of evidence for acting alone.' },
  allow: {
    env: 'AEGIS_ALLOWED_ACTIONS',
    schema: list,
    about: 'The only actions that may be done, such as start,raise_limit; all where empty. Paging is always open.',
  },
  deny: { env: 'AEGIS_DENIED_ACTIONS', schema: list, about: 'Actions that are never done, such as drain,delete_pod.' },
  errorBudgetMinutes: {
    env: 'AEGIS_ERROR_BUDGET_MINUTES',
    schema: number(0),
    about:
      'Minutes of incidents of high or critical severity that an environment may have in 30 days (99.9 % are 43); 0: no budget is kept.',
  },
  errorBudgetFloor: {
    env: 'AEGIS_ERROR_BUDGET_FLOOR',
    schema: z.coerce.number().min(0).max(1).default(0.1),
    about: 'Disruptive actions are only suggested while less than this share of the error budget is left.',
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
  approvalMs: {
    env: 'AEGIS_APPROVAL_MS',
    schema: number(900_000),
    about: 'Milliseconds a decision waits for approval before it expires.',
  },
  authorityFolder: {
    env: 'AEGIS_AUTHORITY_FOLDER',
    schema: z.string().optional(),
    about:
      'Folder with the private key of this service (SERVICE.key, made at its first start) and the public ones of the others (SERVICE.key.pub): decisions, approvals, controls and outcomes are signed, and refused where they are not. Empty: neither.',
  },
}
