/** Back-pressure: the same backlog once at full speed and once by a stage ten times too slow. Its queues are bounded, so its memory stays where it was. */
import path from 'node:path'
import { idOf, type LogEvent, type LogLine, logsParsed, logsRaw } from '@aegis/domain'
import { printTable } from './compare.ts'
import { World } from './world.ts'

const GROUP = 'log-parser-parse-logs'
const TIMES_SLOWER = 10
const MIB = 2 ** 20

export interface SlowReport {
  readonly lines: number
  readonly secondsAtFullSpeed: number
  readonly secondsSlow: number
  /** Largest resident memory, MiB. */
  readonly baselineMib: number
  readonly slowMib: number
  readonly ratio: number
  readonly lost: number
  readonly duplicated: number
  readonly passed: boolean
}

export const slow = async (options: { folder: string; lines: number; say: (line: string) => void }): Promise<SlowReport> => {
  const say = (text: string) => options.say(`[slow] ${text}`)
  const world = await World.start({ folder: path.join(options.folder, 'slow'), services: [], say })
  try {
    const produce = async (name: string) => {
      for (let i = 0; i < options.lines; i += 2000)
        await world.client.publish(
          logsRaw,
          Array.from({ length: Math.min(2000, options.lines - i) }, (_, j): LogLine => {
            const n = i + j
            const time = 1_700_000_000_000_000 + n
            return {
              id: idOf(name, n),
              environment: name,
              time,
              entity: `service:s${n % 7}`,
              body: `${['flushed', 'read', 'wrote'][n % 3]} ${n} bytes of segment ${n % 900} in ${n % 50} ms ${'x'.repeat(n % 300)}`,
              severity: 'INFO',
              attributes: {},
              trace_id: null,
              span_id: null,
              observed_time: time,
              source: 'chaos',
            }
          }),
        )
    }
    const work = async (env: NodeJS.ProcessEnv) => {
      const began = performance.now()
      const instance = world.fleet.start('log-parser', env)
      let peak = 0
      let told = began
      await world.through(GROUP, logsRaw, () => {
        peak = Math.max(peak, instance.rss())
        if (performance.now() - told < 5000) return
        told = performance.now()
        say(`${Math.round((told - began) / 1000)} s, ${Math.round(instance.rss() / MIB)} MiB resident`)
      })
      const seconds = (performance.now() - began) / 1000
      if (instance.gone) throw new Error(`log-parser ended: ${instance.gone}`)
      await instance.end('SIGTERM')
      return { peak, seconds }
    }
    await produce('chaos-full')
    const full = await work({})
    say(`${options.lines} lines in ${full.seconds.toFixed(1)} s at full speed; now ${TIMES_SLOWER} times slower`)
    await produce('chaos-slow')
    const sleepUs = ((TIMES_SLOWER - 1) * full.seconds * 1e6) / options.lines
    const held = await work({ AEGIS_CHAOS_SLOW_US: String(sleepUs) })
    const seen = new Map<string, number>()
    await world.read(logsParsed.name, async records => {
      for (const event of (await world.decode(logsParsed, records)) as LogEvent[])
        seen.set(event.id, (seen.get(event.id) ?? 0) + 1)
    })
    const report = {
      lines: options.lines,
      secondsAtFullSpeed: Math.round(full.seconds * 10) / 10,
      secondsSlow: Math.round(held.seconds * 10) / 10,
      baselineMib: Math.round(full.peak / MIB),
      slowMib: Math.round(held.peak / MIB),
      ratio: Math.round((held.peak / full.peak) * 100) / 100,
      lost: 2 * options.lines - seen.size,
      duplicated: [...seen.values()].filter(n => n > 1).length,
    }
    return { ...report, passed: report.ratio <= 1.25 && report.lost === 0 && report.duplicated === 0 }
  } finally {
    await world.stop()
  }
}

export const printSlow = (r: SlowReport): void =>
  printTable(
    ['lines', 'full speed', 'ten times slower', 'memory', 'memory slow', 'ratio (bar 1.25)', 'lost', 'twice'],
    [
      [
        r.lines,
        `${r.secondsAtFullSpeed} s`,
        `${r.secondsSlow} s`,
        `${r.baselineMib} MiB`,
        `${r.slowMib} MiB`,
        r.ratio,
        r.lost,
        r.duplicated,
      ].map(String),
    ],
  )
