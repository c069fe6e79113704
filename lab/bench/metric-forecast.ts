/**
 * How early "will cross its limit" is said, and how often in vain. Made-up series: half of them leak from some moment on, half only have their day and noise.
 * With `--data FOLDER`, also every metric of the series there that have train.csv and test.csv: its limit lies a tenth of its range above all it did in train.
 * `--ahead` is how far is looked, in seconds. Last accepted figures: metric-anomaly.json.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { normal, seededRandom } from '@aegis/learning/random'
import { readMetrics } from '@aegis/recordings/read-metrics'
import { type Crossings, evaluateCrossings } from '../evaluation/crossings.ts'
import { seriesUnder } from '../evaluation/metric-anomaly.ts'

const { values: options } = parseArgs({ options: { data: { type: 'string' }, ahead: { type: 'string', default: '3600' } } })
const ahead = Number(options.ahead)
const DAY = 1440
const DAYS = 4

function summary(found: readonly Crossings[], seriesDays: number) {
  const leads = found.flatMap(f => f.leads).sort((a, b) => a - b)
  const errors = found.flatMap(f => f.errors.map(Math.abs)).sort((a, b) => a - b)
  const sum = (of: (f: Crossings) => number) => found.reduce((a, f) => a + of(f), 0)
  const minutes = (sorted: number[], share: number) =>
    sorted.length === 0 ? null : Math.round(sorted[Math.floor(share * (sorted.length - 1))] / 6) / 10
  return {
    crossings: sum(f => f.crossings),
    foretold: leads.length,
    /** Of all crossings, those foretold ten minutes and more before. */
    tenMinutesAhead:
      leads.filter(lead => lead >= 600).length /
      Math.max(
        1,
        sum(f => f.crossings),
      ),
    leadMinutes: { p10: minutes(leads, 0.1), p50: minutes(leads, 0.5), p90: minutes(leads, 0.9) },
    errorMinutesP50: minutes(errors, 0.5),
    predictions: sum(f => f.predictions),
    vain: sum(f => f.vain),
    vainAWeek: Number(((7 * sum(f => f.vain)) / seriesDays).toFixed(3)),
    vainPerSeriesAndDay: Number((sum(f => f.vain) / seriesDays).toFixed(4)),
  }
}

function madeUp(leaks: boolean) {
  const random = seededRandom(leaks ? 21 : 22)
  return Array.from({ length: 60 }, () => {
    const wave = 10 * random()
    const noise = 0.5 + 3 * random()
    const from = (1 + random()) * DAY
    // Full after one to twelve hours.
    const slope = leaks ? 50 / (60 + 660 * random()) : 0
    const times: number[] = []
    const values: number[] = []
    for (let i = 0; i < DAYS * DAY && (values[values.length - 1] ?? 0) < 110; i++) {
      times.push(i * 60)
      values.push(50 + wave * Math.sin((2 * Math.PI * i) / DAY) + noise * normal(random) + slope * Math.max(0, i - from))
    }
    return evaluateCrossings(times, values, 100, ahead)
  })
}

async function recorded(folder: string) {
  const found: Crossings[] = []
  let days = 0
  for (const series of await seriesUnder(folder)) {
    if (series.train === undefined) continue
    const [train, test] = [
      await readMetrics(join(series.folder, series.train)),
      await readMetrics(join(series.folder, series.test)),
    ]
    for (let m = 0; m < test.metrics; m++) {
      const pick = (t: typeof test) => Float64Array.from({ length: t.count }, (_, i) => t.values[i * t.metrics + m])
      const past = pick(train).filter(Number.isFinite)
      const [low, high] = [past.reduce((a, b) => Math.min(a, b)), past.reduce((a, b) => Math.max(a, b))]
      if (high === low) continue
      found.push(evaluateCrossings(test.times, pick(test), high + 0.1 * (high - low), ahead))
      days += (test.times[test.count - 1] - test.times[0]) / 86_400
    }
  }
  return summary(found, days)
}

console.log(
  JSON.stringify(
    {
      aheadSeconds: ahead,
      leaks: summary(madeUp(true), 60 * DAYS),
      calm: summary(madeUp(false), 60 * DAYS),
      ...(options.data && { recorded: await recorded(options.data) }),
    },
    null,
    2,
  ),
)
