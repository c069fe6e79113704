/** How bad a text sounds, where nobody says how bad it is. */
import { matchFault } from './fault-patterns.ts'
import { leadingSeverity, type Severity, severities } from './severity.ts'

const CRITICAL_WORDS =
  /\b(?:panic(?:ked|king)?|fatal|segfault|segmentation fault|core dumped|out of memory|oom[- ]?kill(?:ed|er)?|kernel bug|emergency|unrecoverable|data loss|corrupt(?:ed|ion)?)\b/i
const ERROR_WORDS =
  /\b(?:error|errors|fail|fails|failed|failure|failures|exception|traceback|refused|denied|unreachable|aborted|abort|crash(?:ed)?|cannot|could not|couldn't|unable to|not found|no route to host|no space left|timed out|rejected|illegal|fault|unexpected(?:ly)?|broken pipe|assertion|forbidden|mismatch|violat(?:es|ed|ion)|duplicate key|bad gateway|HTTP 5\d\d)\b|[a-z](?:Error|Exception)\b/i
/** Names of system errors: ECONNREFUSED, EIO. */
const ERRNO = /\bE(?:CONN|TIMED|NO[A-Z]{2}|ACCES|PERM|PIPE|ADDR|HOST|NET|MFILE|NFILE|IO\b|BUSY\b|INVAL\b|ROFS\b|AI_)/
const WARN_WORDS =
  /\b(?:warn(?:ing)?|deprecated|retry(?:ing)?|retries|slow|timeout|throttl(?:ed|ing)|exceed(?:s|ed)|degraded|stale|lost|missing|unknown|invalid|backing off|too many|interrupt(?:ed)?|terminated|halted|killed)\b/i
/** Words that take the weight off the ones above: "0 errors", "no error", "without failures", "error rate: 0". */
const NEGATED =
  /\b(?:0|no|without|zero|any|not an?) (?:errors?|failures?|exceptions?|warnings?)\b|\b(?:errors?|failures?|failed|warnings?|exceptions?)\s*[:=]\s*0\b/gi

/** From the text alone. Only the first part of a long text is read. */
export function severityOfText(text: string): Severity {
  const leading = leadingSeverity(text)
  if (leading !== undefined) return leading.severity
  const head = text.slice(0, 2000).replace(NEGATED, ' ')
  const byWords: Severity = CRITICAL_WORDS.test(head)
    ? 'CRITICAL'
    : ERROR_WORDS.test(head) || ERRNO.test(head)
      ? 'ERROR'
      : WARN_WORDS.test(head)
        ? 'WARN'
        : 'INFO'
  const byFault = matchFault(head)?.severity
  return byFault !== undefined && severities.indexOf(byFault) > severities.indexOf(byWords) ? byFault : byWords
}
