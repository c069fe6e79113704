/**
 * Commands that change what runs, found in what people wrote: a shell history, or the text of a ticket.
 *
 * In prose only what is set apart as code is looked at: blocks (``` ~~~ {code} {noformat} <pre>), inline code (`x`, {{x}}, <code>), and lines that
 * begin with a prompt. What the words around it say of it goes along: that it helped, that it did not, or that it was advised and not done.
 */

/** Options of a program that may stand before its verb. */
const OPTIONS = '(?:\\s+-[\\w-]+(?:=\\S+|\\s+(?!-)\\S+)?)*?'
const PROGRAMS = [
  `kubectl${OPTIONS}\\s+(?:rollout${OPTIONS}\\s+(?:restart|undo|pause|resume)|scale|autoscale|delete|apply|create|replace|patch|set|label|annotate|taint|edit|drain|cordon|uncordon)`,
  `systemctl${OPTIONS}\\s+(?:(?:re)?start|stop|(?:force-)?reload(?:-or-restart)?|kill)`,
  'service\\s+\\S+\\s+(?:(?:re)?start|stop|reload)',
  `(?:docker|podman)${OPTIONS}\\s+(?:(?:container|service|compose)${OPTIONS}\\s+)?(?:(?:re)?start|stop|kill|update|scale|rollback|up|down|rm|system\\s+prune)`,
  `docker-compose${OPTIONS}\\s+(?:(?:re)?start|stop|kill|up|down|scale)`,
  `helm${OPTIONS}\\s+(?:rollback|upgrade|uninstall)`,
  `(?:supervisorctl|pm2)${OPTIONS}\\s+(?:(?:re)?start|stop|reload|scale)`,
  `argocd${OPTIONS}\\s+app\\s+(?:sync|rollback)`,
  `nomad${OPTIONS}\\s+job\\s+(?:run|revert|scale|restart|stop)`,
  'aws\\s+ecs\\s+update-service',
  `terraform${OPTIONS}\\s+(?:apply|destroy)`,
  'ansible-playbook',
]
const CHANGES = new RegExp(`^(?:sudo\\s+(?:-\\S+\\s+)*)?(?:\\w+=\\S+\\s+)*(?:${PROGRAMS.join('|')})(?=\\s|$)`)
/** Asked, not done. */
const TRIED_DRY = /\s--(?:dry-run(?!=none)|check|help)\b/
const PROMPT = /^(?:\[?[\w.-]+@[\w.-]+[^$#%>]{0,80}[$#%]|PS [A-Z]:[^>]{0,80}>|[$%#>])\s+/

export const changes = (command: string): boolean => CHANGES.test(command) && !TRIED_DRY.test(command)

export interface HistoryEntry {
  readonly command: string
  /** Microseconds since the epoch, where the history says when. */
  readonly time?: number
}

/** Commands of a history that change what runs, in order, each once; stamps of zsh (": 1700000000:0;") and bash ("#1700000000") are read. */
export function changesInHistory(history: string): HistoryEntry[] {
  const found = new Map<string, HistoryEntry>()
  let stamp: number | undefined
  for (const raw of history.split('\n')) {
    const bash = /^#(\d{9,11})$/.exec(raw.trim())
    if (bash) {
      stamp = Number(bash[1]) * 1e6
      continue
    }
    const zsh = /^: (\d{9,11}):\d+;/.exec(raw)
    const command = raw.slice(zsh?.[0].length ?? 0).trim()
    const time = zsh ? Number(zsh[1]) * 1e6 : stamp
    stamp = undefined
    if (changes(command) && !found.has(command)) found.set(command, { command, ...(time !== undefined && { time }) })
  }
  return [...found.values()]
}

export type Said = 'helped' | 'did not help' | 'not done' | undefined
/** Commands written together: one block, or one stretch of inline code. */
export interface Step {
  readonly commands: readonly string[]
  /** What the words around them say; undefined where they say nothing. */
  readonly said: Said
}

// Every stretch is bounded or ends at the first that fits: the work is linear in the length of the text.
const BLOCKS = [
  /^[ \t>]{0,8}(```|~~~)[^\n]{0,200}\n([\s\S]*?)(?:^[ \t>]{0,8}\1|(?![\s\S]))/gm,
  /(\{code(?::[^}\n]{0,200})?\}|\{noformat(?::[^}\n]{0,200})?\})([\s\S]*?)(?:\{code\}|\{noformat\}|$)/g,
  /(<pre[^>]{0,200}>)([\s\S]*?)(?:<\/pre>|$)/gi,
]
const INLINE = [/(`)([^`\n]{3,1000})`/g, /(\{\{)([^}\n]{3,1000})\}\}/g, /(<code>)([^<\n]{3,1000})<\/code>/gi]

const FAILED =
  /\b(?:did|does|has|had)(?:\s+not|n['’]?t)\s+(?:help|work|fix|solve|change|bring|make)|\bno\s+(?:effect|change|improvement|difference|luck|success)\b|\bto\s+no\s+avail\b|\bwithout\s+(?:any\s+)?(?:effect|success)\b|\bstill\s+(?:fail\w*|broken|down|crash\w*|unhealthy|slow|erroring|degraded|seeing|the\s+same|happening|not)\b|\bmade\s+(?:it|things)\s+worse\b|\bin\s+vain\b|\bunsuccessful/i
const WORKED =
  /\b(?:fixed|resolved|solved|recovered|mitigated|healthy\s+again|back\s+to\s+normal|works?\s+again|(?:that|this|which)\s+(?:helped|worked|did\s+it))\b/i
const NOT_DONE =
  /\b(?:do\s+not|don['’]?t|never|must\s+not|avoid|instead\s+of|rather\s+than|should|could|would|can\s+we|planned|plan\s+to|next\s+time|to\s+reproduce|reproduced?\s+(?:by|with)|repro\s+steps)\b/i

/** Steps of a text in order. */
export function stepsIn(text: string): Step[] {
  const found: { from: number; to: number; commands: string[] }[] = []
  const taken = new Uint8Array(text.length)
  const take = (from: number, to: number, inner: string) => {
    if (taken.subarray(from, to).includes(1)) return
    taken.fill(1, from, to)
    found.push({ from, to, commands: commandsOf(inner) })
  }
  for (const pattern of [...BLOCKS, ...INLINE])
    for (const m of text.matchAll(pattern)) take(m.index, m.index + m[0].length, unescaped(m[2]))
  let at = 0
  for (const line of text.split('\n')) {
    if (PROMPT.test(line.trimStart())) take(at, at + line.length, line)
    at += line.length + 1
  }
  const steps = found.filter(f => f.commands.length > 0).sort((a, b) => a.from - b.from)
  return steps.map((step, i) => ({
    commands: step.commands,
    said: verdictOf(
      text.slice(i > 0 ? steps[i - 1].to : 0, step.from),
      text.slice(step.to, Math.min(step.to + 240, steps[i + 1]?.from ?? text.length)),
    ),
  }))
}

/** `before`: since the command before; `after`: up to the next one. */
function verdictOf(before: string, after: string): Said {
  // What leads up to it: its own line and the one above, which may be a heading.
  const lead = before.split('\n').filter(Boolean).slice(-2).join('\n').slice(-160)
  // A sentence that ends before the command is about something else.
  const own = /[^.!?\n]*$/.exec(lead)?.[0] ?? ''
  if (NOT_DONE.test(own) || /reproduc|repro steps|next time/i.test(lead)) return 'not done'
  if (FAILED.test(after)) return 'did not help'
  return WORKED.test(after) || /\b(?:fixed|resolved|solved|mitigated)\s+(?:by|with)\b/i.test(lead) ? 'helped' : undefined
}

/** Command lines of a piece of code: prompts off, continued lines joined, chains taken apart. */
function commandsOf(code: string): string[] {
  return code
    .replace(/\\\r?\n\s*/g, ' ')
    .split('\n')
    .flatMap(line =>
      line
        .trim()
        .replace(PROMPT, '')
        .split(/\s*(?:&&|;)\s*/),
    )
    .map(command => command.replace(/\s+#\s.*$/, '').trim())
    .filter(changes)
}

const unescaped = (text: string): string =>
  text
    .replace(/<br\s*\/?>/gi, '\n')
    .replace(/<\/?\w[^>]{0,200}>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&')
