import { metricsRaw, type Observation } from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'
import { observationOf } from './prometheus-series.ts'
import { scrape, type Target } from './scrape.ts'
import { listenStatsd, statsdObservation } from './statsd.ts'

export interface SourceOptions {
  readonly environment: string
  readonly targets: readonly Target[]
  readonly scrapeIntervalMs: number
  readonly statsdHost: string
  /** UDP port; undefined for none. */
  readonly statsdPort?: number
  readonly statsdIntervalMs: number
  readonly maxBodyBytes: number
}

/** What the gateway fetches or listens for by itself. Several gateways share the scraping by leadership: one of them does it. */
export async function startSources(
  options: SourceOptions,
  context: Pick<ServiceContext, 'log' | 'now' | 'publish' | 'lead'>,
): Promise<() => Promise<void>> {
  const closers: (() => Promise<void>)[] = []
  const publish = (values: readonly Observation[], from: string) =>
    context.publish(metricsRaw, values).catch(error => context.log.warn({ err: error, from }, 'observations are lost'))
  if (options.statsdPort !== undefined) {
    const statsd = await listenStatsd({
      host: options.statsdHost,
      port: options.statsdPort,
      intervalMs: options.statsdIntervalMs,
      onValues: values => {
        const now = context.now()
        void publish(
          values.map(v => statsdObservation(v, now, options.environment)),
          'statsd',
        )
      },
      onBad: lines => context.log.warn({ lines }, 'StatsD lines that cannot be read'),
    })
    context.log.info({ port: statsd.port }, 'listens for StatsD')
    closers.push(() => statsd.close())
  }
  if (options.targets.length > 0) {
    let timers: NodeJS.Timeout[] = []
    const down = new Set<string>()
    const look = async (target: Target) => {
      const samples = await scrape(target, context.now, Math.min(10_000, options.scrapeIntervalMs), options.maxBodyBytes)
      const isDown = samples.length === 1
      if (isDown !== down.has(target.name)) {
        if (isDown) down.add(target.name)
        else down.delete(target.name)
        context.log.warn({ target: target.name, url: target.url }, isDown ? 'target does not answer' : 'target answers again')
      }
      const values = samples.map(s => observationOf(s, options.environment)).filter(v => v !== undefined)
      await publish(values, target.name)
    }
    const stop = () => {
      for (const timer of timers) clearInterval(timer)
      timers = []
    }
    const leadership = await context.lead('scrape', leading => {
      stop()
      if (!leading) return
      for (const target of options.targets) {
        void look(target)
        timers.push(setInterval(() => void look(target), options.scrapeIntervalMs))
      }
    })
    closers.push(async () => {
      stop()
      await leadership.close()
    })
  }
  return async () => {
    for (const close of closers) await close()
  }
}
