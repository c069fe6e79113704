/**
 * Lines a CPU-second of the template miner on one core, masks on, beside Drain3 in the same run.
 *
 * Input: a folder named by AEGIS_EVAL_DATA with `anomaly_hdfs/*.log.gz` (one system) and `parsing_mixed/*.csv.gz` (many in one stream). Drain3 is
 * installed into a virtual environment of its own under the temporary folder, or taken from the interpreter given with `--python`.
 * `--skip-drain3` measures the miner alone; `--labelled` prints what lines are understood as instead (log-mining-labelled.ts), and needs no folder; `--windows` what the ensemble over windows is worth and costs (log-mining-windows.ts);
 * `--adversary` memory and counts under lines made to hurt it (log-mining-adversary.ts); `--lines` how well single lines are ranked (log-mining-lines.ts). Last accepted figures: log-mining.json.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parseLine, TemplateMiner } from '@aegis/log-mining'
import { runLabelled } from './log-mining-labelled.ts'

const DRAIN3 = `
import sys, time
from drain3 import TemplateMiner
from drain3.template_miner_config import TemplateMinerConfig
from drain3.masking import MaskingInstruction as M
lines = open(sys.argv[1], encoding='utf-8', errors='replace').read().split('\\n')
generic = [
    M(r'((?<=[^A-Za-z0-9])|^)(([0-9a-f]{2,}:){3,}([0-9a-f]{2,}))((?=[^A-Za-z0-9])|$)', 'ID'),
    M(r'((?<=[^A-Za-z0-9])|^)(\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3})((?=[^A-Za-z0-9])|$)', 'IP'),
    M(r'((?<=[^A-Za-z0-9])|^)([0-9a-f]{6,} ?){3,}((?=[^A-Za-z0-9])|$)', 'SEQ'),
    M(r'((?<=[^A-Za-z0-9])|^)([0-9A-F]{4} ?){4,}((?=[^A-Za-z0-9])|$)', 'SEQ'),
    M(r'((?<=[^A-Za-z0-9])|^)(0x[a-f0-9A-F]+)((?=[^A-Za-z0-9])|$)', 'HEX'),
    M(r'((?<=[^A-Za-z0-9])|^)([\\-\\+]?\\d+)((?=[^A-Za-z0-9])|$)', 'NUM'),
]
for name, masks in (('default', []), ('masked', generic)):
    config = TemplateMinerConfig()
    config.masking_instructions = masks
    miner = TemplateMiner(config=config)
    start = time.process_time()
    for line in lines:
        miner.add_log_message(line)
    print(name, round(len(lines) / (time.process_time() - start)))
`

export interface LogMiningFigures {
  readonly input: string
  readonly lines: number
  /** First pass of a process (most of its cost is V8 compiling the miner), and the best of the passes after it, each with a fresh miner. */
  readonly coldPerSecond: number
  readonly linesPerSecond: number
  readonly templates: number
  readonly drain3PerSecond?: number
  readonly drain3MaskedPerSecond?: number
}

export async function run(args: readonly string[] = []): Promise<readonly LogMiningFigures[]> {
  if (args.includes('--windows')) {
    await (await import('./log-mining-windows.ts')).windows(args)
    return []
  }
  if (args.includes('--adversary')) {
    ;(await import('./log-mining-adversary.ts')).adversary(args)
    return []
  }
  if (args.includes('--lines')) {
    ;(await import('./log-mining-lines.ts')).lines(args)
    return []
  }
  if (args.includes('--labelled')) {
    await runLabelled(args)
    return []
  }
  const data = process.env.AEGIS_EVAL_DATA
  if (data === undefined) throw new Error('set AEGIS_EVAL_DATA to a folder with anomaly_hdfs and parsing_mixed in it')
  const inputs = [
    { input: 'one system', lines: hdfsBodies(join(data, 'anomaly_hdfs')).map(alone) },
    { input: 'mixed', lines: repeated(mixedBodies(join(data, 'parsing_mixed')).map(alone), 60_000) },
  ]
  const scratch = mkdtempSync(join(tmpdir(), 'aegis-bench-'))
  try {
    const python = args.includes('--skip-drain3') ? undefined : (argument(args, '--python') ?? installDrain3(scratch))
    return inputs.map(({ input, lines }) => {
      const passes = Array.from({ length: 4 }, () => measure(lines))
      const drain3: Partial<ReturnType<typeof measureDrain3>> = python === undefined ? {} : measureDrain3(python, scratch, lines)
      const figures: LogMiningFigures = {
        input,
        lines: lines.length,
        coldPerSecond: passes[0]?.perSecond ?? 0,
        linesPerSecond: Math.max(...passes.slice(1).map(({ perSecond }) => perSecond)),
        templates: passes[0]?.templates ?? 0,
        ...drain3,
      }
      console.log(JSON.stringify(figures))
      const ratio =
        figures.drain3MaskedPerSecond === undefined ? undefined : figures.linesPerSecond / figures.drain3MaskedPerSecond
      console.log(
        `${input}: ${figures.linesPerSecond} lines a CPU-second (cold ${figures.coldPerSecond}), ${ratio === undefined ? 'Drain3 not measured' : `${ratio.toFixed(1)} times Drain3 with generic masks`}`,
      )
      return figures
    })
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Lines a stage is handed at once. */
const BATCH = 500

function measure(lines: readonly string[]): { perSecond: number; templates: number } {
  const miner = new TemplateMiner()
  const learn = (batch: readonly string[]) => {
    for (const line of batch) miner.learn(line)
  }
  const start = process.cpuUsage()
  for (let i = 0; i < lines.length; i += BATCH) learn(lines.slice(i, i + BATCH))
  const { user, system } = process.cpuUsage(start)
  return { perSecond: Math.round((lines.length / (user + system)) * 1e6), templates: miner.templates().length }
}

function measureDrain3(python: string, scratch: string, lines: readonly string[]) {
  const input = join(scratch, 'lines.txt')
  const script = join(scratch, 'drain3_speed.py')
  writeFileSync(input, lines.join('\n'))
  writeFileSync(script, DRAIN3)
  const out = execFileSync(python, [script, input], { encoding: 'utf8' })
  const figure = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(out)?.[1])
  return { drain3PerSecond: figure('default'), drain3MaskedPerSecond: figure('masked') }
}

function installDrain3(scratch: string): string {
  const venv = join(scratch, 'venv')
  execFileSync('python3', ['-m', 'venv', venv])
  execFileSync(join(venv, 'bin', 'pip'), ['install', '--quiet', 'drain3'], { stdio: ['ignore', 'ignore', 'inherit'] })
  return join(venv, 'bin', 'python')
}

function hdfsBodies(folder: string): string[] {
  const file = readdirSync(folder).find(name => name.endsWith('.log.gz'))
  if (file === undefined) throw new Error(`${folder} holds no .log.gz`)
  const text = gunzipSync(readFileSync(join(folder, file))).toString('utf8')
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => parseLine(line).body)
}

/** The column Content of the one table there, with its quoting undone. */
function mixedBodies(folder: string): string[] {
  const file = readdirSync(folder).find(name => name.endsWith('.csv.gz'))
  if (file === undefined) throw new Error(`${folder} holds no .csv.gz`)
  const [head, ...rows] = gunzipSync(readFileSync(join(folder, file)))
    .toString('utf8')
    .split('\n')
    .filter(row => row !== '')
    .map(row => [...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(m => (m[1] ?? m[2] ?? '').replaceAll('""', '"')))
  const content = head?.indexOf('Content') ?? -1
  if (content < 0) throw new Error(`${file} has no column Content`)
  return rows.map(row => row[content] ?? '')
}

/** A string of its own, as lines are that come one by one: V8 keeps what was cut from a file as a window on the whole of it, which is slower to read. */
const alone = (line: string): string => Buffer.from(line).toString()

function repeated(lines: readonly string[], least: number): string[] {
  const out: string[] = []
  while (out.length < least) out.push(...lines)
  return out
}

function argument(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name)
  return at < 0 ? undefined : args[at + 1]
}

if (import.meta.main) await run(process.argv.slice(2))
