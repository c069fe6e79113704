import { issuesExternal, logsRaw, metricsRaw, type Stream } from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'
import { readGraphiteLine } from './graphite.ts'
import { LineFramer, type Listener, listenTcp } from './listen.ts'
import { Outbox } from './outbox.ts'
import { listenStatsd } from './statsd.ts'
import { readOther } from './statsd-issues.ts'
import { listenSyslog, syslogLines } from './syslog.ts'
import { taggedObservation } from './tagged.ts'

export interface ListenerOptions {
  readonly environment: string
  readonly statsdHost: string
  /** UDP port; undefined for none. */
  readonly statsdPort?: number
  readonly statsdIntervalMs: number
  readonly syslogHost: string
  /** TCP and UDP port; undefined for none. */
  readonly syslogPort?: number
  readonly graphiteHost: string
  /** TCP port; undefined for none. */
  readonly graphitePort?: number
  /** Applied to every text before it goes anywhere. */
  readonly redact: (text: string) => string
}

/** A port that cannot be had costs the others nothing: it is told, with the setting that names another. */
export async function startListeners(
  options: ListenerOptions,
  { log, now, publish }: Pick<ServiceContext, 'log' | 'now' | 'publish'>,
): Promise<(() => Promise<void>)[]> {
  const { environment, redact } = options
  const closers: (() => Promise<void>)[] = []
  const begin = async (what: string, setting: string, port: number | undefined, listen: (port: number) => Promise<Listener>) => {
    if (port === undefined) return
    try {
      const listener = await listen(port)
      log.info({ port: listener.port }, `listens for ${what}`)
      closers.push(() => listener.close())
    } catch (error) {
      log.warn({ err: error, port }, `port ${port} cannot be had: nothing listens for ${what}; ${setting} names another port`)
    }
  }
  const outbox = <T>(stream: Stream<T>, from: string) =>
    new Outbox<T>(
      values => publish(stream, values),
      lost => log.warn({ lost, from }, `${stream.name}: values are lost, the broker does not take them`),
    )
  const [lines, metrics, issues] = [
    outbox(logsRaw, 'listeners'),
    outbox(metricsRaw, 'listeners'),
    outbox(issuesExternal, 'statsd'),
  ]

  await begin('StatsD', 'AEGIS_STATSD_PORT', options.statsdPort, port =>
    listenStatsd({
      host: options.statsdHost,
      port,
      intervalMs: options.statsdIntervalMs,
      onValues: values => void metrics.add(values.map(v => taggedObservation(v, now(), environment))),
      onOthers: others => {
        for (const other of others) {
          const read = readOther(other, { environment, now: now(), redact })
          if ('issue' in read) void issues.add([read.issue])
          else void lines.add([read.line])
        }
      },
      onBad: (bad, first) => log.warn({ lines: bad, first }, 'StatsD lines that cannot be read'),
    }),
  )
  await begin('syslog', 'AEGIS_SYSLOG_PORT', options.syslogPort, port =>
    listenSyslog(
      options.syslogHost,
      port,
      (messages, source) => lines.add(syslogLines(messages, source, { environment, now: now(), redact })),
      (source, error) => log.warn({ source, err: error }, 'a syslog connection is ended: its framing cannot be followed'),
    ),
  )
  const onBad = (source: string, error: Error) => log.warn({ source, err: error }, 'a connection of Graphite is ended')
  await begin('Graphite', 'AEGIS_GRAPHITE_PORT', options.graphitePort, port =>
    listenTcp({
      host: options.graphiteHost,
      port,
      framer: () => new LineFramer(),
      onBad,
      onMessages: (messages, source) => {
        const read = messages.filter(m => m.trim() !== '').map(m => readGraphiteLine(m, now()))
        const bad = read.filter(v => typeof v === 'string')
        if (bad.length > 0) log.warn({ source, lines: bad.length, first: bad[0] }, 'Graphite lines that cannot be read')
        return metrics.add(read.flatMap(v => (typeof v === 'string' ? [] : taggedObservation(v, now(), environment, true))))
      },
    }),
  )
  if (closers.length > 0) closers.push(async () => void (await Promise.all([lines, metrics, issues].map(o => o.drained()))))
  return closers
}
