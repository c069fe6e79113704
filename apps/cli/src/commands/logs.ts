import { createInterface } from 'node:readline'
import { AegisError } from '@aegis/domain'
import { severities } from '@aegis/log-mining'
import { openFile } from '@aegis/recordings/open-file'
import { Command, Option } from 'commander'
import { hintsFor } from '../logs/hints.ts'
import { findingsText, LogModel } from '../logs/log-model.ts'
import { ChainReader, chainText, parseRange } from '../logs/read-chain.ts'
import { LogReader, type LogReport, type TemplateRow } from '../logs/read-log.ts'
import { EventWriter } from '../logs/write-events.ts'
import { Progress } from '../progress.ts'

interface Options {
  json?: boolean
  events?: boolean
  zone?: string
  formats?: string
  top: string
  samples: string
  sort: 'lines' | 'first' | 'score'
  severity?: string
  service?: string
  chain?: string
  train?: string
  model?: string
}
const COLUMNS = 24
const BARS = ' ▁▂▃▄▅▆▇█'

export const logsCommand = (): Command =>
  new Command('logs')
    .argument('<file>', 'a log of any format, .gz too, or - for standard input')
    .option('--json', 'the whole report as JSON')
    .option('--events', 'instead, every event as a line of JSON, in the order of their first lines')
    .option('--zone <zone>', 'zone of times that name none, such as Europe/Berlin or +02:00 (default: AEGIS_LOG_ZONE, else UTC)')
    .option('--formats <file>', 'formats of your own, YAML or JSON (default: AEGIS_LOG_FORMATS)')
    .option('--top <n>', 'how many templates to list', '25')
    .option('--samples <n>', 'lines quoted per template', '1')
    .addOption(new Option('--sort <by>', 'order of the templates').choices(['lines', 'first', 'score']).default('lines'))
    .addOption(new Option('--severity <level>', 'only templates at least so severe').choices([...severities]))
    .option('--service <name>', 'service the lines come from; otherwise found out')
    .option('--chain <from..to>', 'instead, the bad events of two times or line numbers, in order, with what ties them together')
    .option('--train <model.json>', 'learn what each service usually logs, and write it there')
    .option('--model <model.json>', 'tell what is unlike the model that was learned from another file')
    .addHelpText(
      'after',
      '\nReads the file as the log-parser service would: formats, stack traces joined, secrets taken out, templates.' +
        '\nNothing is sent anywhere. The bars show when each template was logged, from the first line to the last.',
    )
    .action(run)

async function run(file: string, options: Options): Promise<void> {
  const [top, samples] = [count('--top', options.top), count('--samples', options.samples)]
  const chain = options.chain === undefined ? undefined : new ChainReader(parseRange(options.chain))
  const model = options.model ? LogModel.read(options.model) : options.train ? new LogModel() : undefined
  const hints = hintsFor(file, options)
  const written = options.events ? new EventWriter() : undefined
  const reader = new LogReader({
    arrival: Date.now() * 1000,
    hints,
    onHeard: written && ((event, heard) => written.event(event, heard)),
    service: options.service,
    samples: Math.max(1, samples),
    onEvent: (event, line) => {
      chain?.event(event, line)
      model?.event(event, line)
    },
  })
  const progress = new Progress('lines', 0)
  try {
    // Lines end at \n only; a \r before it is the parser's to remove.
    for await (const line of createInterface({ input: openFile(file, 'name a log file in it'), crlfDelay: 0 })) {
      await reader.line(line)
      progress.add(1)
    }
  } catch (cause) {
    if (cause instanceof AegisError) throw cause
    throw new AegisError('INPUT_INVALID', `${file} cannot be read to its end: ${(cause as Error).message}`, { cause })
  }
  progress.end()
  const report = await reader.finish(COLUMNS)
  if (written) {
    process.stdout.write(written.text())
    return
  }
  model?.end()
  const told = chain?.finish(Math.max(top, 1))
  if (options.train) model?.write(options.train)
  if (options.json) {
    const more = { ...(told ? { chain: told } : {}), ...(model ? { findings: model.findings } : {}) }
    process.stdout.write(`${JSON.stringify({ file, ...report, ...more }, null, 2)}\n`)
    return
  }
  if (told) console.log(chainText(told))
  else console.log(reportText(file, report, { ...options, top, samples }))
  if (options.model && model) console.log(`\n${findingsText(model.findings, Math.max(top, 1))}`)
  if (options.train)
    console.log(`\nwhat its services usually log is in ${options.train}: --model ${options.train} tells what is unlike it`)
}

function count(option: string, text: string): number {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 0) throw new AegisError('INPUT_INVALID', `${option} must be a whole number, not ${text}`)
  return n
}

/** The report for a person: what it is, when each template was logged, and what is worth reading. */
export function reportText(
  file: string,
  report: LogReport,
  { top, samples, sort, severity }: { top: number; samples: number; sort: Options['sort']; severity?: string },
): string {
  const out: string[] = []
  const when = report.from === null ? '' : `, ${iso(report.from)} to ${iso(report.to as number)}`
  out.push(`${file}: ${report.lines} lines, ${report.events} events, ${report.templates.length} templates${when}`)
  if (report.events === 0) return `${out[0]}\nnothing in it`
  out.push(`severity  ${listed(report.severities)}`)
  out.push(`services  ${listed(report.services)}`, '')
  const least = severity ? severities.indexOf(severity as never) : 0
  const rows = report.templates.filter(t => severities.indexOf(worstOf(t) as never) >= least)
  const order = { lines: () => 0, first: byFirst, score: byScore }[sort]
  const shown = [...rows].sort(order).slice(0, top)
  const width = Math.max(5, String(shown[0]?.lines ?? 0).length, ...shown.map(t => String(t.lines).length))
  if (shown.length > 0) out.push(`${'lines'.padStart(width)}  ${'over time'.padEnd(COLUMNS)}  severity  template`)
  for (const t of shown) {
    out.push(
      `${String(t.lines).padStart(width)}  ${sparkline(t.over_time)}  ${worstOf(t).padEnd(8)}  ${short(t.template, 160) || '(empty)'}`,
    )
    for (const sample of t.samples.slice(0, samples))
      out.push(`${' '.repeat(width + COLUMNS + 14)}${short(`line ${t.first_line}: ${sample}`, 160)}`)
  }
  if (rows.length > shown.length) out.push(`${' '.repeat(width)}  … ${rows.length - shown.length} more: --top ${rows.length}`)
  const strange = report.templates.filter(t => t.score >= 1).sort(byScore)
  out.push('', strange.length === 0 ? 'nothing in it stands out' : 'worth reading:')
  for (const t of strange.slice(0, 10))
    out.push(
      `  line ${t.first_line}${t.events > 1 ? ` and ${t.events - 1} more` : ''} (${t.reasons.join(', ')}): ${short(t.samples[0], 200)}`,
    )
  if (strange.length > 10) out.push(`  … ${strange.length - 10} more: --sort score`)
  return out.join('\n')
}

const byFirst = (a: TemplateRow, b: TemplateRow) => a.first_line - b.first_line
const byScore = (a: TemplateRow, b: TemplateRow) => b.score - a.score || a.first_line - b.first_line
const worstOf = (t: TemplateRow): string => [...severities].reverse().find(s => t.severities[s]) ?? 'INFO'
const iso = (us: number): string => new Date(us / 1000).toISOString().replace('.000', '')
const short = (text: string, most: number): string => {
  const line = text.split('\n', 1)[0]
  return line.length > most ? `${line.slice(0, most - 1)}…` : line
}
const listed = (counts: Readonly<Record<string, number>>): string => {
  const all = Object.entries(counts).sort((a, b) => b[1] - a[1])
  return (
    all
      .slice(0, 8)
      .map(([name, n]) => `${name} ${n}`)
      .join('  ') + (all.length > 8 ? `  and ${all.length - 8} more` : '')
  )
}
const sparkline = (counts: readonly number[]): string => {
  const most = Math.max(1, ...counts)
  return counts.map(n => BARS[n === 0 ? 0 : Math.max(1, Math.round((8 * n) / most))]).join('')
}
