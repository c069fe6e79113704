import { wrongTime } from '../otlp/shape.ts'
import type { TaggedValue } from './tagged.ts'

/** What relays and agents put before the name of a machine, and what they put before the name of a metric. */
const BEFORE_HOST = /^(?:servers|hosts|nodes|collectd|telegraf|diamond)\.([^.]+)\.(.+)$/
const BEFORE_NAME = /^stats\.(?:gauges\.|counters\.|timers\.|sets\.)?(.+)$/

/**
 * A line of Graphite's plaintext protocol, `path;tag=value number seconds`; a time of -1 or `N` is now. Returns why it is none as text.
 * @see https://graphite.readthedocs.io/en/latest/feeding-carbon.html and tags.html
 */
export const readGraphiteLine = (line: string, now: number): TaggedValue | string => {
  const words = line.trim().split(/\s+/)
  if (words.length !== 2 && words.length !== 3) return 'is not "path value seconds"'
  const [path, given, seconds = '-1'] = words
  const value = Number(given)
  if (given === '' || !Number.isFinite(value)) return `${given.slice(0, 40)} is no number`
  const isNow = seconds === '-1' || seconds === 'N'
  const time = isNow ? now : Math.round(Number(seconds) * 1e6)
  const wrong = wrongTime(time, now, seconds, 'seconds')
  if (wrong) return wrong
  const [name, ...pairs] = path.split(';')
  const tags: Record<string, string> = {}
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at <= 0) return `${pair.slice(0, 40)} is no tag=value`
    tags[pair.slice(0, at)] = pair.slice(at + 1)
  }
  if (name === '') return 'has no path'
  const [, host, rest] = BEFORE_HOST.exec(name) ?? []
  const bare = rest ?? BEFORE_NAME.exec(name)?.[1] ?? name
  // Dots of a machine's name are written as underscores there.
  if (host && !tags.host) tags.host = host.replaceAll('_', '.')
  return { name: bare, type: 'gauge', unit: '', value, tags, time }
}
