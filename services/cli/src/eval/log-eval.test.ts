import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { evalLogAnomaly } from './log-anomaly.ts'
import { evalLogParsing } from './log-parsing.ts'
import { csvLine, parseCsv } from './log-tables.ts'

let data: string
let out: string
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'aegis-eval-'))
  out = join(data, 'out')
})
afterEach(() => rm(data, { recursive: true, force: true }))

const put = async (path: string, text: string) => {
  await mkdir(join(data, path, '..'), { recursive: true })
  await writeFile(join(data, path), path.endsWith('.gz') ? gzipSync(text) : text)
}
const table = async (path: string) => parseCsv(await readFile(join(out, path), 'utf8'))

describe('tables', () => {
  it('reads quotes, line ends and stray text as Python does', () => {
    expect(parseCsv('\ufeffa,b\r\n"x ""y""\nz",1\n"p"q,"r"\n,\n')).toEqual([
      ['a', 'b'],
      ['x "y"\nz', '1'],
      ['pq', 'r'],
      ['', ''],
    ])
  })
})

describe('eval log-parsing', () => {
  it('writes the final template of each line, labels or not', async () => {
    await put(
      'parsing/Shop_2k.log_structured_corrected.csv.gz',
      'LineId,Content\n1,"sent 5, ok"\n2,"sent 6, ok"\n3,"no ""answer"" from 1 2"\n4,"no ""answer"" from 1"\n',
    )
    await put('parsing_mixed/Mixed_2k.log_structured_corrected.csv.gz', 'LineId,Content,System\n1,up,a\n2,down,b\n')
    await evalLogParsing({ data, out })
    const [head, ...rows] = await table('parsing/Shop.csv')
    expect(head).toEqual(['LineId', 'EventTemplate', 'ClusterId', 'FirstTemplate'])
    expect(rows.map(row => row[1])).toEqual(['sent <*>, ok', 'sent <*>, ok', 'no "answer" from <*>', 'no "answer" from <*>'])
    expect(rows[2]?.[3]).toBe('no "answer" from <*> <*>')
    expect(rows[2]?.[2]).toBe(rows[3]?.[2])
    expect((await table('parsing_mixed/Mixed.csv')).map(row => row[1])).toEqual(['EventTemplate', 'up', 'down'])
  })

  it('says what is wrong with a folder', async () => {
    await expect(evalLogParsing({ data, out })).rejects.toThrow('holds no log tables')
    await put('parsing/Shop_2k.log_structured_corrected.csv.gz', 'LineId,Text\n1,x\n')
    await expect(evalLogParsing({ data, out })).rejects.toThrow('no column Content: found LineId, Text')
  })
})

describe('eval log-anomaly', () => {
  it('tells sets apart by what they hold', async () => {
    const jobs = Array.from({ length: 80 }, (_, i) => i)
    const log = jobs.flatMap(i => [
      `2026-01-01 00:00:10 INFO a.B: opened job_${i}`,
      `2026-01-01 00:00:20 INFO a.B: closed job_${i}`,
    ])
    await put('anomaly_jobs/x.log.gz', [...log, '2026-01-01 00:00:30 INFO a.B: lost job_79', ''].join('\n'))
    await put(
      'anomaly_jobs/labels.csv',
      `UnitId,Split,SplitRandom\n${jobs.map(i => csvLine([`job_${i}`, i < 40 ? 'train' : 'test', i % 2 ? 'test' : 'train'])).join('')}`,
    )
    await put(
      'anomaly_events/sequences.csv.gz',
      `UnitId,Split,Events\n${jobs.map(i => csvLine([`s${i}`, i < 60 ? 'train' : 'test', i === 70 ? '1 9 2' : '1 2 3'])).join('')}`,
    )
    await put('anomaly_lines/x.log', [...jobs.map(i => `INFO served ${i}`), 'FATAL controller lost'].join('\n'))
    await put(
      'anomaly_lines/units.csv',
      `UnitId,Split\n${[...jobs, 80].map(i => csvLine([i + 1, i < 40 ? 'train' : 'test'])).join('')}`,
    )
    const { files } = await evalLogAnomaly({ data, out })
    expect(files.map(({ name, units, alerts }) => `${name} ${units} ${alerts}`)).toEqual([
      'anomaly_events.csv 80 1',
      'anomaly_jobs.csv 80 1',
      'anomaly_jobs.SplitRandom.csv 80 1',
      'anomaly_lines.csv 81 1',
    ])
    expect((await table('anomaly_jobs.csv')).filter(row => row[2] === '1').map(row => row[0])).toEqual(['job_79'])
    expect((await table('anomaly_lines.csv')).filter(row => row[2] === '1').map(row => row[0])).toEqual(['81'])
  })

  it('says what is wrong with a folder', async () => {
    await expect(evalLogAnomaly({ data, out })).rejects.toThrow('holds no log anomaly sets')
    await put('anomaly_x/units.csv', 'Id\n1\n')
    await expect(evalLogAnomaly({ data, out })).rejects.toThrow('no table with a UnitId column')
  })
})
