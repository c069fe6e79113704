import type { AlertRule } from '@aegis/anomaly-detection/alert-rules'
import { SEVERITIES } from '@aegis/domain'
import { parseDocument } from 'yaml'
import { z } from 'zod'

const CONDITIONS = ['above', 'below', 'rises_per_second', 'falls_per_second', 'absent_seconds'] as const
const text = z.string().min(1, 'must not be empty')
const condition = z
  .strictObject({
    above: z.number().optional(),
    below: z.number().optional(),
    rises_per_second: z.number().optional(),
    falls_per_second: z.number().optional(),
    absent_seconds: z.number().positive().optional(),
  })
  .refine(when => Object.keys(when).length === 1, `must hold exactly one of ${CONDITIONS.join(', ')}`)
const rule = z
  .strictObject({
    name: text,
    metric: text,
    entity: text.optional(),
    labels: z.record(z.string(), z.string()).optional(),
    when: condition,
    for_seconds: z.number().min(0).default(0),
    predict_seconds: z.number().min(60).optional(),
    severity: z.enum(SEVERITIES).default('medium'),
  })
  .refine(r => r.predict_seconds === undefined || 'above' in r.when || 'below' in r.when, {
    path: ['predict_seconds'],
    message: 'needs "when" to be above or below: only a threshold can be seen coming',
  })
const file = z
  .strictObject({ rules: z.array(rule) })
  .refine(({ rules }) => new Set(rules.map(r => r.name)).size === rules.length, {
    path: ['rules'],
    message: 'two rules have the same name',
  })

export interface ReadRules {
  readonly rules: readonly AlertRule[]
  /** What is wrong, a sentence per fault with its place; then there are no rules. */
  readonly faults: readonly string[]
}

/** Reads YAML (and so JSON): `rules:`, a list. An empty file means no rules. */
export function readAlertRules(content: string, source: string): ReadRules {
  const document = parseDocument(content)
  if (document.errors.length > 0)
    return { rules: [], faults: document.errors.map(e => `${source}: ${e.message.split('\n')[0].replace(/:$/, '')}`) }
  const raw = document.toJS() ?? { rules: [] }
  const result = file.safeParse(raw)
  if (result.success) return { rules: result.data.rules as readonly AlertRule[], faults: [] }
  const faults = result.error.issues.map(({ path, message }) => {
    const [, index, ...rest] = path
    const name = typeof index === 'number' ? (raw.rules[index] as { name?: unknown } | null)?.name : undefined
    const where =
      typeof index === 'number'
        ? `rule ${index + 1}${typeof name === 'string' ? ` ("${name}")` : ''}${rest.length > 0 ? `, ${rest.join('.')}` : ''}`
        : path.join('.') || 'the file'
    return `${source}: ${where}: ${message}`
  })
  return { rules: [], faults }
}
