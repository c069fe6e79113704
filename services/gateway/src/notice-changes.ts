import { type Change, idOf } from '@aegis/domain'
import type { Origin } from './otlp/shape.ts'

/** How long an old version may go on reporting beside a new one (a rolling deploy) and still count as running, microseconds. */
const FORGET_US = 10 * 60_000_000

/**
 * Sees deploys and configuration changes in what services say of themselves: `service.version` and `service.config.hash`.
 * A value seen for the first time on a known service is a change; both sides of a rolling deploy reporting in turns is one change, not many.
 */
export class NoticeChanges {
  readonly #seen = new Map<string, { current: string; values: Map<string, number> }>()

  notice(origins: readonly Origin[], now: number): Change[] {
    const changes: Change[] = []
    for (const origin of origins) {
      if (!origin.entity) continue
      for (const [kind, value] of [
        ['deploy', origin.version],
        ['config', origin.configHash],
      ] as const) {
        if (!value) continue
        const key = `${origin.environment}\0${origin.entity}\0${kind}`
        const seen = this.#seen.get(key)
        if (!seen) {
          this.#seen.set(key, { current: value, values: new Map([[value, now]]) })
          continue
        }
        const last = seen.values.get(value)
        seen.values.set(value, now)
        if (value === seen.current) continue
        // An old replica still reporting during a rollout; but a value that had been gone for a while is a roll-back.
        if (last !== undefined && now - last < 5_000_000) continue
        changes.push({
          id: idOf(key, seen.current, value, now),
          environment: origin.environment,
          time: now,
          entity: origin.entity,
          kind,
          before: seen.current,
          after: value,
          author: null,
          source: 'telemetry',
        })
        seen.current = value
        for (const [v, at] of seen.values) if (now - at > FORGET_US) seen.values.delete(v)
      }
    }
    return changes
  }
}
