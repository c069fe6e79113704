import { compiled } from './compiled.ts'
import { generic } from './generic.ts'
import { infrastructure } from './infrastructure.ts'
import { javascript } from './javascript.ts'
import { jvm } from './jvm.ts'
import { python } from './python.ts'
import type { Rule } from './rule.ts'
import { runners } from './runners.ts'
import { scripting } from './scripting.ts'

/** Every rule, most particular tools first: the first that finds a line says what it is. */
export const RULES: readonly Rule[] = [
  ...jvm,
  ...python,
  ...javascript,
  ...compiled,
  ...scripting,
  ...infrastructure,
  ...runners,
  ...generic,
]
