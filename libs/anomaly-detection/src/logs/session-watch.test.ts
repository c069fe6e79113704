import { describe, expect, it } from 'vitest'
import type { SessionScore } from './log-anomaly.ts'
import { SessionWatch, type SessionWatchOptions } from './session-watch.ts'

const MINUTE = 60_000_000
type Line = readonly [minute: number, session: string, event: string]
/** Lines in order of time; a watch that is saved and loaded before the line with number `restart` goes on as if nothing had been. */
function run(lines: readonly Line[], endMinute: number, options: SessionWatchOptions = {}, restart = -1) {
  const said = new Map<string, SessionScore>()
  const make = () =>
    new SessionWatch<string>({
      idleUs: 10 * MINUTE,
      warmUp: 130,
      onJudged: (session, score) => {
        if (score.alert || !said.get(session)?.alert) said.set(session, score)
      },
      ...options,
    })
  let watch = make()
  const sorted = [...lines].sort((a, b) => a[0] - b[0])
  sorted.forEach(([minute, session, event], i) => {
    if (i === restart) watch = make().load(JSON.parse(JSON.stringify(watch)))
    watch.line(session, event, minute * MINUTE, `${session} ${event}`)
  })
  watch.end(endMinute * MINUTE)
  return { flagged: [...said].filter(([, { alert }]) => alert).map(([session]) => session), said, watch }
}
const jobs = (prefix: string, count: number, from: number, events: readonly string[]): Line[] =>
  Array.from({ length: count }, (_, i) => events.map((event, k) => [from + i + 0.1 * k, `${prefix}${i}`, event] as const)).flat()

const before = [
  ...jobs('usual', 200, 0, ['open', 'write', 'close']),
  ...jobs('odd', 1, 250, ['open', 'explode', 'write', 'close']),
]

describe('SessionWatch', () => {
  it('flags what is strange when it is judged', () => {
    expect(run([...before, ...jobs('fine', 20, 251, ['open', 'write', 'close'])], 400).flagged).toEqual(['odd0'])
  })
  it('does not take back what it said when that becomes common later', () => {
    const { flagged } = run([...before, ...jobs('later', 600, 300, ['open', 'explode', 'write', 'close'])], 1200)
    expect(flagged).toContain('odd0')
    expect(flagged).not.toContain('later599')
  })
  it('takes lines hours later for the same session, and misses them only where they are overdue', () => {
    const long = (prefix: string, count: number, from: number, ends: boolean): Line[] => [
      ...jobs(prefix, count, from, ['open', 'close']),
      ...(ends ? Array.from({ length: count }, (_, i): Line => [from + i + 300, `${prefix}${i}`, 'delete']) : []),
    ]
    const { flagged } = run(
      [...long('usual', 1000, 0, true), ...long('kept', 1, 1400, false), ...long('young', 1, 1990, false)],
      2000,
    )
    // the first that are deleted are news
    expect(flagged.filter(session => !/^usual\d+$/.test(session))).toEqual(['kept0'])
  })
  it('counts an event under its new name', () => {
    const said: SessionScore[] = []
    const watch = new SessionWatch<string>({ idleUs: MINUTE / 2, warmUp: 130, onJudged: (_, score) => said.push(score) })
    for (let i = 0; i < 400; i++) {
      if (i === 250) watch.rename('narrow', 'wide')
      watch.line(`job${i}`, i < 250 ? 'narrow' : 'wide', i * MINUTE, '')
    }
    expect(said.length).toBeGreaterThan(200)
    expect(said.some(({ alert }) => alert)).toBe(false)
  })
  it('goes on after a restart as if there had been none', () => {
    const lines = [...before, ...jobs('more', 30, 260, ['open', 'write', 'close'])]
    const whole = run(lines, 500)
    for (const restart of [1, 300, 620])
      expect(run(lines, 500, {}, restart)).toMatchObject({ flagged: whole.flagged, said: whole.said })
  })
  it('keeps no more than it may, alone and together, and gives back what it took', () => {
    const room = { left: 150 }
    const one = run(jobs('one', 400, 0, ['open', 'close']), 500, { room }).watch
    const kept = (watch: SessionWatch<string>) => watch.toJSON().active.length + watch.toJSON().idle.length
    expect(kept(one)).toBeLessThanOrEqual(151)
    const two = run(jobs('two', 400, 0, ['open', 'close']), 500, { room }).watch
    // Some are its own whoever took the room.
    expect(kept(two)).toBe(100)
    expect(kept(run(jobs('three', 400, 0, ['open', 'close']), 500, { maxSessions: 40 }).watch)).toBe(40)
    one.leave()
    two.leave()
    expect(room.left).toBe(150)
  })
})
