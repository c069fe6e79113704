/** Headers that one language, framework or server has for itself. */
import { fromFields } from '../fields.ts'
import { type Severity, severityNamed } from '../severity.ts'
import { stampOf } from '../timestamps.ts'
import { byPattern, type Format } from './format.ts'

/** Spring Boot's console: process, application, thread and trace between level and logger. */
export const spring: Format = {
  name: 'spring',
  first: '12',
  parse(text, hints) {
    if (text.indexOf(' --- ') < 0) return undefined
    const read = springOf(text, hints)
    if (read === undefined) return undefined
    const { trace, app, ...fields } = read.fields as Record<string, string>
    const ids = /([0-9a-f]{16,32})[-,]([0-9a-f]{16})/.exec(`${fields.front ?? ''} ${fields.groups ?? ''}`)
    const named =
      /^\[([A-Za-z][\w.-]*)[\],]/.exec(fields.front ?? '')?.[1] ?? /^\[([A-Za-z][\w.-]*)\] \[/.exec(fields.groups ?? '')?.[1]
    const threads = [...(fields.groups ?? '').matchAll(/\[ *([^\]]*?) *\]/g)]
      .map(m => m[1])
      .filter(words => words !== '' && words !== named && !/^[0-9a-f]{16,32}-/.test(words))
    const { groups, front, ...rest } = fields
    return {
      ...read,
      ...(ids === null ? {} : { traceId: ids[1], spanId: ids[2] }),
      ...(named === undefined ? {} : { service: named }),
      fields: { ...rest, ...(threads.length === 0 ? {} : { thread: threads[0] }) },
    }
  },
  examples: [
    [
      '2026-01-02T03:04:05.123+01:00 ERROR 1 --- [shop] [nio-8080-exec-1] [65a1b2c3d4e5f60718293a4b5c6d7e8f-9a8b7c6d5e4f3021] c.e.OrderController : no ink',
      {
        format: 'spring',
        severity: 'ERROR',
        body: 'no ink',
        service: 'shop',
        traceId: '65a1b2c3d4e5f60718293a4b5c6d7e8f',
        time: '2026-01-02T02:04:05.123Z',
      },
    ],
    [
      '2026-01-02 03:04:05.123  WARN [till,65a1b2c3d4e5f607,9a8b7c6d5e4f3021] 7 --- [main] c.e.Till : slow',
      { severity: 'WARN', service: 'till', spanId: '9a8b7c6d5e4f3021', body: 'slow' },
    ],
    [
      '2026-01-02 03:04:05.123 DEBUG --- [   scheduling-1] c.e.Poller                         : 0 failed',
      { severity: 'DEBUG', body: '0 failed' },
    ],
  ],
}
const springOf = byPattern(
  /^(?<time>\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?) {1,3}(?<level>[A-Z]{4,5}) {1,2}(?<front>\[[^\]]*\] )?(?:(?<pid>\d{1,8}) )?--- (?<groups>(?:\[[^\]]{0,160}\] ){1,4})(?<logger>\S{1,200}) *: /,
)

/** GlassFish and Payara: "[#|time|level|product|logger|_ThreadID=…|message|#]". */
export const glassfish: Format = {
  name: 'glassfish',
  first: '[',
  parse(text, hints) {
    if (!text.startsWith('[#|')) return undefined
    const read = glassfishOf(text, hints)
    return read === undefined ? undefined : { ...read, body: read.body.replace(/\|#\]\s*$/, '').trim() }
  },
  examples: [
    [
      '[#|2026-01-02T03:04:05.743+0000|SEVERE|server|com.example.ws|_ThreadID=54;|Closing failed|#]',
      { format: 'glassfish', severity: 'ERROR', body: 'Closing failed' },
    ],
  ],
}
const glassfishOf = byPattern(
  /^\[#\|(?<time>[^|]{19,40})\|(?<level>[A-Z]{3,11})\|(?<product>[^|]*)\|(?<logger>[^|]*)\|(?<threads>[^|]*)\|/,
)

/** WebLogic: fields in angle brackets. */
export const weblogic: Format = {
  name: 'weblogic',
  first: '#<',
  parse(text, hints) {
    if (!/^(?:####)?<[A-Z][a-z]{2} \d/.test(text)) return undefined
    const parts = [...text.matchAll(/<([^<>]{0,4000})>/g)].map(m => m[1])
    const stamp = stampOf(parts[0], hints)
    const severity = severityNamed(parts[1])
    if (parts.length < 4 || stamp === undefined || severity === undefined) return undefined
    return {
      body: parts[parts.length - 1],
      timeUs: stamp.timeUs,
      zoned: stamp.zoned,
      severity,
      fields: { logger: parts[2] },
      format: '',
    }
  },
  examples: [
    [
      '####<Jan 2, 2026 3:04:05 AM UTC> <Error> <HTTP> <n1> <admin> <> <BEA-101019> <servlet failed>',
      { format: 'weblogic', severity: 'ERROR', body: 'servlet failed', time: '2026-01-02T03:04:05.000Z' },
    ],
  ],
}

const WAS: Readonly<Record<string, Severity>> = {
  F: 'CRITICAL',
  E: 'ERROR',
  W: 'WARN',
  A: 'INFO',
  I: 'INFO',
  C: 'INFO',
  O: 'INFO',
  R: 'ERROR',
  D: 'DEBUG',
}
/** WebSphere and Liberty: a letter behind thread and component. */
export const websphere: Format = {
  name: 'websphere',
  first: '[',
  parse: byPattern(
    /^\[(?<time>\d{1,2}[/.]\d{1,2}[/.]\d{2,4},? \d{1,2}:\d{2}:\d{2}[:.]\d{3} [A-Z]{3,4})\] (?<thread>[0-9a-f]{8}) (?<logger>\S{1,64}) +(?<level>[FEWAICORD]) +/,
    l => WAS[l],
  ),
  examples: [
    [
      '[1/2/26 3:04:05:123 UTC] 0000003a ServletWrappe E   SRVE0014E: no servlet',
      { format: 'websphere', severity: 'ERROR', body: 'SRVE0014E: no servlet' },
    ],
  ],
}

/** Ruby's Logger: "E, [time #pid] ERROR -- name: text". */
export const ruby: Format = {
  name: 'ruby',
  first: 'DIWEFAU',
  parse: byPattern(/^[DIWEFAU], \[(?<time>[^\]#]{19,32}) ?#(?<pid>\d+)\] +(?<level>[A-Z]{3,7}) -- (?<program>[^:]{0,64}): ?/),
  examples: [
    [
      'E, [2026-01-02T03:04:05.123456 #7] ERROR -- : no ink',
      { format: 'ruby', severity: 'ERROR', body: 'no ink', time: '2026-01-02T03:04:05.123Z' },
    ],
  ],
}

/** PHP's error log: "[time zone] PHP Fatal error:  text". */
export const php: Format = {
  name: 'php',
  first: '[P',
  parse: byPattern(
    /^(?:\[(?<time>\d{2}-[A-Z][a-z]{2}-\d{4} \d{2}:\d{2}:\d{2})(?: [A-Z][\w/]{2,40})?\] )?PHP (?<level>Fatal error|Parse error|Recoverable fatal error|Core error|Compile error|Warning|Notice|Deprecated|Strict standards|Core warning): +/,
    level => (/error/.test(level) ? 'ERROR' : level === 'Notice' ? 'INFO' : 'WARN'),
  ),
  examples: [
    [
      '[02-Jan-2026 03:04:05 UTC] PHP Fatal error:  Uncaught TypeError: no ink in /srv/a.php:3',
      { format: 'php', severity: 'ERROR', body: 'Uncaught TypeError: no ink in /srv/a.php:3', time: '2026-01-02T03:04:05.000Z' },
    ],
    ['PHP Warning:  Undefined variable $x in /srv/a.php on line 3', { severity: 'WARN' }],
  ],
}

/** Monolog's lines, Laravel and Symfony: "[time] channel.LEVEL: text {context} {extra}". */
export const monolog: Format = {
  name: 'monolog',
  first: '[',
  parse(text, hints) {
    const read = monologOf(text, hints)
    return read === undefined ? undefined : { ...read, body: read.body.replace(/(?: +(?:\[\]|\{\}))+ *$/, '').trimEnd() }
  },
  examples: [
    [
      '[2026-01-02T03:04:05.123456+00:00] app.CRITICAL: no ink {"tray":2} []',
      { format: 'monolog', severity: 'CRITICAL', body: 'no ink {"tray":2}' },
    ],
  ],
}
const monologOf = byPattern(/^\[(?<time>\d{4}-\d{2}-\d{2}[^\]]{9,26})\] (?<logger>[\w-]{1,64})\.(?<level>[A-Z]{4,9}): /)

/** Reports of Erlang/OTP, whose header is a line of its own. */
const REPORT = /^=(?<level>[A-Z]+) REPORT==== (?<time>\d{1,2}-[A-Z][a-z]{2}-\d{4}::\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)(?: UTC)? ===$/
const reportOf = byPattern(REPORT, level => (level === 'CRASH' || level === 'SUPERVISOR' ? 'ERROR' : severityNamed(level)))
export const erlang: Format = {
  name: 'erlang',
  first: '=',
  parse(text, hints) {
    const read = reportOf(text, hints)
    return read === undefined ? undefined : { ...read, body: '', heading: true }
  },
  examples: [
    [
      '=ERROR REPORT==== 2-Jan-2026::03:04:05 ===',
      { format: 'erlang', severity: 'ERROR', heading: true, time: '2026-01-02T03:04:05.000Z' },
    ],
  ],
}

/** Functions of AWS Lambda: where a call begins and ends, and what it took. */
export const lambda: Format = {
  name: 'lambda',
  first: 'SERI',
  parse(text) {
    const m = /^(START|END|REPORT|INIT_START|INIT_REPORT) (?:RequestId: ([0-9a-f-]{36})|Runtime Version|Init Duration)/.exec(text)
    if (m === null) return undefined
    const failed = /\bStatus: (?:error|timeout)\b/.test(text)
    return {
      body: text,
      severity: failed ? 'ERROR' : 'INFO',
      fields: { ...(m[2] === undefined ? {} : { request: m[2] }) },
      format: '',
    }
  },
  examples: [
    [
      'REPORT RequestId: 6bc28136-1111-4365-b021-0ce6b2e64ab0\tDuration: 3.1 ms\tStatus: timeout',
      { format: 'lambda', severity: 'ERROR' },
    ],
    ['START RequestId: 6bc28136-1111-4365-b021-0ce6b2e64ab0 Version: $LATEST', { severity: 'INFO' }],
  ],
}

/** logrus on a terminal, "ERRO[0001] text", and Bazel's and Cargo's like. */
export const logrus: Format = {
  name: 'logrus',
  first: 'DTIWEFP',
  parse: byPattern(/^(?<level>DEBU|TRAC|INFO|WARN|ERRO|FATA|PANI)\[(?:(?<time>\d{4}-\d{2}-\d{2}T[^\]]{8,20})|\d{1,10})\] /),
  examples: [['ERRO[0001] no ink                       tray=2', { format: 'logrus', severity: 'ERROR' }]],
}

/** Python's basicConfig: "LEVEL:logger:text". */
export const python: Format = {
  name: 'python',
  wraps: true,
  first: 'DIWEC',
  parse: byPattern(/^(?<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):(?<logger>[\w.-]{1,128}):/),
  examples: [['WARNING:shop.till:no ink', { format: 'python', severity: 'WARN', body: 'no ink' }]],
}

/** journalctl -o export: one field a line, an empty line behind the last. */
export const journal: Format = {
  name: 'journal',
  first: '_',
  parse(text, hints) {
    if (!text.startsWith('__CURSOR=') || !text.includes('\n')) return undefined
    const all = new Map(
      text.split('\n').map((line): [string, unknown] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    )
    return fromFields(all, text, hints)
  },
  examples: [
    [
      '__CURSOR=s=1\n__REALTIME_TIMESTAMP=1767322800000000\nPRIORITY=3\nSYSLOG_IDENTIFIER=till\nMESSAGE=no ink',
      { format: 'journal', severity: 'ERROR', service: 'till', body: 'no ink', time: '2026-01-02T03:00:00.000Z' },
    ],
  ],
}
