import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { csvLine, parseCsv } from '@aegis/recordings/log-tables'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { evalLogAnomaly } from './log-anomaly.ts'
import { anomalyFigures } from './log-figures.ts'
import { evalLogParsing } from './log-parsing.ts'

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

describe('average precision', () => {
  const ap = (...units: [score: number, anomalous: boolean][]) =>
    anomalyFigures(units.map(([score, anomalous]) => ({ score, anomalous, alert: false }))).AP
  it('is the mean of the precision at each anomaly, equal scores in their worst order', () => {
    expect(ap([4, true], [3, false], [2, true], [1, false])).toBeCloseTo((1 + 2 / 3) / 2)
    expect(ap([1, true], [1, false], [1, false], [0, true])).toBeCloseTo((1 / 3 + 2 / 4) / 2)
    expect(ap([1, false])).toBe(0)
  })
})

describe('eval log-parsing', () => {
  it('writes the final template of each line, labels or not', async () => {
    await put(
      'parsing/Shop_2k.log_structured_corrected.csv.gz',
      'LineId,Content\n1,"sent 5, ok"\n2,"sent 6, ok"\n3,"no ""answer"" from 1 2"\n4,"no ""answer"" from 1"\n',
    )
    await put('parsing_mixed/Mixed_2k.log_structured_corrected.csv.gz', 'LineId,Content,System\n1,up,a\n2,down,b\n')
    expect(await evalLogParsing({ data, out })).not.toContain('GA')
    const [head, ...rows] = await table('parsing/Shop.csv')
    expect(head).toEqual(['LineId', 'EventTemplate', 'ClusterId', 'FirstTemplate'])
    expect(rows.map(row => row[1])).toEqual(['sent <*>, ok', 'sent <*>, ok', 'no "answer" from <*>', 'no "answer" from <*>'])
    expect(rows[2]?.[3]).toBe('no "answer" from <*> <*>')
    expect(rows[2]?.[2]).toBe(rows[3]?.[2])
    expect((await table('parsing_mixed/Mixed.csv')).map(row => row[1])).toEqual(['EventTemplate', 'up', 'down'])
  })

  it('holds templates against true ones, where there are any', async () => {
    const rows = [
      ['sent 5, ok', 'sent <*>, ok'],
      ['sent 6, ok', 'sent <*>, ok'],
      // one template to us, two in the labels
      ['up 1', 'up <*>'],
      ['up 2', 'up 2'],
      // right group, other text
      ['down now', 'down <*>'],
    ]
    for (const name of ['A', 'B'])
      await put(
        `parsing/${name}_2k.log_structured_corrected.csv`,
        `LineId,Content,EventTemplate\n${rows.map((row, i) => csvLine([i + 1, ...row])).join('')}`,
      )
    const told = (await evalLogParsing({ data, out })).split('\n').map(row => row.split(/ {2,}/))
    // groups 3 of which 2 are right, 4 true; texts 3 of which 1 is right
    const figures = ['0.600', '0.571', '0.600', '0.286', '0.600']
    expect(told).toEqual([
      ['file', 'lines', 'templates', 'revised', 'GA', 'FGA', 'PA', 'FTA', 'firstPA'],
      ['parsing/A', '5', '3', '0', ...figures],
      ['parsing/B', '5', '3', '0', ...figures],
      ['mean of parsing/*', ...figures],
    ])
  })

  it('says what is wrong with a folder', async () => {
    await expect(evalLogParsing({ data, out })).rejects.toThrow('holds no log tables')
    await put('parsing/Shop_2k.log_structured_corrected.csv.gz', 'LineId,Text\n1,x\n')
    await expect(evalLogParsing({ data, out })).rejects.toThrow('no column Content: found LineId, Text')
  })
})

describe('eval log-anomaly', () => {
  it('tells sets apart by what they hold', async () => {
    const jobs = Array.from({ length: 200 }, (_, i) => i)
    const log = jobs.flatMap(i => [
      `2026-01-01 00:00:10 INFO a.B: opened job_${i}`,
      `2026-01-01 00:00:20 INFO a.B: closed job_${i}`,
    ])
    await put('anomaly_jobs/x.log.gz', [...log, '2026-01-01 00:00:30 INFO a.B: lost job_199', ''].join('\n'))
    await put(
      'anomaly_jobs/labels.csv',
      `UnitId,Split,SplitRandom\n${jobs.map(i => csvLine([`job_${i}`, i < 100 ? 'train' : 'test', i % 2 ? 'test' : 'train'])).join('')}`,
    )
    await put(
      'anomaly_events/sequences.csv.gz',
      `UnitId,Split,Events\n${jobs.map(i => csvLine([`s${i}`, i < 160 ? 'train' : 'test', i === 170 ? '1 9 2' : '1 2 3'])).join('')}`,
    )
    await put('anomaly_lines/x.log', [...jobs.map(i => `INFO served ${i}`), 'FATAL controller lost'].join('\n'))
    await put(
      'anomaly_lines/units.csv',
      `UnitId,Split\n${[...jobs, 200].map(i => csvLine([i + 1, i < 100 ? 'train' : 'test'])).join('')}`,
    )
    expect((await evalLogAnomaly({ data, out })).split('\n').map(row => row.split(/ {2,}/))).toEqual([
      ['file', 'kind', 'units', 'learned from', 'found', 'alerts'],
      ['anomaly_events.csv', 'sequences', '200', '160', '200', '1'],
      ['anomaly_jobs.csv', 'units in a log', '200', '100', '200', '1'],
      ['anomaly_jobs.SplitRandom.csv', 'units in a log', '200', '100', '200', '1'],
      ['anomaly_lines.csv', 'lines', '201', '100', '201', '1'],
    ])
    expect((await table('anomaly_jobs.csv')).filter(row => row[2] === '1').map(row => row[0])).toEqual(['job_199'])
    expect((await table('anomaly_lines.csv')).filter(row => row[2] === '1').map(row => row[0])).toEqual(['201'])
  })

  it('holds scores of single lines against labels, where there are any', async () => {
    const lines = Array.from({ length: 300 }, (_, i) =>
      i % 50 === 49 ? `FATAL disk ${i} does not answer` : i === 260 ? 'ERROR mirror of mail is late' : `INFO served ${i}`,
    )
    await put('anomaly_disks/x.log.gz', lines.join('\n'))
    const label = (text: string) => (text.startsWith('FATAL') ? 1 : 0)
    await put(
      'anomaly_disks/units.csv',
      `UnitId,Label,Split\n${lines.map((text, i) => csvLine([i + 1, label(text), i < 100 ? 'train' : 'test'])).join('')}`,
    )
    const [heads, row] = (await evalLogAnomaly({ data, out })).split('\n').map(text => text.split(/ {2,}/))
    expect(heads.slice(6)).toEqual(['anomalous', 'F1', 'precision', 'recall', 'AP'])
    const [anomalous, f1, precision, recall, ap] = row.slice(6)
    expect(anomalous).toBe('4 of 200')
    // the same from what was written, by the definitions
    const written = (await table('anomaly_disks.csv')).slice(101).map(([unit, score, alert]) => ({
      bad: label(lines[Number(unit) - 1]) === 1,
      score: Number(score),
      alert: alert === '1',
    }))
    const bad = written.filter(one => one.bad)
    const precisionOf = (found: typeof written) => found.filter(one => one.bad).length / found.length
    const alerts = written.filter(one => one.alert)
    const hits = bad.filter(one => one.alert).length
    expect([precision, recall]).toEqual([precisionOf(alerts).toFixed(3), (hits / 4).toFixed(3)])
    expect(f1).toBe(((2 * hits) / (alerts.length + 4)).toFixed(3))
    const atEach = bad.map(({ score }) => precisionOf(written.filter(one => one.score >= score)))
    expect(ap).toBe((atEach.reduce((sum, at) => sum + at, 0) / 4).toFixed(3))
    expect(hits).toBeGreaterThan(0)
  })

  it('says what is wrong with a folder', async () => {
    await expect(evalLogAnomaly({ data, out })).rejects.toThrow('holds no log anomaly sets')
    await put('anomaly_x/units.csv', 'Id\n1\n')
    await expect(evalLogAnomaly({ data, out })).rejects.toThrow('no table with a UnitId column')
  })
})
