/** What a line is about. Rules by telling words; a trained model can stand behind the same interface. */

export const categories = [
  'memory',
  'network',
  'authentication',
  'dependency',
  'storage',
  'timeout',
  'database',
  'configuration',
  'security',
  'other',
] as const
export type Category = (typeof categories)[number]

export interface Classifier {
  classify(text: string): Category | Promise<Category>
}
/** One that answers at once. */
export interface SyncClassifier extends Classifier {
  classify(text: string): Category
}

/** Words and what each says for a category. The category with the most weight wins; at a tie, the one named first. */
const RULES: readonly (readonly [Category, number, RegExp])[] = [
  ['timeout', 3, /\btim(?:ed?|ing)[- ]?out\b|deadline exceeded|ETIMEDOUT|TimeoutException|took too long/i],
  [
    'memory',
    3,
    /\bout ?of ?memory|OutOfMemory|\boom\b|OOMKilled|\bheap\b|garbage collect|\bGC\b|memory (?:leak|limit|pressure|usage)|swap space|allocat(?:e|ion) fail|StackOverflow|call stack|recursion depth|segfault|segmentation fault/i,
  ],
  ['memory', 1, /\bmemory\b|\bcache line\b|\bpages?\b.{0,20}\bmemory/i],
  [
    'database',
    3,
    /\bsql(?:state)?\b|\bdeadlock|jdbc|\bpostgres|\bmysql\b|\bmongo|\bredis\b|\boracle\b|\bquery\b|transaction (?:rolled|aborted|failed)|constraint|connection pool|connection slots|Hikari|replica(?:tion)? lag|serialize access/i,
  ],
  ['database', 1, /\bdatabase\b|\btable\b|\bdb\b|\bcursor\b|\bpool\b|Pool-\d/i],
  [
    'authentication',
    3,
    /authenticat|\blog(?:in|on)\b|\bpassword\b|credential|unauthori[sz]ed|\b401\b|session (?:opened|closed) for user|invalid user|kerberos|\bldap\b|\boauth|\bjwt\b|token (?:expired|invalid)|\bpam_/i,
  ],
  [
    'security',
    3,
    /certificate|\bx509|\btls\b|\bssl\b|permission denied|access denied|forbidden|\b403\b|break-in|intrusion|firewall|\bselinux\b|EACCES|vulnerab|audit\b|not permitted|encrypt|signature/i,
  ],
  [
    'storage',
    3,
    /no space left|disk|ENOSPC|filesystem|file system|\bi\/o error|inode|\bvolume\b|\bmount|\braid\b|\bblock\b.{0,30}(?:corrupt|replica|missing)|checksum|read-only file|sector|\bscsi\b|\bnfs\b|\bstorage/i,
  ],
  ['storage', 1, /\bfile\b|\bdirectory\b|\bblock\b/i],
  [
    'network',
    3,
    /connection (?:refused|reset|closed|lost|aborted|failed|broken)|ECONN|\bsocket\b|no route to host|unreachable|\bdns\b|resolve|\bproxy\b|\bdhcp|network|ENOTFOUND|EAI_AGAIN|getaddrinfo|\blink\b.{0,16}\b(?:up|down|error)|broken pipe|handshake|\btcp\b|\budp\b|packet/i,
  ],
  ['network', 1, /\bconnect(?:ion|ed|ing)?\b|\bhost\b|\baddress\b|\binterface\b|\bport\b/i],
  [
    'dependency',
    3,
    /upstream|downstream|circuit ?breaker|service unavailable|bad gateway|\b50[234]\b|dependency|backend|remote (?:service|call)|\brpc\b.{0,30}fail|third[- ]party|rate limit|too many requests|back-?off restarting|crash ?loop|retr(?:y|ying)\b/i,
  ],
  [
    'configuration',
    3,
    /config(?:uration)?\b|\bsetting|environment variable|property|\bdeprecated\b|missing (?:option|argument|parameter)|invalid (?:option|argument|parameter|value)|no such file|ENOENT|ClassNotFound|cannot find module|feature flag/i,
  ],
]

export function categoryOf(text: string): Category {
  const head = text.length > 2000 ? text.slice(0, 2000) : text
  const weights = new Map<Category, number>()
  for (const [category, weight, pattern] of RULES)
    if (pattern.test(head)) weights.set(category, (weights.get(category) ?? 0) + weight)
  let best: Category = 'other'
  let most = 0
  for (const [category, weight] of weights) {
    if (weight > most) {
      best = category
      most = weight
    }
  }
  return best
}

export const ruleClassifier: SyncClassifier = { classify: categoryOf }
