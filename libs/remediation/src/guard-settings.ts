/** What the guard is told by settings: the same for the remediator, and for whoever answers what the guard would say. */
import { MODES, standsFor } from '@aegis/domain'
import { z } from 'zod'

const number = (fallback: number) => z.coerce.number().nonnegative().default(fallback)
/** Pairs of an environment and a word, such as `demo=act,prod-eu=suggest`. */
export const pairs = <T extends string>(words: readonly T[], what: string) =>
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
const list = z
  .string()
  .default('')
  .transform(text =>
    text
      .split(',')
      .map(word => word.trim())
      .filter(Boolean),
  )

export const guardSettings = {
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
  errorBudgetFloor: {
    env: 'AEGIS_ERROR_BUDGET_FLOOR',
    schema: z.coerce.number().min(0).max(1).default(0.1),
    about: 'Disruptive actions are only suggested while less than this share of the error budget is left.',
  },
  approvalMs: {
    env: 'AEGIS_APPROVAL_MS',
    schema: number(900_000),
    about: 'Milliseconds a decision waits for approval before it expires.',
  },
}

/** The word of the first pattern that stands for the environment. */
export const wordFor = <T>(words: Readonly<Record<string, T>>, environment: string): T | undefined =>
  Object.entries(words).find(([pattern]) => standsFor(pattern, environment))?.[1]
