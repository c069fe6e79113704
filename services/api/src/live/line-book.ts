import { BoundedMap, type LogEvent } from '@aegis/domain'

const MOST_LINES = 3000
const MOST_TEMPLATES = 3000
const BUCKET_US = 10e6
const BUCKETS = 60

export interface LiveTemplate {
  readonly id: string
  readonly template: string
  readonly environment: string
  readonly entity: string
  readonly severity: string
  readonly category: string
  readonly total: number
  /** Lines in each of the last ten minutes' sixty stretches, oldest first. */
  readonly counts: readonly number[]
  readonly last: number
}
interface Kept extends Omit<LiveTemplate, 'counts' | 'total' | 'last'> {
  total: number
  last: number
  at: number
  readonly buckets: number[]
}
/** The last lines and how often each template came, for those who look; bounded, and gone with the process. */
export class LineBook {
  readonly #lines: LogEvent[] = []
  readonly #templates = new BoundedMap<string, Kept>(MOST_TEMPLATES)

  take(event: LogEvent): void {
    this.#lines.push(event)
    if (this.#lines.length > MOST_LINES * 1.25) this.#lines.splice(0, this.#lines.length - MOST_LINES)
    const key = `${event.environment}|${event.entity}|${event.template_id}`
    const bucket = Math.floor(event.time / BUCKET_US)
    let t = this.#templates.touch(key)
    if (!t) {
      const { environment, entity, severity, category, template, template_id } = event
      t = {
        id: template_id,
        environment,
        entity,
        severity,
        category,
        template,
        total: 0,
        last: 0,
        at: bucket,
        buckets: new Array(BUCKETS).fill(0),
      }
      this.#templates.set(key, t)
    }
    t.total++
    t.last = Math.max(t.last, event.time)
    if (bucket > t.at) {
      const moved = Math.min(BUCKETS, bucket - t.at)
      t.buckets.splice(0, moved)
      for (let i = 0; i < moved; i++) t.buckets.push(0)
      t.at = bucket
    }
    const place = BUCKETS - 1 - (t.at - bucket)
    if (place >= 0) t.buckets[place]++
  }
  reporting(): { readonly lines: number; readonly last_line: number } {
    return { lines: this.#lines.length, last_line: this.#lines.at(-1)?.time ?? 0 }
  }
  /** @param now microseconds; the last stretch is the one it lies in */
  templates(now: number): LiveTemplate[] {
    const bucket = Math.floor(now / BUCKET_US)
    return [...this.#templates.values()].map(({ buckets, at, ...t }) => {
      const moved = Math.min(BUCKETS, Math.max(0, bucket - at))
      return { ...t, counts: [...buckets.slice(moved), ...new Array(moved).fill(0)] }
    })
  }
  /** Newest first. */
  lines(fits: (event: LogEvent) => boolean, limit: number): LogEvent[] {
    const found: LogEvent[] = []
    for (let i = this.#lines.length - 1; i >= 0 && found.length < limit; i--) if (fits(this.#lines[i])) found.push(this.#lines[i])
    return found
  }
}
