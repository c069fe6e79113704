/**
 * Which resource a line reports to run out, or that its settings are wrong. A word alone tells nothing ("heap space" is no disk, "too many requests"
 * no pool): each kind has the words of its shortage, and the first that stands in the line decides, the outermost error before its causes.
 */
export type ReportedFault = 'disk' | 'memory' | 'pool' | 'config_error'

const FAULTS: readonly (readonly [kind: ReportedFault, words: RegExp])[] = [
  [
    'memory',
    /\bout[ _-]?of[ _-]?memory|OutOfMemory|\boom\b(?![- ]?(score|adj))|oom[- ]?kill|cannot allocate memory|could not allocate memory|failed to allocate (memory|\d+ bytes)|\benomem\b|MemoryError|bad_alloc|(java )?heap (space|limit|exhaust|is full)|insufficient memory|(not enough|low on|short of|no more) memory|memory (is )?(exhausted|full)|memory (limit|pressure|quota|threshold|watermark)\b.{0,40}(exceed|reach|high|true)|exceed\w*.{0,30}memory (limit|quota)|gc overhead limit|(metaspace|permgen)( space)?\b|(?:swap) space|(memory|heap)( usage| used)?( is| at|:|=)? ?(9\d|100) ?%|maxmemory|memory leak/i,
  ],
  [
    'disk',
    /no space left|\benospc\b|\bedquot\b|(disk|storage|volume|filesystem|file system|partition|tablespace|device|\/(dev|var|data|tmp)\S*)( quota| space)? (is )?(almost |nearly )?(full|exhausted|exceeded)|(not enough|insufficient|out of|low on|running out of|short of|no more|no free|no) (free )?(disk|storage|ephemeral[- ]storage)( space)?\b|not enough (free )?space (on|in|left)|(disk|storage)( space| usage| used)?( is| at|:|=)? ?(running )?(low|out|(9\d|100) ?%)|(free )?(disk|storage) space (is )?(low|insufficient|exhausted|below)|(flood[- ]stage |high |low )?disk watermark|could not extend file|no free inodes|out of inodes|inodes? (is |are )?exhausted|disk quota/i,
  ],
  [
    'pool',
    /(?<!address )\bpool\b.{0,30}(exhaust|is (full|empty)|timed? ?out|limit|no (free|idle|available))|(no (free|idle|available)|exhausted|all) (\w+ ){0,3}(connection|thread|worker|slot|session|permit)s?\b.{0,30}(pool|available|in use|busy|exhaust)?|(connection|thread|worker|session|slot|file descriptor|port|handle)s? (are |is |have been )?(all )?exhausted|exhausted (the )?(\w+ )?pool|too many (open )?(connections|clients|files|sessions|threads|active|sockets|statements|workers|channels)|\bemfile\b|\benfile\b|remaining connection slots|(unable|failed|cannot|could not|timed out) (to (acquire|get|obtain|borrow)|(waiting )?for) (a |an )?(\w+ )?(connection|thread|worker)( from)?( the)?( pool)?\b|connection is not available|queuepool limit|rejectedexecution|(task|work|request|job)? ?queue (is )?(full|overflow)/i,
  ],
  [
    'config_error',
    /misconfigur|(invalid|illegal|bad|missing|wrong|malformed|unknown|unrecogni[sz]ed|unsupported|incomplete|conflicting|broken|corrupt\w*|no such|no)\b.{0,40}\bconfig(uration)?\b(?! (reloaded|loaded|ok|changed))|config(uration)?\S*( \S+){0,6} ?(is |are |has )?(invalid|illegal|missing|wrong|malformed|unknown|broken|not (found|valid|set)|incorrect|fail\w*)|config(uration)?[ _-]?(error|exception|failure|parse|problem)|(fail\w*|cannot|could not|unable|error)\b.{0,30}\b(load|read|pars|apply|valid|bind|resolv|in|while)\w*\b.{0,20}\bconfig|(required|mandatory) (setting|property|environment variable|env(ironment)? var\w*|option|key)\b.{0,40}(missing|not set|unset)|(missing|unset|undefined) (required )?(environment variable|setting|property)|environment variable \S+ (is )?(missing|not set|required|undefined)/i,
  ],
]

/** What a line reports, and where in it; undefined where it reports none of these. */
export const reportedFault = (text: string): ReportedFault | undefined => {
  let best: { kind: ReportedFault; at: number } | undefined
  for (const [kind, words] of FAULTS) {
    const at = words.exec(text)?.index
    if (at !== undefined && (best === undefined || at < best.at)) best = { kind, at }
  }
  return best?.kind
}
