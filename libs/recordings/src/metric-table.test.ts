import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NumberColumn, TimeColumn } from './cells.ts'
import { tableOfJson } from './metric-json.ts'
import { readMetricTable } from './metric-table.ts'

const START = Date.UTC(2026, 2, 14) / 1000
const read = (text: string) => readMetricTable(text, 'x.csv')
const shape = (text: string) => {
  const t = read(text)
  return { names: t.names, values: [...t.values], times: [...t.times], notes: t.notes }
}

describe('times', () => {
  const at = Date.UTC(2026, 2, 14, 15, 9, 26) / 1000
  it.each([
    '1773500966',
    '1773500966000',
    '1773500966000000',
    '1773500966000000000',
    '2026-03-14T15:09:26Z',
    '2026-03-14 15:09:26',
    '2026-03-14T16:09:26+01:00',
    '2026-03-14 15:09:26.000 +0000 UTC',
    '2026/3/14 15:09:26',
    '14.03.2026 15:09:26',
    '14/03/2026 15:09:26',
    '03/14/2026, 3:09:26 PM',
    '14-Mar-2026 15:09:26',
    '14. März 2026 15:09:26',
    'Mar 14, 2026, 3:09:26 pm',
    'Sat, 14 Mar 2026 15:09:26 GMT',
    'Sat Mar 14 2026 15:09:26 GMT+0000 (Coordinated Universal Time)',
    '20260314T150926Z',
    '20260314150926',
  ])('%s', cell => {
    expect(new TimeColumn([cell]).read(cell)).toBe(at)
  })
  it('day or month first is told by the column', () => {
    const seconds = (...cells: string[]) => new TimeColumn(cells).read(cells[0])
    expect(seconds('03/04/2026', '03/14/2026')).toBe(Date.UTC(2026, 2, 4) / 1000)
    expect(seconds('03/04/2026', '14/04/2026')).toBe(Date.UTC(2026, 3, 3) / 1000)
    expect(seconds('03.04.2026')).toBe(Date.UTC(2026, 3, 3) / 1000)
  })
  it.each(['yesterday', '2026-13-01', '2026-02-30', 'high', '25:99'])('%s is no time', cell => {
    expect(new TimeColumn([cell]).read(cell)).toBeNaN()
  })
})

describe('numbers', () => {
  it.each([
    [
      ['1,5', '2,25'],
      [1.5, 2.25],
    ],
    [
      ['1.234,5', '999,0'],
      [1234.5, 999],
    ],
    [
      ['1,234.5', '999.0'],
      [1234.5, 999],
    ],
    [
      ['1,234', '5,678', '1.5'],
      [1234, 5678, 1.5],
    ],
    [
      ["1'234.5", '1 234.5', '1\u202f234.5'],
      [1234.5, 1234.5, 1234.5],
    ],
    [
      ['50 %', '7%'],
      [50, 7],
    ],
    [
      ['900 KiB', '2 MiB', '3 MiB'],
      [900 / 1024, 2, 3],
    ],
    [
      ['1.5 s', '250 ms', '2 s'],
      [1.5, 0.25, 2],
    ],
    [
      ['1.2 K', '900', '3 K'],
      [1.2, 0.9, 3],
    ],
    [
      ['$5.50', '€7'],
      [5.5, 7],
    ],
    [
      ['1e3', '-2E-1', '+4', '−3'],
      [1000, -0.2, 4, -3],
    ],
    [
      ['true', 'false'],
      [1, 0],
    ],
  ])('%j', (cells, values) => {
    const column = new NumberColumn(cells, false)
    expect(cells.map(c => column.read(c))).toEqual(values)
  })
  it.each(['', 'NaN', 'null', '-', 'N/A', '—'])('nothing stands in "%s"', cell => {
    expect(new NumberColumn([cell, '1'], false).read(cell)).toBeNaN()
  })
  it('what is no number is none', () => {
    const column = new NumberColumn(['1 ms', 'high'], false)
    expect([column.read('high'), column.read('3 MiB'), column.read('1:2')]).toEqual([undefined, undefined, undefined])
  })
})

describe('forms of tables', () => {
  const wide = { names: ['cpu', 'mem'], values: [1, 2, 3, 4], times: [START, START + 60], notes: [] }
  it.each([
    ['plain', `t,cpu,mem\n${START},1,2\n${START + 60},3,4\n`],
    ['a mark, CRLF and quotes', `\ufeff"Time","cpu","mem"\r\n"${START}","1","2"\r\n"${START + 60}","3","4"\r\n`],
    ['tabs', `time\tcpu\tmem\n${START}\t1\t2\n${START + 60}\t3\t4`],
    ['Excel', 'sep=;\nZeit;cpu;mem\n14.03.2026 00:00;1,0;2,0\n14.03.2026 00:01;3,0;4,0\n'],
    ['an index of rows', `,ts,cpu,mem\n0,2026-03-14,1,2\n1,2026-03-14 00:01,3,4\n`],
    ['an index without a name', `cpu,mem\n2026-03-14 00:00,1,2\n2026-03-14 00:01,3,4\n`],
    ['date and clock apart', 'Date,Time,cpu,mem\n2026-03-14,00:00:00,1,2\n2026-03-14,00:01:00,3,4\n'],
    ['the time behind', `cpu,mem,timestamp\n1,2,${START}\n3,4,${START + 60}\n`],
    [
      'a title, a comment and a row of units',
      `Export of the board\n# made by hand\n\nt,cpu,mem\ns,%,MiB\n${START},1,2\n${START + 60},3,4\n`,
    ],
    ['the newest first', `t,cpu,mem\n${START + 60},3,4\n${START},1,2\n`],
    ['a header again', `t,cpu,mem\n${START},1,2\nt,cpu,mem\n${START + 60},3,4\n`],
    ['long', `time,metric,value\n${START},cpu,1\n${START},mem,2\n${START + 60},cpu,3\n${START + 60},mem,4\n`],
    [
      'long, a series behind the other',
      `Series;Time;Value\ncpu;${START};1\ncpu;${START + 60};3\nmem;${START};2\nmem;${START + 60};4\n`,
    ],
    ['a row a series', 'metric,2026-03-14T00:00:00Z,2026-03-14T00:01:00Z\ncpu,1,3\nmem,2,4\n'],
    [
      'annotated CSV of InfluxDB',
      `#group,false,false,true,true,false,false,true\n#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string\n#default,_result,,,,,,\n,result,table,_start,_stop,_time,_value,_field\n${[
        'cpu,1,3',
        'mem,2,4',
      ]
        .map((line, n) => {
          const [name, a, b] = line.split(',')
          const row = (minute: number, v: string) =>
            `,,${n},2026-03-13T00:00:00Z,2026-03-15T00:00:00Z,2026-03-14T00:0${minute}:00Z,${v},${name}`
          return `${row(0, a)}\n${row(1, b)}`
        })
        .join('\n\n')}\n`,
    ],
  ])('%s', (_, text) => {
    expect(shape(text)).toEqual(wide)
  })
  it('a series by several labels, and several values a row', () => {
    const text = `time,host,zone,cpu,mem\n${START},a,x,1,2\n${START},b,x,3,4\n${START + 60},a,x,5,6\n${START + 60},b,x,,8\n`
    expect(shape(text)).toMatchObject({ names: ['a cpu', 'a mem', 'b cpu', 'b mem'], values: [1, 2, 3, 4, 5, 6, Number.NaN, 8] })
  })
  it('names with commas, numbers, and twice', () => {
    expect(read(`t,"a{b=""c"",d=""e""}",5,5\n1,1,2,3\n2,1,2,3\n`).names).toEqual(['a{b="c",d="e"}', '5', '5 (2)'])
  })
})

describe('what cannot be read is named, and the rest is read', () => {
  it('cells, rows and columns', () => {
    const { values, notes } = shape('t,cpu,state,mem\n1,1,up!,2\n2,what,ok!,3\n3,4,ok!\nsum,9,,9\n5,,ok!,5\n')
    expect(values).toEqual([1, 2, Number.NaN, 3, Number.NaN, 5])
    expect(notes).toEqual([
      'x.csv, line 4: 3 columns where the header has 4; left out',
      'x.csv, line 5, column t: "sum" is no time; the row is left out',
      'x.csv, line 3, column cpu: "what" is not a number',
      'x.csv: column state is left out: no cell of it is a number ("up!" in line 2)',
    ])
  })
  it('not one by one when there are many', () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i},${i % 3 ? i : 'odd'}`)
    expect(read(`t,a\n${rows.join('\n')}`).notes.at(-1)).toBe('x.csv: and 9 more like these')
  })
  it.each([
    ['t,cpu\n1,high\n2,low\n', 'x.csv, line 2, column cpu: "high" is not a number'],
    ['when,cpu\nsoon,1\nlater,2\n', 'x.csv, line 2, column when: "soon" is no time'],
    ['t,cpu\n', 'expected a header'],
    ['', 'expected a header'],
    ['t,"cpu\n1,2', 'a quoted field is not closed'],
  ])('%j is refused', (text, words) => {
    expect(() => read(text)).toThrow(words)
  })
})

describe('JSON', () => {
  const of = (document: unknown) => read(tableOfJson(document, 'x.json'))
  it('of Prometheus, CloudWatch, Grafana and notebooks', () => {
    const matrix = {
      data: {
        resultType: 'matrix',
        result: [
          {
            metric: { __name__: 'up', job: 'a' },
            values: [
              [START, '1'],
              [START + 60, 'NaN'],
            ],
          },
          { metric: { __name__: 'up', job: 'b' }, values: [[START, '0']] },
        ],
      },
    }
    expect(of(matrix)).toMatchObject({ names: ['up{job="a"}', 'up{job="b"}'], count: 2 })
    expect(
      of({ MetricDataResults: [{ Label: 'CPU', Timestamps: ['2026-03-14T00:01:00Z', '2026-03-14T00:00:00Z'], Values: [2, 1] }] }),
    ).toMatchObject({ names: ['CPU'], values: Float64Array.of(1, 2) })
    expect(
      of({
        Label: 'CPU',
        Datapoints: [
          { Timestamp: '2026-03-14T00:00:00Z', Average: 3, Unit: 'Percent' },
          { Timestamp: '2026-03-14T00:05:00Z', Average: 4, Unit: 'Percent' },
        ],
      }),
    ).toMatchObject({ names: ['CPU'], count: 2 })
    expect(
      of([
        { t: START, cpu: 1 },
        { t: START + 60, cpu: null },
      ]),
    ).toMatchObject({ names: ['cpu'], count: 2 })
    expect(() => of({ a: 1 })).toThrow('JSON without series')
  })
})

it('the same table is read from every way of writing it', () => {
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map(v => Math.round(v * 100) / 100)
  const styles = fc.constantFrom(
    { by: ',', number: (v: number) => v.toFixed(2), time: (s: number) => new Date(s * 1000).toISOString() },
    {
      by: ';',
      number: (v: number) => v.toFixed(2).replace('.', ','),
      time: (s: number) => new Date(s * 1000).toISOString().replace(/^(\d+)-(\d+)-(\d+)T(.{8}).*/, '$3.$2.$1 $4'),
    },
    { by: '\t', number: (v: number) => v.toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ','), time: (s: number) => String(s * 1000) },
    {
      by: ',',
      number: (v: number) => `"${v.toFixed(2)} ms"`,
      time: (s: number) => new Date(s * 1000).toISOString().replace(/^(\d+)-(\d+)-(\d+)T(.{8}).*/, '$2/$3/$1 $4'),
    },
  )
  fc.assert(
    fc.property(
      fc.array(fc.tuple(value, value), { minLength: 25, maxLength: 60 }),
      styles,
      fc.constantFrom('\n', '\r\n'),
      (rows, style, end) => {
        const lines = [['t', 'a', 'b'], ...rows.map((r, i) => [style.time(START + i * 43_200), ...r.map(style.number)])]
        const t = read(lines.map(l => l.join(style.by)).join(end))
        expect([...t.values]).toEqual(rows.flat().map(v => Number(v.toFixed(2))))
        expect([...t.times]).toEqual(rows.map((_, i) => START + i * 43_200))
      },
    ),
  )
})
