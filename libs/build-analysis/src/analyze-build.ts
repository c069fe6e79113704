import { type Dependency, findDependency } from './find-dependency.ts'
import { findFiles } from './find-files.ts'
import { type CommandClass, type FailureType, KINDS, type KindName, type Whose } from './kinds.ts'
import { type Mark, markLine } from './mark-lines.ts'
import { type BuildLog, quoteOf, readBuildLog, shapeOf } from './read-build-log.ts'
import { readSteps, type Step, type Structure } from './steps.ts'

/**
 * Why a build failed. The structure of the log comes first (steps and how they ended), then every line is marked by the rules of tools and by words of
 * severity; a line counts as it is named, stands in the failing step, is new against a green run and fits what the step says of its own end.
 */
export interface BuildFailure {
  readonly kind: KindName
  readonly tool: string
  readonly type: FailureType | null
  readonly class: CommandClass
  readonly whose: Whose
  /** 0..1: that the cause lines and the type are right. */
  readonly confidence: number
  /** Line numbers from 1, best first. */
  readonly causeLines: readonly number[]
  readonly quotes: readonly { readonly line: number; readonly text: string }[]
  /** Something failed, and the log does not say why. */
  readonly abstain: boolean
}
export interface BuildAnalysis {
  readonly failures: readonly BuildFailure[]
  /** Lines a person should read, best first. */
  readonly cited: readonly number[]
  /** Chunks that describe the failure, both ends within, best first. */
  readonly ranges: readonly (readonly [number, number])[]
  readonly step?: readonly [number, number]
  readonly command?: string
  readonly dependency?: Dependency
  readonly files: readonly string[]
}

interface Candidate extends Mark {
  readonly line: number
  readonly score: number
  readonly fresh: boolean
}
/** What the end of a tool's run says of the class of what failed: the last such line of the failing step. */
const CLASS_TOLD = (marks: readonly Candidate[]): CommandClass | undefined => {
  for (let i = marks.length - 1; i >= 0; i--) {
    const m = marks[i] as Candidate
    if (m.role === 'consequence' && m.kind !== 'failed' && m.tool !== 'runner') return KINDS[m.kind].class
  }
  return undefined
}

export const analyzeBuild = (text: string, passText?: string): BuildAnalysis => {
  const log = readBuildLog(text)
  const structure = readSteps(log)
  const green = passText === undefined ? undefined : readGreen(passText)
  const marks = score(log, structure, green)
  const nothing: BuildAnalysis = { failures: [], cited: [], ranges: [], files: [] }
  if (!hasFailed(structure, marks, green)) return nothing

  const step = structure.failing
  const within = step ? marks.filter(m => m.line >= step.start && m.line <= step.end) : marks
  const told = CLASS_TOLD(within)
  const ranked = rank(settle(marks, log), told, step)
  const top = ranked[0]
  const inside = !step || !top || (top.line >= step.start && top.line <= step.end)
  const weak = top && (top.role === 'consequence' ? top.score < 0.35 : top.tool === '' && top.score < 0.45)
  if (!top || top.score < 0.22 || (!inside && top.score < 0.5) || (weak && structure.ended === 'failed'))
    return unexplained(log, structure, green, top)
  const ranges = blocks(log, ranked, marks, green)
  const failure = describe(log, ranked, top, told, step, green !== undefined)
  const others = independent(structure, within, marks, top).map(c =>
    describe(
      log,
      [c, ...ranked.filter(m => m.line > c.line && m.kind === c.kind && m.line < c.line + 50)],
      c,
      undefined,
      step,
      green !== undefined,
    ),
  )
  const causeText = causeLinesOf(log, ranked, ranges)
  const dependency = findDependency(log.lines, causeText.all)
  return {
    failures: [failure, ...others],
    cited: ranked.slice(0, 30).map(m => m.line),
    ranges,
    ...(step ? { step: [step.start, step.end] as const, command: step.command } : {}),
    ...(dependency ? { dependency } : {}),
    files: findFiles({ cause: causeText.cause, around: causeText.all }),
  }
}

/** What a green run of the same job wrote, and which of its steps were allowed to fail. */
interface Green {
  readonly shapes: ReadonlySet<string>
  readonly failed: ReadonlySet<string>
}
const readGreen = (text: string): Green => {
  const log = readBuildLog(text)
  return {
    shapes: new Set(log.lines.map(shapeOf)),
    failed: new Set(readSteps(log).steps.flatMap(s => (s.failed ? [s.command] : []))),
  }
}

/** Numbers that only say where or how long: lines that differ by them say the same. Exit codes and statuses stand alone and stay. */
const PLACES = /(?<=[:(,_.\w])\d+|\d{4,}/g

/** Marks with their scores in the light of where they stand; nothing is dropped yet. */
const score = (log: BuildLog, { failing, steps }: Structure, green: Green | undefined): Candidate[] => {
  const out: Candidate[] = []
  const seen = new Map<string, Mark | undefined>()
  const last = steps.length > 0 ? (steps.at(-1) as Step).end : log.lines.length
  for (let i = 0; i < log.lines.length; i++) {
    const text = log.lines[i] as string
    if (text === '') continue
    const key = text.replace(PLACES, '0')
    let mark = seen.get(key)
    if (mark === undefined && !seen.has(key)) {
      mark = markLine(text)
      if (seen.size < 50_000) seen.set(key, mark)
    }
    if (!mark) continue
    const line = i + 1
    let weight = mark.weight
    const fresh = !green?.shapes.has(shapeOf(text))
    // A line that the green run has too did not make this one fail.
    if (!fresh) weight *= mark.role === 'cause' ? 0.15 : 0.5
    else if (green && mark.tool === '') weight *= 1.25
    if (failing) {
      if (line < failing.start) weight *= 0.3
      else if (line > failing.end) weight *= line > last ? 0.1 : 0.35
      else if (mark.tool === '' || mark.kind === 'exception')
        weight *= 0.8 + (0.2 * (line - failing.start)) / Math.max(1, failing.end - failing.start)
    } else if (mark.tool === '' || mark.kind === 'exception') weight *= 0.8 + (0.2 * line) / log.lines.length
    out.push({ ...mark, line, score: weight, fresh })
  }
  return out
}

const hasFailed = (structure: Structure, marks: readonly Candidate[], green: Green | undefined): boolean => {
  if (structure.failing) {
    // A step that fails in a green run too is allowed to.
    if (!green || structure.exited || structure.steps.some(s => s.failed && !green.failed.has(s.command))) return true
    return marks.some(m => m.fresh && m.role === 'cause' && m.score >= 0.5)
  }
  if (structure.ended === 'passed')
    return green !== undefined && marks.some(m => m.fresh && m.role === 'cause' && m.weight >= 0.88)
  if (structure.ended === 'failed') return true
  return marks.some(m => m.role !== 'noise' && m.weight >= 0.35)
}

/** Trouble around a build, which stops it or is lived with. */
const AROUND: ReadonlySet<KindName> = new Set(['access', 'config', 'environment', 'unavailable', 'network', 'external', 'failed'])
/**
 * Trouble around a build counts less where the build went on: it came three times and more, with other work between, or only after tests or compiler
 * had failed. What is retried by itself is apart: the last time may be the end.
 */
const settle = (marks: readonly Candidate[], log: BuildLog): Candidate[] => {
  const times = new Map<string, number>()
  const shape = (m: Candidate) => shapeOf(log.lines[m.line - 1] as string)
  for (const m of marks) if (AROUND.has(m.kind) && !RETRIED_HARD.has(m.kind)) times.set(shape(m), (times.get(shape(m)) ?? 0) + 1)
  const failed =
    marks.find(m => m.role === 'cause' && m.score >= 0.7 && CODE.has(KINDS[m.kind].class))?.line ?? Number.POSITIVE_INFINITY
  const ended = marks.find(m => m.role === 'consequence' && m.tool === 'runner')?.line ?? Number.POSITIVE_INFINITY
  return marks.map(m => {
    if (m.role !== 'cause' || !AROUND.has(m.kind)) return m
    // What is said after a command ended only tells that it did.
    if (m.tool === '' && m.line > ended && m.line - ended < 10) return { ...m, score: m.score * 0.5 }
    const often = (times.get(shape(m)) ?? 0) >= 3 ? 0.6 : 1
    return { ...m, score: m.score * often * (m.line > failed ? 0.6 : 1) }
  })
}
const RETRIED_HARD: ReadonlySet<KindName> = new Set(['network', 'external'])
const CODE: ReadonlySet<CommandClass> = new Set(['test', 'compile', 'style', 'docs', 'policy'])

/** What is tried again by itself: the last time is the one that failed the build. */
const RETRIED: ReadonlySet<KindName> = new Set(['network', 'external', 'image', 'checkout', 'access', 'runner', 'unavailable'])

/** Best first: by score, what fits the class told first, then as they stand; more of the same count less, so that each kind is seen early. */
const rank = (marks: readonly Candidate[], told: CommandClass | undefined, step: Step | undefined): Candidate[] => {
  const lift = (m: Candidate): number => {
    if (m.role === 'consequence') return m.score * 0.9
    if (told === undefined || KINDS[m.kind].class === told) return told === undefined ? m.score : m.score * 1.15
    return m.kind === 'failed' || KINDS[m.kind].class === 'execution' || KINDS[m.kind].class === 'dependency'
      ? m.score * 0.9
      : m.score * 0.8
  }
  const sorted = marks
    .filter(m => m.role !== 'noise' && m.score > 0.05 && (!step || m.score > 0.1))
    .map(m => ({ ...m, score: lift(m) }))
    .sort((a, b) => b.score - a.score || (RETRIED.has(a.kind) && a.kind === b.kind ? b.line - a.line : a.line - b.line))
  const count = new Map<string, number>()
  return sorted
    .slice(0, 3000)
    .map(m => {
      const key = `${m.tool}:${m.kind}:${m.weight}`
      const n = count.get(key) ?? 0
      count.set(key, n + 1)
      return { ...m, score: m.score * (n < 2 ? 1 - 0.05 * n : 0.9 / (1 + n / 12)) }
    })
    .sort((a, b) => b.score - a.score || a.line - b.line)
}

const STACK = /^\s+at \S|^\s+File "|^\s+\.\.\. \d+ more|^\s*Caused by: |^\s*\d+: +\S+|^\s+from \S+:\d+|^\s*#\d+ /
/** Where the output of a tool goes on with something else. */
const PROGRESS =
  /^(?:\[INFO\]|\[info\]|\$ |> |travis_|##|make|npm |yarn |Building |Running |Download|Compiling |PASS|ok\b|\s*[✓✔√]|\d+ (?:passing|pending|examples?|tests?)|Done\b|The command |\s*$)/
/** What stands over the lines of one failure. */
const HEADING = /^Traceback |^_{4,} .* _{4,}$|^\s*(?:FAIL|ERROR): |^\s*\d+\) |^\s*--- FAIL|^\s*● |^=+ FAIL/
/** Chunks around the best lines: a trace, the indented lines under an error, the block up to its heading. */
const blocks = (
  log: BuildLog,
  ranked: readonly Candidate[],
  marks: readonly Candidate[],
  green: Green | undefined,
): [number, number][] => {
  const marked = new Map(marks.map(m => [m.line, m]))
  const taken = new Set<number>()
  const out: [number, number][] = []
  for (const c of ranked.slice(0, 60)) {
    if (taken.has(c.line) || out.length >= 20) continue
    if (out.length > 0 && c.score < 0.4 * (ranked[0] as Candidate).score) break
    const [first, final] = blockOf(log, c, marked, green)
    if (first > final) continue
    out.push([first, final])
    for (let k = first; k <= final; k++) taken.add(k)
  }
  return out
}
const blockOf = (
  log: BuildLog,
  c: Candidate,
  marked: ReadonlyMap<number, Candidate>,
  green: Green | undefined,
): [number, number] => {
  const at = (n: number) => log.lines[n - 1] ?? ''
  let final = c.line
  let blank = 0
  const indent = (n: number) => (at(n).match(/^\s*/) as RegExpMatchArray)[0].length
  for (let n = c.line + 1; n <= Math.min(log.lines.length, c.line + 120); n++) {
    const text = at(n)
    if (text === '') {
      if (++blank > 1) break
      continue
    }
    const mark = marked.get(n)
    if (/^##\[/.test(text) || mark?.tool === 'runner' || (green?.shapes.has(shapeOf(text)) && !STACK.test(text))) break
    const near = n - c.line <= 30 && blank === 0 && mark?.role !== 'consequence' && !PROGRESS.test(text)
    const level = /^\[(?:ERROR|error)\]/
    const same = mark?.role === 'cause' && mark.kind === c.kind && mark.tool === c.tool && blank === 0
    if (
      !(
        STACK.test(text) ||
        indent(n) > indent(c.line) ||
        same ||
        near ||
        (level.test(text) && level.test(at(c.line)) && blank === 0)
      )
    )
      break
    blank = 0
    final = n
  }
  let first = c.line
  if (/^E\s/.test(at(c.line)) || /Error\b|^Failed |_test\.go:|expect/.test(at(c.line)))
    for (let n = c.line - 1; n >= Math.max(1, c.line - 40); n--) {
      if (HEADING.test(at(n))) {
        first = n
        break
      }
      if (/^##\[/.test(at(n))) break
    }
  return [first, final]
}

/** A failure that says nothing of itself: the last words of the step, and no claim. */
const unexplained = (
  log: BuildLog,
  { failing }: Structure,
  green: Green | undefined,
  top: Candidate | undefined,
): BuildAnalysis => {
  const from = failing?.start ?? Math.max(1, log.lines.length - 200)
  const to = failing?.verdict ?? failing?.end ?? log.lines.length
  const words: number[] = []
  for (let n = to - 1; n >= from && words.length < 12; n--) {
    const text = log.lines[n - 1] as string
    if (
      text.trim().length < 4 ||
      /^##\[|^travis_|^shell: |^env:|^\s+\w+: \S*$|^\$ /.test(text) ||
      green?.shapes.has(shapeOf(text))
    )
      continue
    words.push(n)
  }
  const cited =
    words.length > 0
      ? [...new Set([...(top && words.includes(top.line) ? [top.line] : []), ...words])]
      : top
        ? [top.line]
        : [Math.min(to, log.lines.length)]
  const silent = words.length === 0
  return {
    failures: [
      {
        kind: 'failed',
        tool: '',
        type: silent ? null : 'code_defect',
        class: 'other',
        whose: 'change',
        confidence: silent ? 0.15 : 0.45,
        abstain: silent,
        causeLines: cited.slice(0, 10),
        quotes: cited
          .slice(0, 3)
          .map(line => ({ line, text: quoteOf(log, line) }))
          .filter(q => q.text !== ''),
      },
    ],
    cited,
    ranges: words.length > 0 ? [[Math.min(...words), Math.max(...words)]] : [[cited[0] as number, cited[0] as number]],
    ...(failing ? { step: [failing.start, failing.end] as const, command: failing.command } : {}),
    files: [],
  }
}

const describe = (
  log: BuildLog,
  ranked: readonly Candidate[],
  top: Candidate,
  told: CommandClass | undefined,
  step: Step | undefined,
  twin: boolean,
): BuildFailure => {
  const name: KindName = top.kind === 'compile' && told === 'style' ? 'lint' : top.kind
  const kind = KINDS[name]
  const causeLines = [...new Set([top.line, ...ranked.slice(0, 12).map(m => m.line)])].slice(0, 10)
  return {
    kind: name,
    tool: top.tool,
    type: kind.type,
    class: classOf(top, told, step),
    whose: kind.whose,
    confidence: confidenceOf(top, ranked, told, twin),
    causeLines,
    quotes: causeLines
      .slice(0, 3)
      .map(line => ({ line, text: quoteOf(log, line) }))
      .filter(q => q.text !== ''),
    abstain: false,
  }
}

/** The class a command has by its words, where nothing in its output tells. */
const COMMANDS: readonly (readonly [RegExp, CommandClass])[] = [
  [
    /\b(?:lint|eslint|ruff|flake8|black|prettier|format|fmt|style|clippy|checkstyle|rubocop|pylint|stylelint|pre-commit|isort)\b/i,
    'style',
  ],
  [/\b(?:test|tests|pytest|tox|jest|vitest|mocha|rspec|phpunit|ctest|check|e2e|nosetests|verify)\b/i, 'test'],
  [/\b(?:docs?|sphinx|mkdocs|javadoc)\b/i, 'docs'],
  [/\b(?:install|npm ci|pip|bundle|composer|restore|go mod)\b/i, 'dependency'],
  [/\b(?:build|compile|make|tsc|cargo|assemble|webpack)\b/i, 'compile'],
  [/\b(?:checkout|clone|fetch)\b/i, 'checkout'],
]
const classOf = (top: Candidate, told: CommandClass | undefined, step: Step | undefined): CommandClass => {
  const own = KINDS[top.kind].class
  if (top.kind === 'warning' || (top.kind === 'compile' && told === 'test')) return own
  if (told) return told
  if (top.kind !== 'failed' && top.kind !== 'exception') return own
  return COMMANDS.find(([pattern]) => step && pattern.test(step.command))?.[1] ?? own
}

/** Logistic over few general signs; constants set by hand: a named cause alone and in its step is right about four times in five. */
const confidenceOf = (top: Candidate, ranked: readonly Candidate[], told: CommandClass | undefined, twin: boolean): number => {
  const named = top.tool !== '' && top.role === 'cause' ? 1 : 0
  const agrees = told !== undefined && KINDS[top.kind].class === told ? 1 : 0
  const rival = ranked.find(m => m.kind !== top.kind && m.role === 'cause')
  const margin = Math.min(0.5, top.score - (rival?.score ?? 0))
  const z = -0.7 + 1.9 * top.score + 0.6 * named + 0.6 * agrees + 1.2 * margin + (twin && top.fresh ? 0.2 : 0)
  return Math.round(100 / (1 + Math.exp(-z))) / 100
}

/** Failures of their own: in other failed steps, or of another class that the step itself says has failed too; each by a cause as sure as the first. */
const independent = (
  { steps, failing }: Structure,
  within: readonly Candidate[],
  marks: readonly Candidate[],
  top: Candidate,
): Candidate[] => {
  const out: Candidate[] = []
  const add = (from: readonly Candidate[], floor: number) => {
    const [best] = from.filter(m => m.role === 'cause' && m.fresh).sort((a, b) => b.weight - a.weight || a.line - b.line)
    if (best && best.weight >= floor && best.kind !== top.kind && !out.some(o => o.kind === best.kind)) out.push(best)
  }
  const classes = new Set(within.filter(m => m.role === 'consequence' && m.kind !== 'failed').map(m => KINDS[m.kind].class))
  for (const c of classes)
    if (CODE.has(c) && CODE.has(KINDS[top.kind].class) && c !== KINDS[top.kind].class)
      add(
        within.filter(m => KINDS[m.kind].class === c),
        0.75,
      )
  for (const step of steps) {
    if (!step.failed || step === failing || (failing && step.start >= failing.start && step.end <= failing.end)) continue
    add(
      marks.filter(m => m.line >= step.start && m.line <= step.end),
      0.7,
    )
  }
  return out.slice(0, 4)
}

const causeLinesOf = (log: BuildLog, ranked: readonly Candidate[], ranges: readonly (readonly [number, number])[]) => ({
  cause: ranked.slice(0, 12).map(m => log.lines[m.line - 1] as string),
  all: ranges.slice(0, 12).flatMap(([a, b]) => log.lines.slice(a - 1, Math.min(b, a + 80))),
})
