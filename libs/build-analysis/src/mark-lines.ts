import { KINDS, type KindName } from './kinds.ts'
import { RULES } from './rules/all.ts'
import type { Role, Rule } from './rules/rule.ts'

/**
 * Reads lines one by one: what kind of trouble each states, and how surely. A rule of a tool where one finds the line; else words of severity in
 * their context, so that a tool nobody here has heard of is read too.
 */
export interface Mark {
  readonly role: Role
  readonly kind: KindName
  readonly tool: string
  readonly weight: number
}

/** Words and signs without which no line is looked at closer: nine of ten lines of a log are done with here. */
const SIGNAL =
  /err|fail|fatal|exception|panic|abort|assert|cannot|can't|could not|couldn't|unable|invalid|illegal|denied|refus|forbid|unauthor|doesn't|isn't|no module|not supplied|not found|not ok|missing|no such|no match|no solution|not (?:up to date|exist|match|match|set|valid|supported|recognized|clean|reached|defined|met)|undefined|unresolved|unexpected|expect|incompat|conflict|mismatch|timed? ?out|timeout|exceed|kill|out of|crash|race|leak|overflow|segmentation|core dumped|violation|vulnerab|CVE-|GHSA|PYSEC|expired|E\s{2,}|^\s*\d+[:)]|●|[✕✗×✖✘]|npm |would reformat|warn|--- |^FAIL|__|dependency|requir|lock|SIG[A-Z]{3}|cancel|rejected|unhealthy|BackOff|toomany|rate limit|too many|too long|shutdown|lost|terminat|returned|exit|severity|please|must|diff|hook|fixing|reformatted|unbound|unknown|usage|duplicate|unsatisf|unused|dirty|maximum|interrupt|Lint|TS\d{4}|MD\d{3}|warning|[A-Z]{1,4}\d{2,4}\b|[45]\d\d\b|Because|found|Issue|Problem|rspec|[.]\w+[:(]\d+|Error|space|memory|heap|corrupt|stopped|specified|deployment|changed|allowed|below|minimum|regress|licen[cs]e|waiting for|reset|wrong|bad |broken|unsafe|dubious/i

/** A word that says something went wrong. */
const SEVERE =
  /\b(?:error|errors|fatal|failed|failure|failures|fail|exception|panic|panicked|abort(?:ed)?|critical|cannot|can't|could not|unable to|invalid|denied|refused|not found|no such|undefined|unexpected|mismatch|traceback|violation)\b/i
/** Where such a word says nothing: counted as none, a name of a file or option, spoken of and passed, handled. */
const HARMLESS =
  /\b(?:no|0|zero|without|ignor\w+|non-?fatal|not an?|passed|succeeded|expected|retry\w*|will be|skipp\w+) (?:\w+ )?(?:errors?|failures?|failed|fails?|warnings?|exceptions?)\b|\b(?:errors?|failed|failures?|warnings?|vulnerabilities|aborted)["']?\s*[:=]\s*["']?(?:0\b|false|null|none|\[\]|no\b)|\b0 (?:failed|failing|fail|errors?)\b|[\w./-]*(?:errors?|exceptions?|fail(?:ed|ure)?s?)[\w-]*\.(?:js|ts|py|go|rs|rb|java|kt|php|h|hpp|c|cc|cpp|o|md|rst|html|json|class|map|css|so|a|txt|pyc|d\.ts)\b(?!:\d)|--[\w-]*(?:error|fail)\w*|-Werror|-Wno-error|if-no-files-found|error(?:_|-)(?:handler|reporting|log|page|prone)|fail-fast|continue-on-error|on(?:_|-)?(?:failure|error)|set -[a-z]*e|(?:error|exception)s?[- ]handling|\(ignored\)|\|\| true|allow(?:ed)? to fail|xfail/i
const PASSED =
  /^\s*(?:✓|✔|√|ok \d+|PASS(?:ED)?\b|\[\s+OK\s+\]|\[ {2}PASSED|test .* \.\.\. ok$|--- PASS|\S+ PASSED|Download(?:ing|ed)\b|Collecting |Installing |Compiling |Copying |copying |creating |Unpacking |Selecting |Setting up |Get:\d|Hit:\d|adding |Fetching |Receiving objects|remote: C|byte-compiling |inflating: |extracting: |\+ |\$ |> [\w@/.:-]+ [\w-]+$|shell: |env:|with:|> Task \S+$)|\b(?:PASSED|\.\.\. ok|SUCCESS)$|^\[(?:INFO|DEBUG|debug|info)\]|^\S+ (?:INFO|DEBUG|TRACE)\b/

/** Work beside the build, whose failing seldom fails it: reports, metrics and caches sent away. */
const EXTRA = /\b(?:upload\w*|telemetry|metrics?|analytics|coveralls|codecov|cache|badge|notif\w+|slack)\b/i

/**
 * Plain pieces of which every match of a pattern must hold one, or nothing where none is sure: looking for them is ten times faster than the pattern.
 * Reads the forms that rules are written in: alternatives, groups, classes, quantifiers; what else there is only makes pieces shorter.
 */
export const literalsOf = (source: string): readonly string[] | undefined => {
  const found = alternatives(source).map(piecesOf)
  return found.every(f => f !== undefined) ? found.flat() : undefined
}
/** Splits at the "|" of the outermost level. */
const alternatives = (source: string): string[] => {
  const out = ['']
  let depth = 0
  for (let i = 0; i < source.length; i++) {
    let token = source[i] as string
    if (token === '\\') token += source[++i] ?? ''
    else if (token === '[')
      while (source[i] !== ']') token += source[i + 1] === '\\' ? `${source[++i]}${source[++i]}` : (source[++i] ?? ']')
    else if (token === '(') depth++
    else if (token === ')') depth--
    if (token === '|' && depth === 0) out.push('')
    else out[out.length - 1] += token
  }
  return out
}
const piecesOf = (source: string): readonly string[] | undefined => {
  let best: readonly string[] | undefined
  let now = ''
  const take = (pieces: readonly string[] | undefined) => {
    const short = (p: readonly string[]) => Math.min(...p.map(x => x.length))
    if (pieces && short(pieces) >= 3 && (!best || short(pieces) > short(best))) best = pieces
  }
  const end = () => {
    take([now])
    now = ''
  }
  for (let i = 0; i < source.length; i++) {
    const c = source[i] as string
    if (c === '\\') {
      const next = source[++i] as string
      if (/[a-zA-Z0-9]/.test(next)) end()
      else now += next
    } else if (c === '[') {
      while (source[i] !== ']') i += source[i] === '\\' ? 2 : 1
      end()
    } else if (c === '(') {
      end()
      const from = i
      for (let depth = 0; i < source.length; i++) {
        if (source[i] === '\\') i++
        else if (source[i] === '[') while (source[i] !== ']') i += source[i] === '\\' ? 2 : 1
        else if (source[i] === '(') depth++
        else if (source[i] === ')' && --depth === 0) break
      }
      const inner = source.slice(from + 1, i)
      if (!/^\?[!<=]/.test(inner) && !'?*{'.includes(source[i + 1] ?? ' ')) take(literalsOf(inner.replace(/^\?:/, '')))
    } else if ('?*{'.includes(c)) {
      now = now.slice(0, -1)
      end()
      if (c === '{') while (source[i] !== '}') i++
    } else if ('+.^$'.includes(c)) end()
    else now += c
  }
  end()
  return best
}
/** Three letters as a number; letters beyond ASCII fold onto others, which only makes a rule tried in vain. */
const gramAt = (text: string, i: number): number =>
  ((text.charCodeAt(i) & 127) << 14) | ((text.charCodeAt(i + 1) & 127) << 7) | (text.charCodeAt(i + 2) & 127)
/** Rules by the first three letters, in lower case, of the pieces they need; rules that need none are always tried. */
const BY_GRAM = new Map<number, number[]>()
const ALWAYS: number[] = []
const KNOWN_GRAM = new Uint8Array(1 << 21)
for (const [index, { pattern }] of RULES.entries()) {
  const pieces = literalsOf(pattern.source)
  if (!pieces) ALWAYS.push(index)
  for (const gram of new Set((pieces ?? []).map(piece => gramAt(piece.toLowerCase(), 0)))) {
    KNOWN_GRAM[gram] = 1
    BY_GRAM.set(gram, [...(BY_GRAM.get(gram) ?? []), index])
  }
}

/** Words before a line that its tool did not write: `##[error]`, `error:` of an annotation, Maven's level. Rules are tried without it too. */
const ANNOTATION = /^(?:##\[(?:error|warning)\]|::error[^:]*::|\[(?:ERROR|error|FAIL|INFO|WARNING)\]\s+)(?:Error:? )?/

const byRule = (text: string): Rule | undefined => {
  const lower = text.toLowerCase()
  const tried = new Set(ALWAYS)
  for (let i = 0; i < lower.length - 2; i++) {
    const gram = gramAt(lower, i)
    if (KNOWN_GRAM[gram] === 1) for (const index of BY_GRAM.get(gram) as number[]) tried.add(index)
  }
  for (const index of [...tried].sort((a, b) => a - b)) {
    const rule = RULES[index] as Rule
    if (rule.pattern.test(text)) return rule
  }
  return undefined
}

/** What one line says by itself; nothing where it says nothing of a failure. */
export const markLine = (line: string): Mark | undefined => {
  if (line === '' || !SIGNAL.test(line)) return undefined
  const text = line.length > 600 ? line.slice(0, 600) : line
  if (text.startsWith('##[debug]') || text.startsWith('##[group]') || /^(?:##)?\[command\]/.test(text)) return undefined
  let rule = byRule(text)
  const annotated = ANNOTATION.exec(text)
  if (annotated && (!rule || rule.kind === 'failed')) rule = byRule(text.slice(annotated[0].length)) ?? rule
  if (rule) {
    if (rule.role === 'noise') return { role: 'noise', kind: rule.kind, tool: rule.tool, weight: 0 }
    const level =
      /^\[(?:INFO|DEBUG)\]/.test(text) && rule.role === 'cause' && rule.tool !== 'sbt' && rule.tool !== 'maven' ? 0.4 : 1
    const warned =
      /^(?:\[?warn(?:ing)?\]?[: ]|##\[warning\])/i.test(text) &&
      !['policy', 'licence', 'expired', 'lint', 'api'].includes(rule.kind)
        ? 0.5
        : 1
    const passed = PASSED.test(text) && rule.tool !== 'sbt' && !annotated ? 0.3 : 1
    const extra = rule.role === 'cause' && EXTRA.test(text) ? 0.5 : 1
    const weight =
      extra * (rule.weight ?? (rule.role === 'consequence' ? 0.25 : KINDS[rule.kind].weight)) * level * warned * passed
    return { role: rule.role, kind: rule.kind, tool: rule.tool, weight }
  }
  if (text.startsWith('##[error]')) return { role: 'cause', kind: 'failed', tool: '', weight: 0.7 }
  if (PASSED.test(text) || !SEVERE.test(text) || HARMLESS.test(text)) return undefined
  if (/\bwarn(?:ing)?\b/i.test(text.slice(0, 40))) return { role: 'cause', kind: 'failed', tool: '', weight: 0.15 }
  const loud = /^\s*(?:\S+:\s*)?(?:error|fatal|failed|failure|ERROR|FATAL|FAILED)\b/i.test(text)
  return { role: 'cause', kind: 'failed', tool: '', weight: loud ? 0.55 : 0.35 }
}
