/** What a change to code shows without its message, as named numbers; training and serving use the same code. */
import type { CodeChange, EarlierChange } from './code-change.ts'
import { INTENTS, type Intent, intentsOf } from './intent.ts'
import { editDistance, isComment, type LinePair, type Patch, readPatch, uncommented, wordsOf } from './read-patch.ts'

const log = (x: number): number => Math.log1p(Math.max(0, x))
const hit = (pattern: RegExp, lines: readonly string[]): number => lines.reduce((n, line) => n + (pattern.test(line) ? 1 : 0), 0)

/** What a line is about. */
const TOPICS: Readonly<Record<string, RegExp>> = {
  version: /\bversion\b|\bref=|\btag:|\bsha1?\b|\bsha256\b|@v?\d+\.\d+|:\s*"?v?\d+\.\d+\.\d+/i,
  digest: /\b[0-9a-f]{32,64}\b/,
  debug: /debug|verbose|trace|log_?level|\bset -x\b|\becho\b|println?\b|output "/i,
  capacity:
    /instance_(?:type|class|count)|node_type|replicas?\b|(?:min|max|desired)_?(?:size|capacity|count)|capacity|memory|\bcpu\b|heap|_size\b|iops|throughput|allocated_storage|volume|workers?\b|connections\b|concurrency|limits?:|requests:/i,
  timing: /timeout|interval|period|retries|threshold|schedule|cron|delay|retention|ttl/i,
  network: /cidr|ingress|egress|security_group|\bport\b|subnet|route|firewall|\b\d{1,3}(?:\.\d{1,3}){3}\b|\bdns\b|\bzone\b/i,
  address: /\b\d{1,3}(?:\.\d{1,3}){3}(?:\/\d+)?\b/,
  open: /0\.0\.0\.0\/0|::\/0|"\*"|'\*'/,
  access:
    /\biam\b|policy|principal|\brole\b|"Action"|actions?\s*=|sts:|permission|assume|grant|\busers?\b|username|collaborat|github_slug|members?\b/i,
  secret: /secret|password|token|credential|\bkey\b|kms|certificate|\btls\b|\bssl\b|encrypt/i,
  security:
    /\bcve\b|vulnerab|\bwaf\b|block|deny|ban\b|blacklist|cipher|protocols?\b|stemcell|rootfs|patch|hardening|unattended|kernel|openssl|guardduty|mfa/i,
  scanner:
    /(?:checkov|tfsec|trivy|tflint|kics|snyk|semgrep|nosec|hadolint|kube-?linter)[: ]*(?:skip|ignore|disable)?|ignore:AVD/i,
  ignore:
    /ignore_changes|lifecycle|prevent_destroy|skip_|ignore|exempt|exclude|whitelist|allow_?list|suppress|exception|waive|\bskip:/i,
  off: /\bfalse\b|enabled?\s*[:=]\s*(?:false|0)|disable|count\s*=\s*0|absent|\boff\b|suspend/i,
  on: /\btrue\b|enabled?\s*[:=]\s*(?:true|1)|\bpresent\b/i,
  pin: /\bpin\b|==\s*\d|=\s*"=\s*\d|lock/i,
  temporary: /temp(?:orar|\b)|todo|fixme|hack|workaround|until|remove (?:this|when|after|once)|revert|for now/i,
  alerting: /alarm|alert|nagios|monitor|dashboard|pagerduty|sentry|metric|datadog|prometheus|slack/i,
  resource: /^\s*(?:resource|module|data|variable|output|locals|provider)\b|^\s*kind:|^\s*class\b|^\s*define\b/,
  moved: /^\s*(?:import|moved|removed)\s*\{|state (?:mv|rm)/,
  condition: /count\s*=|for_each|\bif\b|\?\s*\w|\bunless\b|terraform\.workspace|environment\s*==/i,
  reference: /\b(?:var|local|module|data|aws_\w+)\.\w+|\$\{|\{\{/,
  docs: /^\s*\||^\s*#+ |last_reviewed_on|review_in/i,
}
const TOPIC_NAMES = Object.keys(TOPICS)
const PATHS: Readonly<Record<string, RegExp>> = {
  production: /prod|live\b/i,
  nonproduction: /stag|\btest|dev|integration|sandbox|preprod|\bqa\b|\bci\b/i,
  security: /secur|iam|waf|firewall|polic|auth|users?\b|access/i,
  network: /network|vpc|dns|route|lb\b|nginx|proxy|ingress/i,
  data: /rds|redis|postgres|mysql|elasticsearch|mongo|s3|bucket|db\b|database|sql/i,
  compute: /ec2|ecs|eks|asg|instance|lambda|node|cluster/i,
  pipeline: /pipeline|workflow|\.github|concourse|jenkins|ci\/|deploy/i,
  version: /version|release|stemcell|package|requirements|lock|\.tool|providers?\.tf|Chart/i,
  monitoring: /monitor|alarm|alert|nagios|grafana|dashboard|prometheus/i,
  docs: /\.md|readme|docs?\//i,
  ignore: /ignore|exempt|allow|skip|suppress/i,
  generated: /lock|generated|\.json$/i,
}
const EXTENSIONS = [
  'tf',
  'tfvars',
  'yaml',
  'yml',
  'json',
  'pp',
  'rb',
  'sh',
  'erb',
  'tpl',
  'md',
  'py',
  'hcl',
  'ps1',
  'groovy',
  'toml',
]

const VERSION = /v?\d+(?:\.\d+)+(?:[-.]\w+)*/g
const numbersIn = (line: string): number[] => (line.match(/(?<![\w.])\d+(?:\.\d+)?(?![\w.])/g) ?? []).map(Number)
const compareVersions = (a: string, b: string): number => {
  const [x, y] = [a.match(/\d+/g)?.map(Number) ?? [], b.match(/\d+/g)?.map(Number) ?? []]
  for (let i = 0; i < Math.max(x.length, y.length); i++) if ((x[i] ?? 0) !== (y[i] ?? 0)) return (y[i] ?? 0) - (x[i] ?? 0)
  return 0
}

/** How a line was changed. */
const EDITS = [
  'versionUp',
  'versionDown',
  'digest',
  'numberUp',
  'numberDown',
  'numberRatio',
  'toTrue',
  'toFalse',
  'small',
  'space',
  'quotes',
  'letterCase',
  'commentedOut',
  'uncommented',
  'inserted',
  'shortened',
  'referenceIn',
  'referenceOut',
  'keyChanged',
  'valueChanged',
  'commentOnly',
  'wholly',
] as const
type Edit = (typeof EDITS)[number]

function editsOf({ before, after }: LinePair): Partial<Record<Edit, number>> {
  const [b, a] = [before.trim(), after.trim()]
  if (b === a) return { space: 1 }
  const out: Partial<Record<Edit, number>> = {}
  if (isComment(a) && !isComment(b) && uncommented(a) === b) return { commentedOut: 1 }
  if (isComment(b) && !isComment(a) && uncommented(b) === a) return { uncommented: 1 }
  if (isComment(a) && isComment(b)) out.commentOnly = 1
  const [va, vb] = [a.match(VERSION) ?? [], b.match(VERSION) ?? []]
  if (va.length > 0 && va.length === vb.length) {
    const order = va.map((v, i) => compareVersions(vb[i], v)).find(x => x !== 0)
    if (order !== undefined) out[order > 0 ? 'versionUp' : 'versionDown'] = 1
  }
  if (/[0-9a-f]{32,64}/.test(a) && /[0-9a-f]{32,64}/.test(b)) out.digest = 1
  const [na, nb] = [numbersIn(a), numbersIn(b)]
  if (na.length > 0 && na.length === nb.length && !out.versionUp && !out.versionDown) {
    const i = na.findIndex((x, j) => x !== nb[j])
    if (i >= 0) {
      out[na[i] > nb[i] ? 'numberUp' : 'numberDown'] = 1
      out.numberRatio = Math.max(-4, Math.min(4, Math.log2((na[i] + 1) / (nb[i] + 1))))
    }
  }
  if (/\bfalse\b/i.test(b) && /\btrue\b/i.test(a)) out.toTrue = 1
  if (/\btrue\b/i.test(b) && /\bfalse\b/i.test(a)) out.toFalse = 1
  const distance = editDistance(b, a, 3)
  if (distance <= 3) out.small = 1
  if (a.replace(/["'`,;]/g, '') === b.replace(/["'`,;]/g, '')) out.quotes = 1
  if (a.toLowerCase() === b.toLowerCase()) out.letterCase = 1
  if (a.length > b.length && (a.includes(b) || (a.startsWith(b.slice(0, -1)) && a.endsWith(b.slice(-1))))) out.inserted = 1
  if (b.length > a.length && (b.includes(a) || (b.startsWith(a.slice(0, -1)) && b.endsWith(a.slice(-1))))) out.shortened = 1
  const refers = (s: string) => TOPICS.reference.test(s)
  if (refers(a) && !refers(b)) out.referenceIn = 1
  if (refers(b) && !refers(a)) out.referenceOut = 1
  const [ka, kb] = [keyOfLine(a), keyOfLine(b)]
  if (ka && kb) out[ka === kb ? 'valueChanged' : 'keyChanged'] = 1
  if (distance > 3 && ka !== kb) out.wholly = 1
  return out
}
const keyOfLine = (line: string): string | undefined => /^[-#\s"']*([\w.:/-]+)["']?\s*(?:=>|[=:])/.exec(line)?.[1]

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
/** How strongly recent earlier changes speak of each intent: 1 for one just made, half an hour counts half for the author's own. */
function spoken(list: readonly EarlierChange[], keep: (e: EarlierChange) => boolean, halfLife: number): Record<Intent, number> {
  const out = Object.fromEntries(Object.keys(INTENTS).map(k => [k, 0])) as Record<Intent, number>
  for (const e of list)
    if (keep(e)) for (const [k, v] of Object.entries(intentsOf(e.subject))) out[k as Intent] += v * 0.5 ** (e.ageHours / halfLife)
  return out
}

export interface ChangeReading {
  readonly patch: Patch
  readonly values: Readonly<Record<string, number>>
}

export function readChange(change: CodeChange): ChangeReading {
  const patch = readPatch(change.patch)
  const { added, removed, pairs } = patch
  const v: Record<string, number> = {}
  const total = Math.max(1, added.length + removed.length)
  v.files = log(change.files.length)
  v.added = log(sum(change.files.map(f => f.added)))
  v.removed = log(sum(change.files.map(f => f.removed)))
  v.balance = (added.length - removed.length) / total
  v.onlyAdded = removed.length === 0 ? 1 : 0
  v.onlyRemoved = added.length === 0 ? 1 : 0
  v.oneLine = added.length <= 1 && removed.length <= 1 ? 1 : 0
  v.pairShare = (2 * pairs.length) / total
  v.newFiles = log(patch.newFiles)
  v.deletedFiles = log(patch.deletedFiles)
  v.renamedFiles = log(patch.renamedFiles)
  v.directories = log(new Set(change.files.map(f => f.path.split('/').slice(0, -1).join('/'))).size)
  v.sameName = change.files.length > 1 && new Set(change.files.map(f => f.path.split('/').at(-1))).size === 1 ? 1 : 0
  v.commentAdded = hit(/./, added.filter(isComment)) / Math.max(1, added.length)
  v.commentRemoved = hit(/./, removed.filter(isComment)) / Math.max(1, removed.length)
  v.blank = (added.filter(l => l.trim() === '').length + removed.filter(l => l.trim() === '').length) / total
  // Lines put away as comments, or taken out of them, wherever they stand.
  const [plain, gone] = [new Set(added.map(l => l.trim())), new Set(removed.map(l => l.trim()))]
  v.putAway = log(added.filter(l => isComment(l) && uncommented(l).length > 3 && gone.has(uncommented(l))).length)
  v.takenOut = log(removed.filter(l => isComment(l) && uncommented(l).length > 3 && plain.has(uncommented(l))).length)
  v.onlySpace =
    added
      .map(l => l.trim())
      .filter(Boolean)
      .sort()
      .join('\n') ===
    removed
      .map(l => l.trim())
      .filter(Boolean)
      .sort()
      .join('\n')
      ? 1
      : 0
  for (const name of TOPIC_NAMES) {
    v[`added_${name}`] = log(hit(TOPICS[name], added))
    v[`removed_${name}`] = log(hit(TOPICS[name], removed))
  }
  const edits = pairs.map(editsOf)
  for (const name of EDITS) v[`edit_${name}`] = pairs.length > 0 ? sum(edits.map(e => e[name] ?? 0)) / pairs.length : 0
  const paths = change.files.map(f => f.path)
  for (const [name, pattern] of Object.entries(PATHS)) v[`path_${name}`] = hit(pattern, paths) / Math.max(1, paths.length)
  for (const e of EXTENSIONS)
    v[`ext_${e}`] = paths.filter(p => p.toLowerCase().endsWith(`.${e}`)).length / Math.max(1, paths.length)
  v.pathDepth = sum(paths.map(p => p.split('/').length)) / Math.max(1, paths.length)
  const words = intentsOf(added.join('\n').slice(0, 20_000))
  const comments = intentsOf(
    added
      .filter(l => /(?:#|\/\/|\/\*)/.test(l))
      .map(l => l.replace(/^.*?(?:#|\/\/|\/\*)/, ''))
      .join('\n'),
  )
  for (const k of Object.keys(INTENTS) as Intent[]) {
    v[`words_${k}`] = words[k]
    v[`comments_${k}`] = comments[k]
    v[`removedWords_${k}`] = intentsOf(removed.join('\n').slice(0, 20_000))[k]
  }
  Object.assign(v, timeFeatures(change.time))
  const { authorHistory: a, fileHistory: f, repoHistory: r } = change
  v.authorCommits = log(a.commitsBefore)
  v.authorDays = log(a.daysActive)
  v.authorSince = log(a.hoursSincePrevious ?? 10_000)
  v.author24h = log(a.commits24h)
  v.author7d = log(a.commits7d)
  v.authorNight = a.shareNight
  v.authorWeekend = a.shareWeekend
  v.authorKnows = a.filesKnownShare
  v.authorReverted = a.revertedBefore / Math.max(1, a.commitsBefore)
  v.authorPace = a.daysActive > 1 ? log(a.commitsBefore / a.daysActive) : 0
  v.fileCommits = log(f.commitsBefore)
  v.fileAuthors = log(f.authorsBefore)
  v.fileSince = log(f.hoursSincePrevious ?? 20_000)
  v.fileReverted = f.revertedBefore / Math.max(1, f.commitsBefore)
  v.repo1h = log(r.commits1h)
  v.repo24h = log(r.commits24h)
  const [same, day] = [change.earlierSameFiles, change.earlier24h]
  const own = same.filter(e => e.sameAuthor)
  v.ownSameFile1h = log(own.filter(e => e.ageHours <= 1).length)
  v.ownSameFile24h = log(own.filter(e => e.ageHours <= 24).length)
  v.othersSameFile24h = log(same.filter(e => !e.sameAuthor && e.ageHours <= 24).length)
  v.ownSameFileSince = log(own[0]?.ageHours ?? 20_000)
  v.lastSameFileOwn = same[0]?.sameAuthor ? 1 : 0
  v.own24h = log(day.filter(e => e.sameAuthor).length)
  v.withheld = day.concat(same).filter(e => e.subject === '(withheld)').length
  const groups: Record<string, Record<Intent, number>> = {
    ownFile: spoken(same, e => e.sameAuthor, 6),
    otherFile: spoken(same, e => !e.sameAuthor, 48),
    fileEver: spoken(same, () => true, 1e6),
    ownDay: spoken(day, e => e.sameAuthor, 3),
    otherDay: spoken(day, e => !e.sameAuthor, 6),
    ownLast: spoken(
      day
        .concat(same)
        .filter(e => e.sameAuthor)
        .sort((x, y) => x.ageHours - y.ageHours)
        .slice(0, 1),
      () => true,
      12,
    ),
  }
  for (const [group, intents] of Object.entries(groups)) for (const [k, n] of Object.entries(intents)) v[`${group}_${k}`] = n
  // An earlier subject that speaks of the very words of this change.
  const vocabulary = new Set(wordsOf([...added, ...removed, ...paths].join(' ')).filter(w => w.length > 3))
  const shared = (e: EarlierChange) => wordsOf(e.subject).filter(w => w.length > 3 && vocabulary.has(w)).length
  v.sharedOwn = log(sum(day.filter(e => e.sameAuthor).map(shared)))
  v.sharedFile = log(sum(same.slice(0, 3).map(shared)))
  v.subjectStyle = sum(same.map(e => (/^\w+(?:\(.+\))?!?:/.test(e.subject) ? 1 : 0))) / Math.max(1, same.length)
  v.subjectLength =
    sum(day.filter(e => e.sameAuthor).map(e => e.subject.length)) / Math.max(1, day.filter(e => e.sameAuthor).length) / 50
  return { patch, values: v }
}

/** detection_hour and weekday as points on circles, by the author's own clock. */
export function timeFeatures(iso: string): Record<string, number> {
  const [hour, minute] = /T(\d\d):(\d\d)/.exec(iso)?.slice(1) ?? ['12', '0']
  const day = new Date(`${iso.slice(0, 10)}T00:00:00Z`).getUTCDay()
  const h = Number(hour) + Number(minute) / 60
  return {
    hourSin: Math.sin((2 * Math.PI * h) / 24),
    hourCos: Math.cos((2 * Math.PI * h) / 24),
    weekdaySin: Math.sin((2 * Math.PI * day) / 7),
    weekdayCos: Math.cos((2 * Math.PI * day) / 7),
    night: h < 7 || h >= 20 ? 1 : 0,
    weekend: day === 0 || day === 6 ? 1 : 0,
  }
}
