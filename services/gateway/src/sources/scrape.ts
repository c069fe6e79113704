import { AegisError } from '@aegis/domain'
import type { Sample } from './prometheus-series.ts'
import { parseExposition } from './prometheus-text.ts'
import { readBody } from './read-body.ts'

export interface Target {
  /** Becomes the label `job`, and so the entity. */
  readonly name: string
  readonly url: string
}

/** `name=http://host:port/path, …`; throws on anything else, naming it. */
export const parseTargets = (text: string): Target[] =>
  text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
    .map(part => {
      const at = part.indexOf('=')
      const [name, url] = [part.slice(0, at), part.slice(at + 1)]
      if (at <= 0 || !URL.canParse(url) || !/^https?:/.test(url))
        throw new AegisError('CONFIG_INVALID', `AEGIS_SCRAPE_TARGETS: "${part}" is not name=http://host:port/path`)
      return { name, url }
    })

/** One look at a target: its samples, labelled, and `up`; a target that does not answer is `up 0` and nothing else. */
export async function scrape(target: Target, now: () => number, timeoutMs: number, maxBytes: number): Promise<Sample[]> {
  const instance = new URL(target.url).host
  const labels = { job: target.name, instance }
  const up = (value: number): Sample => ({ name: 'up', labels, value, time: now(), type: 'gauge' })
  try {
    const response = await fetch(target.url, {
      headers: { accept: 'text/plain;version=0.0.4' },
      signal: AbortSignal.timeout(timeoutMs),
    })
    const body = response.ok ? await readBody(response, maxBytes) : undefined
    if (!body) return [up(0)]
    const { samples } = parseExposition(body.toString(), now())
    // What the target says of itself does not replace who it is; as Prometheus does it (honor_labels off).
    return [...samples.map(s => ({ ...s, labels: { ...s.labels, ...labels } })), up(1)]
  } catch {
    return [up(0)]
  }
}
