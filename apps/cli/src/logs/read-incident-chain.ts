import { type Incident, type LogEvent, logsParsed, type Stream } from '@aegis/domain'
import { ChainGatherer, type ChainWindow, chainWindow, type GatheredChain } from '@aegis/log-mining'
import { connectClient, type StreamClient } from '@aegis/stack/pipeline/client'
import { Progress } from '../progress.ts'
import { chainText } from './read-chain.ts'

export interface IncidentChain extends ChainWindow, GatheredChain {
  /** What of the window was not looked at, and why. */
  readonly left?: string
}
/** Events that are shown. */
const SHOWN = 40
/** Before the window, to learn what regularly comes before what; microseconds. */
const LEAD_US = 600_000_000
const CHUNK = 5000
/** Records looked at on a partition. */
const MOST = 100_000
const PROBE = 50
const WAIT_MS = 30_000

/** The chain of an incident out of what `logs.parsed` still holds; a sentence in place of events where the streams cannot be read. */
export async function incidentChain(incident: Incident): Promise<IncidentChain> {
  const window = chainWindow(incident)
  const client = await connectClient()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${WAIT_MS / 1000} s`)), WAIT_MS)
  })
  try {
    return await Promise.race([readIncidentChain(client, window), late])
  } catch (error) {
    const left = `logs.parsed cannot be read (${(error as Error).message}); KAFKA_BROKERS and SCHEMA_REGISTRY_URL say where it is`
    return { ...window, events: [], links: [], of: 0, left }
  } finally {
    clearTimeout(timer)
    void client.close().catch(() => undefined)
  }
}

export async function readIncidentChain(client: StreamClient, window: ChainWindow, most = MOST): Promise<IncidentChain> {
  const entities = new Set(window.entities)
  const progress = new Progress('log events', 0)
  const events: LogEvent[] = []
  const cut: number[] = []
  for (let p = 0; p < (await client.broker.partitions(logsParsed.name)); p++) {
    const end = await client.broker.end(logsParsed.name, p)
    let at = await startOf(client, p, end, window.from - LEAD_US)
    let size = CHUNK
    for (let records = 0, over = false; at < end && !over; ) {
      if (records >= most) {
        cut.push(p)
        break
      }
      let [read, within, after] = [0, 0, 0]
      const to = Math.min(end, at + size)
      await client.read(logsParsed as unknown as Stream<never>, p, at, to, decoded => {
        for (const { value } of decoded) {
          const event = value as LogEvent | undefined
          if (event?.environment !== window.environment) continue
          if (event.time > window.to + LEAD_US) after++
          else within++
          if (event.time >= window.from - LEAD_US && event.time <= window.to && entities.has(event.entity)) events.push(event)
        }
        read += decoded.length
        progress.add(decoded.length)
      })
      at = to
      records += read
      over = after > 0 && within === 0
      // What retention took is passed in ever larger steps.
      size = read > 0 ? CHUNK : Math.min(64 * CHUNK, 2 * size)
    }
  }
  progress.end()
  const gatherer = new ChainGatherer()
  events.sort((a, b) => a.time - b.time || a.partition - b.partition || a.offset - b.offset)
  for (const event of events)
    if (event.time < window.from) gatherer.learn(event)
    else gatherer.add(event, `${event.partition}/${event.offset}`)
  const left =
    cut.length > 0
      ? `of partition ${cut.join(', ')} only the first ${most} records from ${new Date((window.from - LEAD_US) / 1000).toISOString()} on were looked at`
      : undefined
  return { ...window, ...gatherer.finish(SHOWN), ...(left && { left }) }
}

/** An offset from which on nothing is missed that was appended at `since` (microseconds) or later: back from the end in steps that double. */
async function startOf(client: StreamClient, partition: number, end: number, since: number): Promise<number> {
  let at = end
  for (let step = CHUNK; at > 0; step *= 2) {
    at = Math.max(0, at - step)
    let first = Number.POSITIVE_INFINITY
    await client.broker.read(logsParsed.name, partition, at, Math.min(end, at + PROBE), records => {
      first = Math.min(first, records[0]?.timestamp ?? first)
    })
    // Nothing there: it was taken back, or older records are gone, or the stream begins later. Further back will tell.
    if (first * 1000 < since) break
  }
  return at
}

/** For a person; ids of events are their lines on logs.raw. */
export function incidentChainText(chain: IncidentChain): string {
  const note = chain.left ? `\n  ${chain.left}` : ''
  if (chain.events.length === 0 && chain.left) return `chain:${note}`
  return `${chainText(chain, 'logs.raw')}${note}`
}
