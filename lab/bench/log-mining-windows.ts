/**
 * `npm run bench -- log-mining --windows`: what the ensemble over windows of log lines is worth, and what it costs the loop it runs in.
 *
 * Worth: made-up services whose lines come from a few activities (an order, a search, a nightly job), each writing several templates; the load wanders, the shares of
 * the activities do too. Strange stretches are put in and labelled. Told apart: what the rates of single templates find, what the mix finds, what both do; and the
 * members of the ensemble one by one, by average precision. `--services` and `--seed` for more of it.
 * Cost: the longest tick of the stage with 300 entities, in ordinary life and just after a restart, when every model is fitted anew.
 */

import { LogWatch } from '@aegis/anomaly-detection/logs/log-watch'
import { type WindowCounts, WindowEnsemble } from '@aegis/anomaly-detection/logs/window-ensemble'
import { DetectLogAnomalies } from '@aegis/anomaly-detector/detect-log-anomalies'
import { type Input, type LogEvent, logsParsed, seededRandom } from '@aegis/domain'
import { received, tick } from '@aegis/runtime/testing'

const WINDOWS = 2400
const LEARNED = 300
const EVERY = 300
const LASTS = 8
const TEMPLATES = 24
const WINDOW_US = 5_000_000
/** Windows of a mix, as LogWatch has it. */
const MIX = 6

/** What is put in: each leaves every template it touches known, and most of them within what they alone have been seen at. */
const KINDS = [
  'a step is missing',
  'activities change places',
  'steps fail and are tried again',
  'a path never taken',
  'lines come twice',
] as const
type Kind = (typeof KINDS)[number]

interface Service {
  /** Templates of each activity with the lines of each per run. */
  readonly activities: readonly (readonly { readonly slot: number; readonly lines: number }[])[]
  readonly runs: readonly number[]
}
interface Window {
  readonly counts: WindowCounts
  readonly kind: Kind | undefined
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
const poisson = (random: () => number, mean: number): number => {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)))
  const limit = Math.exp(-mean)
  let count = 0
  for (let p = random(); p > limit; p *= random()) count++
  return count
}

function serviceOf(random: () => number): Service {
  const count = 3 + Math.floor(3 * random())
  let slot = 0
  const activities = Array.from({ length: count }, () =>
    Array.from({ length: 2 + Math.floor(4 * random()) }, () => ({ slot: slot++ % TEMPLATES, lines: random() < 0.3 ? 2 : 1 })),
  )
  return { activities, runs: activities.map(() => 2 * 10 ** (1.3 * random())) }
}

function windowsOf(service: Service, random: () => number): Window[] {
  const drift = service.activities.map(() => 0)
  let load = 0
  let kind: Kind | undefined
  return Array.from({ length: WINDOWS }, (_, w) => {
    const into = (w - LEARNED) % EVERY
    if (w < LEARNED || into >= LASTS) kind = undefined
    else if (into === 0) kind = KINDS[Math.floor(random() * KINDS.length)]
    load = 0.97 * load + 0.1 * normal(random)
    const lines = new Map<number, number>()
    const add = (slot: number, n: number) => n > 0 && lines.set(slot, (lines.get(slot) ?? 0) + n)
    const runs = service.runs.map((mean, a) => {
      drift[a] = 0.95 * drift[a] + 0.06 * normal(random)
      return mean * Math.exp(load + drift[a])
    })
    if (kind === 'activities change places') runs.reverse()
    service.activities.forEach((steps, a) => {
      const done = poisson(random, runs[a])
      steps.forEach((step, k) => {
        const last = k === steps.length - 1
        const share = kind === 'a step is missing' && last && a === 0 ? 0.25 : 1
        const again =
          kind === 'steps fail and are tried again' && k === 0 && a === 0 ? 2.5 : kind === 'lines come twice' && a === 1 ? 2 : 1
        add(
          step.slot,
          Math.round(poisson(random, done * share) * again * step.lines * 0.5 + done * share * again * step.lines * 0.5),
        )
      })
    })
    // A path of known, rare templates: now and then one of them, never all together.
    const rare = [TEMPLATES - 1, TEMPLATES - 2, TEMPLATES - 3]
    if (kind === 'a path never taken') for (const slot of rare) add(slot, 1 + poisson(random, 2))
    else if (random() < 0.15) add(rare[Math.floor(random() * rare.length)], 1)
    return { counts: [...lines], kind }
  })
}

interface Tally {
  events: number
  found: number
  alarms: number
  calm: number
}
const by = <T>(list: readonly T[], make: () => Tally): Map<T, Tally> => new Map(list.map(key => [key, make()]))
const empty = (): Tally => ({ events: 0, found: 0, alarms: 0, calm: 0 })

/** Stretches found of those put in, and false alarms per 1,000 calm windows, for findings of some kinds. */
function tally(
  windows: readonly Window[],
  found: readonly ReadonlySet<string>[],
  counts: (kind: string) => boolean,
  into: Map<Kind | 'all', Tally>,
) {
  const is = found.map(kinds => [...kinds].some(counts))
  for (let w = LEARNED; w < windows.length; w++) {
    const { kind } = windows[w]
    const before = windows[w - 1].kind
    const all = into.get('all') as Tally
    if (kind && kind !== before) {
      // What begins in a stretch may be told a window or two after it.
      const hit = is.slice(w, w + LASTS + 2).some(x => x)
      for (const t of [all, into.get(kind) as Tally]) {
        t.events++
        if (hit) t.found++
      }
    }
    const calm = windows.slice(Math.max(0, w - 20), w + 1).every(x => !x.kind)
    if (!calm) continue
    all.calm++
    if (is[w] && !is[w - 1]) all.alarms++
  }
}

function averagePrecision(scores: readonly number[], labels: readonly boolean[]): number {
  const order = scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a])
  let right = 0
  let sum = 0
  order.forEach((i, rank) => {
    if (labels[i]) sum += ++right / (rank + 1)
  })
  return sum / Math.max(1, right)
}

/** Rates alone, the mix alone, both; and each member by itself. */
export function worth(services: number, seed: number) {
  const views = {
    'rates and ranges': (k: string) => k !== 'unusual mix',
    'mix alone': (k: string) => k === 'unusual mix',
    both: () => true,
  }
  const tallies = Object.keys(views).map(() => by<Kind | 'all'>([...KINDS, 'all'], empty))
  const scores: Record<string, number[]> = {}
  const labels: boolean[] = []
  for (let s = 0; s < services; s++) {
    const random = seededRandom(seed * 1000 + s)
    const windows = windowsOf(serviceOf(random), random)
    const watch = new LogWatch<number>(s)
    const ensemble = new WindowEnsemble()
    const found = windows.map(({ counts, kind }, w) => {
      for (const [slot, n] of counts)
        for (let i = 0; i < n; i++)
          watch.line({
            templateId: `t${slot}`,
            template: `template ${slot}`,
            parameters: [],
            bad: false,
            timeUs: w * WINDOW_US + i,
            quote: i,
          })
      // Members by themselves, on the same windows and with the labels' help not to learn what is strange: the best case of each.
      const mix = windows.slice(Math.max(0, w + 1 - MIX), w + 1)
      const lately = mix.flatMap(m => m.counts)
      const scored = ensemble.score(lately)
      if (scored && w >= LEARNED) {
        for (const [name, score] of [...Object.entries(scored.members), ['together', scored.score] as const])
          (scores[name] ??= []).push(score)
        labels.push(kind !== undefined)
      }
      if (w % 3 === 0 && mix.every(m => !m.kind)) ensemble.learn(lately)
      return new Set(watch.close((w + 1) * WINDOW_US).map(f => f.kind as string))
    })
    Object.values(views).forEach((counts, v) => {
      tally(windows, found, counts, tallies[v])
    })
  }
  const share = (t: Tally) => Number((t.found / Math.max(1, t.events)).toFixed(3))
  return {
    services,
    windows: services * WINDOWS,
    found: Object.fromEntries(
      Object.keys(views).map((name, v) => [
        name,
        {
          ...Object.fromEntries([...tallies[v]].map(([kind, t]) => [kind, share(t)])),
          falseAlarmsPer1000: Number(
            (((tallies[v].get('all') as Tally).alarms / (tallies[v].get('all') as Tally).calm) * 1000).toFixed(2),
          ),
        },
      ]),
    ),
    averagePrecision: {
      ...Object.fromEntries(
        Object.entries(scores).map(([name, list]) => [name, Number(averagePrecision(list, labels).toFixed(3))]),
      ),
      'by chance': Number((labels.filter(Boolean).length / labels.length).toFixed(3)),
    },
  }
}

const ENTITIES = 300
/** The longest tick of the stage, CPU-ms: 300 entities that log 24 templates, in ordinary life and in the first windows after a restart. */
export async function longestTick() {
  const random = seededRandom(5)
  const services = Array.from({ length: ENTITIES }, () => serviceOf(random))
  const second = (s: number): Input[] => {
    let offset = 1000 * s
    const lines = services.flatMap(({ activities, runs }, e) =>
      activities.flatMap((steps, a) =>
        steps.flatMap(({ slot }) =>
          Array.from({ length: poisson(random, Math.min(2, runs[a] / 10)) }, () => {
            const event = {
              environment: 'bench',
              entity: `service:${e}`,
              time: s * 1_000_000,
              template_id: `t${slot}`,
              template: `template ${slot}`,
              parameters: [],
              severity: 'INFO',
              body: '',
              partition: 0,
              offset: offset++,
            } as unknown as LogEvent
            return received(logsParsed, event, offset) as Input
          }),
        ),
      ),
    )
    return lines
  }
  let stage = new DetectLogAnomalies()
  const run = async (from: number, to: number): Promise<number> => {
    let longest = 0
    for (let s = from; s < to; s++) {
      await stage.process(second(s))
      // CPU time: on a machine with other work the clock says more of that.
      const began = process.cpuUsage()
      await stage.process([tick(s * 1_000_000 + 500_000, { offset: 1000 * s + 999 })])
      longest = Math.max(longest, process.cpuUsage(began).user / 1000)
    }
    return longest
  }
  await run(1, 600)
  const ordinary = await run(600, 900)
  const [bytes, version] = [stage.snapshot(), stage.snapshotVersion]
  stage = new DetectLogAnomalies()
  stage.restore(bytes, version)
  const restarted = await run(900, 912)
  return {
    entities: ENTITIES,
    ordinaryCpuMs: Math.round(ordinary),
    afterRestartCpuMs: Math.round(restarted),
    snapshotMegabytes: Number((bytes.length / 1e6).toFixed(1)),
  }
}

export async function windows(args: readonly string[]) {
  const number = (name: string, otherwise: number) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise)
  const figures = { worth: worth(number('--services', 20), number('--seed', 1)), longestTick: await longestTick() }
  console.log(JSON.stringify(figures, null, 2))
  return figures
}
