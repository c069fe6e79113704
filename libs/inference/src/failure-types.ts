/**
 * What may have failed, as callers of the inference API name it: five that operate systems, and a taxonomy of sixteen. For each: how its lines read, which
 * known faults (kinds of `libs/log-mining/src/fault-patterns.ts`) speak for it, how bad it is where nothing else says so, and what is to be done.
 */
import type { InferenceSeverity } from './severity-of-score.ts'

export interface FailureType {
  readonly category: 'operations' | 'infrastructure' | 'application' | 'testing' | 'security'
  readonly severity: InferenceSeverity
  /** Our words for actions, the first choice first. */
  readonly actions: readonly string[]
  /** Kinds of known faults that speak for it. */
  readonly faults: readonly string[]
  readonly lines: RegExp
  readonly about: string
}
const type = (
  category: FailureType['category'],
  severity: InferenceSeverity,
  actions: string,
  faults: string,
  lines: RegExp,
  about: string,
): FailureType => ({ category, severity, actions: actions.split(' '), faults: faults.split(' ').filter(Boolean), lines, about })

export const FAILURE_TYPES = {
  service_down: type(
    'operations',
    'critical',
    'restart start page',
    'connection-refused host-unreachable',
    /\b(?:service|server|process|instance|pod|container|node|host)\b.{0,40}\b(?:is |went |has )?(?:down|dead|stopped|crashed|terminated|exited|not running|gone)\b|\bconnection refused\b|\bECONNREFUSED\b|CrashLoopBackOff|liveness probe failed|health ?check(?:s)? fail|\bexited with (?:code|status) [1-9]|\bSIGKILL\b|\bterminated unexpectedly\b/i,
    'does not run or takes no connections',
  ),
  high_latency: type(
    'operations',
    'high',
    'scale_out restart',
    '',
    /\bslow (?:query|request|response|call|transaction)s?\b|\blatency\b.{0,40}\b(?:high|above|exceed\w*|spike|degraded)|\bhigh latency\b|response time .{0,40}(?:exceed|above|high|degraded)|\btook \d{4,} ?ms\b|\btook \d{2,}(?:\.\d+)? ?s(?:ec(?:onds)?)?\b|event loop (?:lag|blocked)|\bSLA\b.{0,20}(?:breach|violat)/i,
    'answers slowly',
  ),
  memory_leak: type(
    'operations',
    'high',
    'restart raise_limit',
    'out-of-memory',
    /memory leak|possible leak|leak(?:ed|ing)? detected|heap (?:usage|size|used)\b.{0,30}(?:grow|increas|rising)|memory (?:usage|consumption) (?:keeps |is )?(?:grow|increas|rising|climb)|MaxListenersExceededWarning|GC overhead limit|\bfull gc\b/i,
    'uses more and more memory',
  ),
  timeout: type(
    'operations',
    'high',
    'restart scale_out',
    'timeout',
    /\b(?:timed|timing)[- ]?out\b|\btime-?out\b(?!.{0,12}=)|deadline exceeded|TimeoutE(?:xception|rror)|no (?:answer|response|reply) (?:within|after|in)\b|\b504\b/i,
    'does not answer in time',
  ),
  connection_timeout: type(
    'operations',
    'high',
    'restart page',
    '',
    /connect(?:ion|ing)?\b.{0,30}\b(?:timed?[- ]?out|ETIMEDOUT)|ETIMEDOUT|ConnectTimeout|timed? ?out (?:while )?(?:connecting|waiting for (?:a )?connection|acquiring (?:a )?connection|opening (?:a )?connection)|could not connect .{0,60}(?:time|within)|handshake timed? ?out/i,
    'cannot be connected to in time',
  ),
  resource_exhaustion: type(
    'infrastructure',
    'critical',
    'scale_out raise_limit restart',
    'out-of-memory disk-full too-many-open-files connection-pool-exhausted',
    /out of memory|\bOOM|no space left|\bENOSPC\b|too many (?:open files|connections|clients|threads)|\b(?:pool|quota|limit|capacity|resources?|threads?|descriptors?|memory|cpu|inodes)\b.{0,20}\b(?:exhausted|exceeded|reached|depleted|starv\w+)|insufficient (?:cpu|memory|resources|capacity)|cannot allocate|evicted|cpu throttl/i,
    'has used up what it may use',
  ),
  network_connectivity: type(
    'infrastructure',
    'high',
    'page restart',
    'connection-reset host-unreachable name-resolution',
    /network (?:is )?(?:unreachable|down|partition)|no route to host|connection reset|broken pipe|could not resolve (?:host|name|address|proxy)|name resolution|\bENOTFOUND\b|EAI_AGAIN|packet loss|\bDNS\b.{0,40}(?:fail|error|timeout)|socket hang up|link (?:is )?down|\bNXDOMAIN\b/i,
    'cannot be reached over the network',
  ),
  storage_issues: type(
    'infrastructure',
    'critical',
    'clean_disk page',
    'disk-full read-only-filesystem io-error',
    /no space left|disk (?:is )?full|read-only file ?system|\b(?:i\/o|input\/output) error|volume\b.{0,40}(?:fail|not (?:attach|mount)|unavailable|full)|(?:mount|attach)(?:ing)?\b.{0,30}fail|checksum mismatch|corrupt(?:ed|ion)|bad (?:sector|block)|inodes? exhausted|\bEROFS\b|PersistentVolume\w*.{0,40}(?:fail|pending|lost)/i,
    'cannot store or read its data',
  ),
  service_unavailability: type(
    'infrastructure',
    'critical',
    'restart scale_out',
    'circuit-open rate-limited',
    /\b50[23]\b|service (?:temporarily )?unavailable|bad gateway|no healthy upstream|upstream (?:connect|prematurely|server)|circuit ?breaker.{0,20}open|no (?:available|ready|healthy) (?:endpoints?|instances?|backends?|servers?|replicas?)|unavailable\b.{0,20}(?:replica|endpoint|backend)/i,
    'is not there for those who need it',
  ),
  dependency_conflicts: type(
    'application',
    'medium',
    'rollback_deploy page',
    'missing-module',
    /ERESOLVE|peer dep|version conflict|conflicting (?:dependenc|version|peer)|incompatible (?:version|with)|could not (?:find|resolve) (?:a version|dependenc|compatible)|ResolutionImpossible|requires .{1,60} but .{1,60}(?:installed|found|provided)|NoSuchMethodError|NoSuchFieldError|dependency (?:convergence|hell|cycle)|cannot find module|ModuleNotFound|ClassNotFound|no matching (?:version|distribution)|unsatisfiable|lock ?file .{0,30}(?:out of (?:date|sync)|mismatch)/i,
    'needs versions that do not go together',
  ),
  configuration_errors: type(
    'application',
    'high',
    'revert_config rollback_deploy',
    'bad-configuration file-not-found address-in-use',
    /\b(?:invalid|missing|bad|unknown|malformed|unrecogni[sz]ed|unsupported|undefined)\b.{0,20}\b(?:config\w*|option|setting|property|environment variable|env var|flag|parameter|yaml|key)\b|\b(?:config\w*|environment variable|env var|setting|property)\b.{0,40}\b(?:not (?:set|found|defined|valid)|missing|invalid|required|malformed|error)|failed to (?:load|parse|read) .{0,30}(?:config|yaml|properties|settings)|address already in use|EADDRINUSE|could not (?:resolve|find) placeholder|no such (?:setting|option)/i,
    'is configured wrongly',
  ),
  runtime_exceptions: type(
    'application',
    'high',
    'rollback_deploy restart',
    'null-reference stack-overflow segmentation-fault',
    /\b\w*(?:NullPointer|NullReference|IllegalState|IllegalArgument|IndexOutOf\w*|ClassCast|Arithmetic|Runtime|KeyError|Unsupported\w*)\w*(?:Exception|Error)?\b|\b(?:TypeError|ReferenceError|RangeError|ValueError|AttributeError|KeyError|IndexError|ZeroDivisionError|AssertionError|RuntimeError|UnboundLocalError)\b|cannot read propert|undefined is not|is not a function|nil pointer|unhandled (?:exception|promise|rejection)|uncaught (?:exception|error|type)|panic:|segmentation fault|\bSIGSEGV\b|stack overflow|Traceback \(most recent/i,
    'fails in its own code',
  ),
  memory_leaks: type(
    'application',
    'high',
    'restart rollback_deploy',
    '',
    /leak(?:ed|ing)? (?:of|in) \w|LeakCanary|AddressSanitizer|LeakSanitizer|\bdetached (?:nodes|listeners)|not (?:been )?(?:released|freed|closed) .{0,30}(?:buffer|connection|resource|handle)|resource leak|ByteBuf\.release|unclosed (?:connection|session|file|resource)/i,
    'does not give memory back, by its code',
  ),
  flaky_tests: type(
    'testing',
    'medium',
    'page',
    '',
    /\bflak(?:y|e|iness)\b|intermittent(?:ly)?|passed (?:on|after) (?:retry|rerun|attempt)|non-?deterministic|\bretry(?:ing)? (?:failed )?tests?\b|(?:attempt|try) [2-9] .{0,40}(?:pass|succe)|sometimes (?:fails|passes)|test .{0,60}\b(?:passes|passed) locally/i,
    'has tests that pass and fail by chance',
  ),
  test_environment_issues: type(
    'testing',
    'medium',
    'page',
    '',
    /test (?:environment|database|container|fixture|server|setup|runner)\b.{0,60}(?:fail|error|not|unavailable|missing|could not|cannot|down)|(?:before|setup|teardown|after)(?:All|Each|Class)?\b.{0,30}(?:hook|fail|error)|testcontainers?|docker daemon|could not find (?:chrome|browser|driver|display)|\b(?:webdriver|chromedriver|selenium|playwright|xvfb|DISPLAY)\b.{0,60}(?:fail|error|not|missing|cannot)|fixture .{0,40}not found|no space left on .{0,20}runner|runner .{0,40}(?:lost|offline|shut ?down)/i,
    'has tests whose surroundings are broken',
  ),
  timing_dependencies: type(
    'testing',
    'medium',
    'page',
    'deadlock',
    /race condition|data race|\brace detected|timing[- ](?:issue|dependen|sensitive)|exceeded timeout of \d+ ?ms for a (?:test|hook)|async callback was not invoked|did not (?:complete|settle|appear|become) (?:with)?in|expected .{0,60} within \d+ ?m?s|element .{0,40}(?:not (?:visible|attached|stable|interactable)|stale)|StaleElement|waitFor\w*|order[- ]dependent|jest did not exit|clock skew|deadlock/i,
    'depends on who is first',
  ),
  external_service_failures: type(
    'testing',
    'medium',
    'page',
    '',
    /(?:third[- ]party|external|upstream|remote|partner|vendor)\b.{0,40}(?:service|api|provider|endpoint|dependency)?.{0,30}(?:fail|error|unavailable|down|timeout|refused|rejected|outage)|(?:registry|npm|pypi|maven|docker hub|ghcr|github|artifactory|s3|stripe|twilio|sendgrid|auth0)\b.{0,60}\b(?:50\d|429|timeout|timed out|unavailable|rate limit|ECONNRESET|outage|error)|api (?:rate )?limit exceeded|toomanyrequests/i,
    'waits for somebody outside who fails',
  ),
  vulnerability_blocking: type(
    'security',
    'high',
    'rollback_deploy page',
    '',
    /\bCVE-\d{4}-\d+|\bGHSA-|vulnerabilit(?:y|ies)\b|security (?:scan|audit|gate|advisory)|\b(?:trivy|snyk|grype|dependabot|npm audit|pip-audit|osv-scanner)\b|critical severity/i,
    'is held back by a known vulnerability',
  ),
  certificate_expiration: type(
    'security',
    'critical',
    'page',
    'certificate',
    /certificate\b.{0,40}(?:expire[sd]?|expir(?:y|ation|ing)|not (?:yet )?valid|verify failed|verification failed|revoked)|CERT_HAS_EXPIRED|(?:ssl|tls) (?:certificate|handshake)\b.{0,40}(?:error|fail|expire)|x509:|PKIX path|NotAfter|unable to get local issuer|self[- ]signed certificate/i,
    'has a certificate that is not valid any more',
  ),
  access_control_failures: type(
    'security',
    'high',
    'page revert_config',
    'authentication-failed permission-denied',
    /access (?:is )?denied|permission denied|\b40[13]\b|unauthori[sz]ed|forbidden|not authori[sz]ed|authentication fail|invalid (?:token|credentials|api key|signature)|token (?:has )?expired|\bEACCES\b|\bEPERM\b|RBAC|is not allowed to|AccessDenied|cannot (?:get|list|create|delete|update|watch) resource|insufficient (?:permission|privilege|scope)/i,
    'is refused what it asks for',
  ),
  compliance_violations: type(
    'security',
    'high',
    'page',
    '',
    /complian(?:ce|t)\b|\b(?:GDPR|HIPAA|PCI(?:[- ]DSS)?|SOC ?2|SOX)\b|policy (?:violation|check failed|denied)|violat(?:es|ed|ion)\b.{0,40}polic|\b(?:gatekeeper|kyverno|opa|conftest|checkov|tfsec)\b|admission webhook .{0,60}denied|licen[cs]e .{0,40}(?:not allowed|forbidden|violation|denied|unapproved)|PodSecurity|audit .{0,20}fail/i,
    'breaks a rule it has to keep',
  ),
} as const satisfies Readonly<Record<string, FailureType>>

export type FailureName = keyof typeof FAILURE_TYPES
export const FAILURE_NAMES = Object.keys(FAILURE_TYPES) as readonly FailureName[]
