/** What stands in front of a line when the lines of several containers, pods or processes come in one text: who wrote it. */
import { stampOf } from '../timestamps.ts'
import { byPattern, DIGITS, type Format, LETTERS } from './format.ts'

const CRI =
  /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})) (stdout|stderr) ([FP])(?::[^ ]{1,32})?(?: |$)/
/** Files of containerd and CRI-O; P marks a line that goes on. */
export const cri: Format = {
  name: 'cri',
  first: '12',
  wraps: true,
  parse(text, hints) {
    const m = CRI.exec(text)
    const stamp = m === null ? undefined : stampOf(m[1], hints)
    if (m === null || stamp === undefined) return undefined
    return {
      body: (hints.before ?? '') + text.slice(m[0].length),
      timeUs: stamp.timeUs,
      zoned: true,
      fields: { stream: m[2] },
      writer: m[2],
      format: '',
      ...(m[3] === 'P' ? { partial: true } : {}),
    }
  },
  examples: [
    [
      '2026-01-02T03:04:05.123456789Z stdout F order 7 placed',
      { format: 'cri', body: 'order 7 placed', writer: 'stdout', bare: true },
    ],
    [
      '2026-01-02T03:04:05Z stderr F {"level":"error","msg":"no route"}',
      { format: 'cri json', body: 'no route', severity: 'ERROR' },
    ],
    [
      '2026-01-02T03:04:05.1+02:00 stderr P half a line',
      { partial: true, body: 'half a line', time: '2026-01-02T01:04:05.100Z' },
    ],
  ],
}

/** "cart-7d9f8b6c5d-x2x4z" is a pod of cart, "db-0" one of db, "agent-x2x4z" one of agent. */
export const workloadOf = (pod: string): string =>
  pod.replace(/-(?=[a-z]*\d)[a-z0-9]{6,10}-[a-z0-9]{5}$/, '').replace(/-(?:\d{1,4}|[bcdfghjklmnpqrstvwxz2456789]{5})$/, '')

const COMPOSE = /^([A-Za-z][\w.-]{0,62}?)((?:[-_]\d{1,3})?)( *)\| ?/
/** docker compose logs: "cart-1  | text"; a name without a number only where blanks bring the bars in line. */
export const compose: Format = {
  name: 'compose',
  first: LETTERS,
  wraps: true,
  parse(text) {
    if (text.indexOf('|') < 2) return undefined
    const m = COMPOSE.exec(text)
    if (m === null || (m[2] === '' && m[3].length < 2) || /^[A-Z]+$/.test(m[1])) return undefined
    return { body: text.slice(m[0].length), service: m[1], writer: m[1] + m[2], fields: {}, format: '' }
  },
  examples: [
    [
      'cart-1      | 2026-01-02 03:04:05 WARN low on stock',
      { service: 'cart', writer: 'cart-1', severity: 'WARN', body: 'low on stock', time: '2026-01-02T03:04:05.000Z' },
    ],
    ['shop_db_1  | ready', { service: 'shop_db', body: 'ready', bare: true }],
  ],
}

const KUBECTL = /^\[pod\/([a-z0-9.-]{1,253})\/([a-z0-9.-]{1,253})\] ?/
const STERN =
  /^(?:[a-z0-9-]{1,63} )?([a-z0-9][a-z0-9-]{0,240}-(?:(?=[a-z]*\d)[a-z0-9]{6,10}-[a-z0-9]{5}|\d{1,3}|[bcdfghjklmnpqrstvwxz2456789]{5})) (?:› )?([a-z0-9][a-z0-9-]{0,62})(?: \| | › | )/
const KAIL = /^[a-z0-9-]{1,63}\/([a-z0-9.-]{1,253})\[([a-z0-9.-]{1,63})\]: /
/** kubectl logs --prefix, stern, kail: pod and container. */
export const pod: Format = {
  name: 'pod',
  wraps: true,
  first: `[${DIGITS}abcdefghijklmnopqrstuvwxyz`,
  parse(text) {
    const c = text.charCodeAt(0)
    const dash = text.indexOf('-')
    const m = c === 91 ? KUBECTL.exec(text) : dash < 0 || dash > text.indexOf(' ') ? null : (STERN.exec(text) ?? KAIL.exec(text))
    if (m === null) return undefined
    const name = workloadOf(m[1])
    // A pod's container is mostly called like its workload; else two words in small letters are just text.
    if (c !== 91 && /-\d+ /.test(m[0]) && !name.includes(m[2]) && !m[2].includes(name)) return undefined
    return {
      body: text.slice(m[0].length),
      service: name,
      writer: `${m[1]}/${m[2]}`,
      fields: { pod: m[1], container: m[2] },
      format: '',
    }
  },
  examples: [
    [
      '[pod/cart-7d9f8b6c5d-x2x4z/app] ERROR: no stock',
      { service: 'cart', writer: 'cart-7d9f8b6c5d-x2x4z/app', severity: 'ERROR', body: 'no stock' },
    ],
    ['pay-7d9f8b6c5d-x2x4z pay {"level":"info","msg":"up"}', { service: 'pay', body: 'up', format: 'pod json' }],
    ['db-0 db checkpoint done', { service: 'db', body: 'checkpoint done' }],
  ],
}

const FOREMAN = /^(?:\d{1,2}:\d{2}:\d{2} )?([a-z][\w-]{0,40})\.(\d{1,3}) +\| /
const PM2 = /^(\d{1,3})\|([\w.-]{1,40}) +\| /
/** foreman and its like, pm2. */
export const processes: Format = {
  name: 'process',
  wraps: true,
  first: `${DIGITS}abcdefghijklmnopqrstuvwxyz`,
  parse(text) {
    if (text.indexOf(' | ') < 2) return undefined
    const m = FOREMAN.exec(text)
    if (m !== null) return { body: text.slice(m[0].length), service: m[1], writer: `${m[1]}.${m[2]}`, fields: {}, format: '' }
    const pm2 = PM2.exec(text)
    return pm2 === null
      ? undefined
      : { body: text.slice(pm2[0].length), service: pm2[2], writer: `${pm2[1]}|${pm2[2]}`, fields: {}, format: '' }
  },
  examples: [
    ['10:00:00 web.1  | listening on 5000', { service: 'web', writer: 'web.1', body: 'listening on 5000' }],
    ['0|api  | WARN: slow', { service: 'api', severity: 'WARN' }],
  ],
}

/** Heroku's drains and Cloud Foundry: time, who, and the line. */
export const platform: Format = {
  name: 'platform',
  wraps: true,
  first: `12 `,
  parse: byPattern(
    /^ {0,4}(?<time>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})) (?:(?<service>app|heroku)?\[(?<writer>[a-z][\w.-]{0,40})\]: |\[(?<source>[A-Z]{2,5}\/[\w/-]{1,40})\] {1,3}(?:OUT|ERR) )/,
  ),
  examples: [
    [
      '2026-01-02T03:04:05.123456+00:00 heroku[router]: at=error code=H12 method=GET path="/" status=503',
      { severity: 'ERROR', service: 'heroku', time: '2026-01-02T03:04:05.123Z' },
    ],
    ['2026-01-02T03:04:05.12+0000 [APP/PROC/WEB/0] OUT started', { body: 'started' }],
  ],
}

/** Fluent Bit and Fluentd on standard output: a tag and the record. */
const FLUENT = /^\[\d+\] (\S{1,128}): \[\[?(\d{10}\.\d{1,9}), (?:\{.{0,200}?\}\], )?(\{.*\})\]$/
export const fluent: Format = {
  name: 'fluent',
  first: '[',
  wraps: true,
  parse(text, hints) {
    const m = FLUENT.exec(text)
    if (m === null) return undefined
    const stamp = stampOf(Number(m[2]), hints)
    return {
      body: m[3].replaceAll('"=>', '":'),
      ...(stamp === undefined ? {} : { timeUs: stamp.timeUs, zoned: true }),
      fields: { tag: m[1] },
      format: '',
    }
  },
  examples: [
    [
      '[0] kube.app: [[1767322800.5, {}], {"log"=>"ERROR: no ink", "stream"=>"stderr"}]',
      { severity: 'ERROR', body: 'no ink', time: '2026-01-02T03:00:00.500Z' },
    ],
  ],
}
