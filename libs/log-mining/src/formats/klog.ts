/** glog and klog of Google and Kubernetes, and the kernel's ring buffer. */
import type { Severity } from '../severity.ts'
import { ofSyslog, severityNamed } from '../severity.ts'
import { localMinutes, readTimestamp, withoutYear } from '../timestamps.ts'
import type { Format } from './format.ts'

const KLOG = /^([IWEFC])(\d{4})?(\d{2})(\d{2}) (\d{2}):(\d{2}):(\d{2})\.(\d{1,6}) +(\d{1,10}) ([\w./-]+):(\d+)\] ?/
export const klog: Format = {
  name: 'klog',
  first: 'IWEFC',
  wraps: true,
  parse(text, hints) {
    const m = KLOG.exec(text)
    if (m === null) return undefined
    const of = (year: number) => Date.UTC(year, Number(m[3]) - 1, Number(m[4]), Number(m[5]), Number(m[6]), Number(m[7]))
    const ms = m[2] === undefined ? withoutYear(of, hints) : of(Number(m[2]))
    if (Number.isNaN(ms)) return undefined
    return {
      body: text.slice(m[0].length),
      timeUs: (ms - localMinutes(ms, hints) * 60_000) * 1000 + Number(m[8].padEnd(6, '0')),
      zoned: false,
      severity: severityNamed(m[1]) as Severity,
      fields: { thread: m[9], file: m[10], line: m[11] },
      format: '',
      opens: true,
    }
  },
  examples: [
    ['I0102 03:04:05.678901   17 controller.go:114] synced 4 pods', { format: 'klog', severity: 'INFO', body: 'synced 4 pods' }],
    [
      'E20260102 03:04:05.678901  1 store.cc:33] no quorum',
      { severity: 'ERROR', body: 'no quorum', time: '2026-01-02T03:04:05.678Z' },
    ],
  ],
}

const DMESG = /^(?:<(\d{1,3})>)?\[ {0,6}\d{1,8}\.\d{6}\](?:\[ *[TC]?\d+\])? /
/** The kernel's own lines: seconds since it began, which are no time. */
export const dmesg: Format = {
  name: 'kernel',
  first: '[<',
  wraps: true,
  parse(text) {
    const m = DMESG.exec(text)
    if (m === null) return undefined
    return {
      body: text.slice(m[0].length),
      ...(m[1] === undefined ? {} : { severity: ofSyslog(Number(m[1]) & 7) }),
      service: 'kernel',
      fields: {},
      format: '',
      opens: true,
    }
  },
  examples: [
    ['[12345.678901] eth0: link up', { format: 'kernel', body: 'eth0: link up', service: 'kernel' }],
    ['<3>[    1.000001] ata1: failed command', { severity: 'ERROR', body: 'ata1: failed command' }],
  ],
}

const AUDIT = /^(?:node=(?<host>\S+) )?type=(?<type>[A-Z_0-9]{2,40}) msg=audit\((\d{10}\.\d{3}):(\d+)\): ?/
/** The audit daemon: time in the parentheses of "msg". */
export const audit: Format = {
  name: 'audit',
  first: 'tn',
  parse(text, hints) {
    const m = AUDIT.exec(text)
    const stamp = m === null ? undefined : readTimestamp(m[3], 0, hints)
    if (m === null || stamp === undefined) return undefined
    const severity: Severity = /^ANOM_ABEND|^ANOM_/.test(m[2])
      ? 'ERROR'
      : /\b(?:success=no|res=(?:failed|0))\b/.test(text)
        ? 'WARN'
        : 'INFO'
    return {
      body: `${m[2]} ${text.slice(m[0].length)}`,
      timeUs: stamp.timeUs,
      zoned: true,
      severity,
      service: 'auditd',
      fields: { serial: m[4] },
      format: '',
      ...(m[1] === undefined ? {} : { host: m[1] }),
    }
  },
  examples: [
    [
      'type=USER_LOGIN msg=audit(1767322800.243:24287): pid=7 uid=0 res=success',
      { body: 'USER_LOGIN pid=7 uid=0 res=success', severity: 'INFO', time: '2026-01-02T03:00:00.243Z' },
    ],
  ],
}

const LOGCAT =
  /^(?:\d{4}-)?(\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3}) +(?:\S+ +)?(\d{1,10}) +(\d{1,10}) ([VDIWEFA]) ([^:]{1,64}?) *: ?/
const BRIEF = /^(?:(?:\d{4}-)?(\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3}) )?([VDIWEFA])\/([^(:]{1,64}?) *\( *(\d{1,10})\): ?/
/** Android's logcat, with threads or brief. */
export const logcat: Format = {
  name: 'logcat',
  first: '0123456789VDIWEFA',
  wraps: true,
  parse(text, hints) {
    const m = LOGCAT.exec(text)
    const brief = m === null ? BRIEF.exec(text) : null
    const hit = m ?? brief
    if (hit === null) return undefined
    const stamp = hit[1] === undefined ? undefined : readTimestamp(text, 0, hints)
    const [level, tag, pid] = m === null ? [hit[2], hit[3], hit[4]] : [hit[4], hit[5], hit[2]]
    return {
      body: text.slice(hit[0].length),
      ...(stamp === undefined || Number.isNaN(stamp.timeUs) ? {} : { timeUs: stamp.timeUs, zoned: false }),
      severity: severityNamed(level) as Severity,
      writer: `${pid} ${tag}`,
      fields: { pid, logger: tag, ...(m === null ? {} : { thread: m[3] }) },
      format: '',
    }
  },
  examples: [
    [
      '01-02 03:04:05.678  1702  2395 D WindowManager: focus changed',
      { format: 'logcat', severity: 'DEBUG', body: 'focus changed' },
    ],
    ['E/AndroidRuntime( 1702): FATAL EXCEPTION: main', { severity: 'ERROR', body: 'FATAL EXCEPTION: main' }],
  ],
}
