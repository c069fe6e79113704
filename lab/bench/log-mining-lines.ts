/**
 * `npm run bench -- log-mining --lines`: average precision of the scores of single lines, unsupervised, beside that of the severity alone and of chance.
 *
 * Made-up logs of three forms (`--seed`), 20,000 lines each, the first 30 % learned from with their anomalies in them, half of the kinds of anomaly not yet among them. With
 * AEGIS_EVAL_DATA also failing builds whose error lines people marked, each after a passing build of the same job: `ci_<name>/annotations.jsonl` with
 * `fail`, `pass` and `annotator…: { error: [[first, last]] }` there.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { seededRandom } from '@aegis/domain'
import { parseLine, severities, severityOfText } from '@aegis/log-mining'
import { evaluateLines } from '../evaluation/log-anomaly-streams.ts'
import { anomalyFigures } from '../evaluation/log-figures.ts'

const LINES = 20_000
const TRAINED = 0.3

/** Lines of a form: `#` stands for a number, `@` for one of 300 names, `~` for an id. What is in `anomalies` is labelled, in bursts; the rest is not, however bad it sounds. */
interface Form {
  readonly header: (second: number, random: () => number) => string
  readonly everyday: readonly string[]
  /** Bad to read, and no anomaly. */
  readonly harmless: readonly string[]
  readonly anomalies: readonly string[]
}
const two = (n: number) => String(n).padStart(2, '0')
const clock = (s: number) => `${two(Math.floor(s / 3600) % 24)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`

const FORMS: Readonly<Record<string, Form>> = {
  'machine room, levels': {
    header: (s, random) =>
      `${1_767_225_600 + s} 2026.01.01 rack${Math.floor(16 * random())}-node${Math.floor(64 * random())} RAS`,
    everyday: [
      'KERNEL INFO # single-bit memory faults corrected',
      'KERNEL INFO generating core.#',
      'KERNEL INFO # ticks since the last scrub',
      'APP INFO job # started on # nodes by @',
      'APP INFO job # ended with code 0',
      'LINKCARD INFO port # is up',
      'MMCS INFO idle task woke # times',
    ],
    harmless: [
      'KERNEL FATAL instruction address: 0x#',
      'KERNEL FATAL machine state register: 0x#',
      'KERNEL FATAL general purpose register # holds 0x#',
      'KERNEL FATAL data address: 0x#',
      'APP ERROR login of @ refused',
      'MMCS WARNING clock of card # is # ms off',
    ],
    anomalies: [
      'KERNEL FATAL store to 0x# failed: parity',
      'KERNEL FATAL panic in the interrupt handler, stopping',
      'APP FATAL cannot read control stream of job #',
      'KERNEL FATAL torus link # dead, packets lost',
      'LINKCARD FATAL mount of /scratch# failed',
      'MMCS SEVERE power module # switched itself off',
    ],
  },
  'system log, no levels': {
    header: (s, random) => `Jan  1 ${clock(s)} host${Math.floor(40 * random())}`,
    everyday: [
      'sshd[#]: Accepted publickey for @ from 10.0.#.# port #',
      'cron[#]: (root) CMD (run-parts /etc/cron.hourly)',
      'systemd: Started session # of user @.',
      'ntpd[#]: synchronized to 10.0.0.#, stratum 2',
      'postfix/smtp[#]: ~: to=<@>, delay=#, status=sent',
      'dhcpd: DHCPACK on 10.0.#.# to eth0',
      'kernel: audit: type=# audit(#): pid=#',
    ],
    harmless: [
      'sshd[#]: Failed password for invalid user @ from 10.0.#.# port #',
      'sshd[#]: pam_unix(sshd:auth): authentication failure; user=@',
      'postfix/smtpd[#]: warning: 10.0.#.#: hostname @ verification failed',
      'named[#]: error (host unreachable) resolving @',
    ],
    anomalies: [
      'kernel: EXT4-fs error (device sd#): unable to read inode block #',
      'kernel: sd #: rejecting I/O to offline device',
      'kernel: Machine check events logged on CPU #',
      'kernel: eth#: transmit queue timed out',
      'kernel: ib_core: local catastrophic error on port #',
      'mcelog: too many corrected errors in DIMM #, page offlined',
    ],
  },
  services: {
    header: (s, random) => `2026-01-01T${clock(s)}.${100 + Math.floor(900 * random())}Z`,
    everyday: [
      'INFO [cart] cart # of customer # saved in # ms',
      'INFO [cart] cache refreshed, # entries',
      'INFO [checkout] order # placed, total #',
      'INFO [payment] charge # authorised by @',
      'DEBUG [search] query @ gave # results',
      'INFO [gateway] GET /products/# 200 #ms',
    ],
    harmless: [
      'WARN [gateway] GET /products/# 404 #ms',
      'ERROR [checkout] card of customer # declined',
      'WARN [cart] retry 1 of 3 for customer #',
      'ERROR [gateway] invalid token from 10.0.#.#',
    ],
    anomalies: [
      'ERROR [checkout] charging order # failed: connection refused by payment:#',
      'INFO [cart] switched to read-only mode, epoch #',
      'ERROR [search] index @ is corrupt at segment #',
      'WARN [payment] ledger is # entries behind',
      'FATAL [cart] heap exhausted after # MB',
      'ERROR [gateway] no upstream answered within # ms',
    ],
  },
}

function madeUp(form: Form, random: () => number): { line: string; anomalous: boolean }[] {
  const one = <T>(all: readonly T[]): T => all[Math.floor(random() ** 1.7 * all.length)] as T
  const name = () => Array.from({ length: 8 }, () => String.fromCharCode(97 + Math.floor(26 * random()))).join('')
  const names = Array.from({ length: 300 }, name)
  const filled = (text: string) =>
    text.replace(/[#@~]/g, c =>
      c === '#'
        ? String(Math.floor(10 ** (1 + 4 * random())))
        : c === '@'
          ? one(names)
          : Math.floor(2 ** 40 * (1 + random()))
              .toString(16)
              .toUpperCase(),
    )
  const early = form.anomalies.filter((_, i) => i % 2 === 0)
  const out: { line: string; anomalous: boolean }[] = []
  let burst = 0
  let kind = ''
  while (out.length < LINES) {
    const second = Math.floor(out.length / 3)
    if (burst === 0 && random() < 0.004) {
      burst = 1 + Math.floor(25 * random() ** 2)
      kind = one(out.length < TRAINED * LINES ? early : form.anomalies)
    }
    const anomalous = burst > 0 && random() < 0.6
    if (anomalous) burst--
    const text = anomalous ? kind : random() < 0.06 ? one(form.harmless) : one(form.everyday)
    out.push({ line: `${form.header(second, random)} ${filled(text)}`, anomalous })
  }
  return out
}

interface Judged {
  readonly AP: number
  readonly severity: number
  readonly chance: number
}

function judge(learned: readonly string[], lines: readonly string[], anomalous: readonly boolean[]): Judged {
  const scored = evaluateLines([...learned, ...lines], unit => Number(unit) <= learned.length).slice(learned.length)
  const severity = (line: string) => {
    const { body, severity } = parseLine(line)
    return severities.indexOf(severity ?? severityOfText(body))
  }
  const by = (score: (i: number) => number) =>
    anomalyFigures(lines.map((_, i) => ({ anomalous: anomalous[i] as boolean, score: score(i), alert: false })))
  const { AP, anomalies, units } = by(i => scored[i]?.score as number)
  return { AP, severity: by(i => severity(lines[i] as string)).AP, chance: anomalies / units }
}

function print(name: string, { AP, severity, chance }: Judged): void {
  console.log(`${name.padEnd(34)} ${AP.toFixed(3)}  ${severity.toFixed(3).padStart(14)}  ${chance.toFixed(3)}`)
}
const mean = (all: readonly Judged[]): Judged => {
  const of = (key: keyof Judged) => all.reduce((sum, one) => sum + one[key], 0) / all.length
  return { AP: of('AP'), severity: of('severity'), chance: of('chance') }
}

export function lines(args: readonly string[]): void {
  const at = args.indexOf('--seed')
  const random = seededRandom(at < 0 ? 1 : Number(args[at + 1]))
  console.log(`${'average precision of lines'.padEnd(34)} score  severity alone  chance`)
  for (const [name, form] of Object.entries(FORMS)) {
    const made = madeUp(form, random)
    const text = made.map(({ line }) => line)
    const learned = TRAINED * LINES
    const labels = made.slice(learned).map(({ anomalous }) => anomalous)
    print(name, judge(text.slice(0, learned), text.slice(learned), labels))
  }
  const data = process.env.AEGIS_EVAL_DATA
  const folders = data === undefined ? [] : readdirSync(data).filter(name => name.startsWith('ci_'))
  for (const folder of folders) builds(join(data as string, folder))
  if (data === undefined) console.log('failing builds: not measured, AEGIS_EVAL_DATA names no folder with ci_*/annotations.jsonl')
}

function builds(folder: string): void {
  const list = join(folder, 'annotations.jsonl')
  if (!existsSync(list)) return
  const read = (file: string) => {
    const bytes = readFileSync(join(folder, file))
    return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').split('\n')
  }
  const judged: Judged[] = []
  for (const row of readFileSync(list, 'utf8').split('\n').filter(Boolean)) {
    const build = JSON.parse(row)
    if (build.fail === undefined || build.pass === undefined) continue
    const marked = Object.keys(build).flatMap(key =>
      key.startsWith('annotator') ? (build[key].error as [number, number][]) : [],
    )
    const failed = read(build.fail)
    judged.push(
      judge(
        read(build.pass),
        failed,
        failed.map((_, i) => marked.some(([first, last]) => first <= i + 1 && i + 1 <= last)),
      ),
    )
  }
  if (judged.length > 0) print(`${judged.length} failing builds, mean`, mean(judged))
}
