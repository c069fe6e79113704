import { logsRaw, metricsRaw, type Observation } from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'
import { Exporters } from './exporters.ts'
import { followLoki } from './loki.ts'
import { readHistory } from './prometheus-history.ts'
import { observationOf } from './prometheus-series.ts'
import { scrape, type Target } from './scrape.ts'
import { type ListenerOptions, startListeners } from './start-listeners.ts'

export interface SourceOptions extends ListenerOptions {
  readonly targets: readonly Target[]
  readonly scrapeIntervalMs: number
  readonly maxBodyBytes: number
  /** Where the history of series is asked for at start; undefined: nowhere. */
  readonly historyUrl?: string
  readonly historySelector?: string
  readonly historyMs: number
  readonly historyStepMs?: number
  /** Loki whose lines are followed; undefined: none. */
  readonly lokiUrl?: string
  readonly lokiQuery?: string
  readonly lokiIntervalMs?: number
  readonly lokiToken?: string
  readonly lokiTenant?: string
}
/** Observations sent at once. */
const BATCH = 5000
const HISTORY_TIMEOUT_MS = 60_000

/** Puts what Prometheus remembers on `metrics.raw`, with its own event times; returns how many observations. Readers take it up for series they do not know. */
export async function sendHistory(
  options: SourceOptions,
  context: Pick<ServiceContext, 'now' | 'publish'>,
  isStopped: () => boolean = () => false,
): Promise<number> {
  const { historyUrl, historySelector, historyMs, historyStepMs, scrapeIntervalMs, targets, environment, maxBodyBytes } = options
  if (!historyUrl) return 0
  const jobs = targets.map(t => t.name.replace(/[.*+?^${}()|[\]\\]/g, c => `\\${c}`)).join('|')
  const stepMs = historyStepMs ?? scrapeIntervalMs
  // At whole steps: whoever asks again asks for the same moments.
  const to = Math.floor(context.now() / 1000 / stepMs) * stepMs
  const stretches = readHistory({
    url: historyUrl,
    selector: historySelector ?? (targets.length > 0 ? `{job=~${JSON.stringify(jobs)}}` : '{job!=""}'),
    from: to - Math.floor(historyMs / stepMs) * stepMs,
    to,
    stepMs,
    maxBytes: maxBodyBytes,
    timeoutMs: HISTORY_TIMEOUT_MS,
  })
  let sent = 0
  for await (const samples of stretches) {
    const values = samples.flatMap(s => observationOf(s, environment) ?? []).map(o => ({ ...o, history: true }))
    for (let i = 0; i < values.length; i += BATCH) {
      if (isStopped()) return sent
      await context.publish(metricsRaw, values.slice(i, i + BATCH))
    }
    sent += values.length
  }
  return sent
}

/** What the gateway fetches or listens for by itself. Several gateways share the scraping by leadership: one of them does it. */
export async function startSources(
  options: SourceOptions,
  context: Pick<ServiceContext, 'log' | 'now' | 'publish' | 'lead'>,
): Promise<() => Promise<void>> {
  const closers: (() => Promise<void>)[] = []
  const publish = (values: readonly Observation[], from: string) =>
    context.publish(metricsRaw, values).catch(error => context.log.warn({ err: error, from }, 'observations are lost'))
  closers.push(...(await startListeners(options, context)))
  if (options.targets.length > 0 || options.historyUrl || options.lokiUrl) {
    let timers: NodeJS.Timeout[] = []
    const down = new Set<string>()
    const exporters = new Exporters()
    const look = async (target: Target) => {
      const samples = await scrape(target, context.now, Math.min(10_000, options.scrapeIntervalMs), options.maxBodyBytes)
      const isDown = samples.length === 1
      if (isDown !== down.has(target.name)) {
        if (isDown) down.add(target.name)
        else down.delete(target.name)
        context.log.warn({ target: target.name, url: target.url }, isDown ? 'target does not answer' : 'target answers again')
      }
      for (const sample of samples) exporters.see(sample)
      const values = samples.map(s => observationOf(exporters.asItself(s), options.environment)).filter(v => v !== undefined)
      await publish(values, target.name)
    }
    let terms = 0
    let loki: { close(): void } | undefined
    const stop = () => {
      terms++
      loki?.close()
      loki = undefined
      for (const timer of timers) clearInterval(timer)
      timers = []
    }
    const lead = async (term: number) => {
      if (options.lokiUrl)
        loki = followLoki(
          {
            url: options.lokiUrl,
            query: options.lokiQuery ?? '{service_name=~".+"}',
            intervalMs: options.lokiIntervalMs ?? 5000,
            token: options.lokiToken,
            tenant: options.lokiTenant,
            environment: options.environment,
            redact: options.redact,
            maxBytes: options.maxBodyBytes,
          },
          context.now,
          lines => context.publish(logsRaw, lines),
          error =>
            error
              ? context.log.warn({ err: error, url: options.lokiUrl }, 'Loki cannot be read; asked again until it can')
              : context.log.info({ url: options.lokiUrl }, 'Loki can be read again'),
        )
      // History first: what is seen in the present is no longer new.
      await sendHistory(options, context, () => term !== terms)
        .then(
          observations => options.historyUrl && context.log.info({ observations, from: options.historyUrl }, 'history is read'),
        )
        .catch(error => context.log.warn({ err: error }, 'history cannot be read; series are learned as they come'))
      if (term !== terms) return
      for (const target of options.targets) {
        void look(target)
        timers.push(setInterval(() => void look(target), options.scrapeIntervalMs))
      }
    }
    const leadership = await context.lead('scrape', leading => {
      stop()
      if (leading) void lead(terms)
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
