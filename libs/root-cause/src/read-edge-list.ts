/** Who calls whom by a list that somebody wrote. */
import { AegisError, type Edge, entityId } from '@aegis/domain'
import { type DescribedSystem, described } from './described-system.ts'

const KINDS = new Set(['calls', 'runs_on', 'reads', 'writes'])
/** A line an edge: `from to [kind]`, separated by commas, tabs, blanks or an arrow; `#` begins a comment; names without a kind are services. */
export const systemOfList = (text: string): DescribedSystem => {
  const edges: Edge[] = []
  text.split(/\r?\n/).forEach((line, i) => {
    const words = line
      .replace(/(^|\s)#.*$/, '')
      .split(/\s*(?:->|→|,|\s)\s*/)
      .filter(Boolean)
    if (words.length === 0 || (i === 0 && /^(from|source|caller)$/i.test(words[0]))) return
    const [from, to, kind = 'calls'] = words
    if (!to || words.length > 3 || !KINDS.has(kind))
      throw new AegisError(
        'INPUT_INVALID',
        `line ${i + 1}: "${line.trim()}" is no edge; needed is: from to [calls|runs_on|reads|writes]`,
      )
    const whole = (name: string) => (name.includes(':') ? name : entityId('service', name))
    edges.push({ from: whole(from), to: whole(to), kind: kind as Edge['kind'] })
  })
  return described([], edges, [])
}
