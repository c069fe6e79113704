/**
 * Feeds the input to the pipeline step by step in event time. A tick goes to one partition of one stream after the other, each only when the
 * groups that read it have committed everything before it, so that streams that several stages read or write always hold the same order and
 * two runs can be held against each other to the byte; within a step the records themselves flow at full speed through all stages at once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  anomalies,
  decisions,
  incidents,
  logsParsed,
  logsRaw,
  metricsRaw,
  type Outcome,
  outcomes,
  type Stream,
  topologyEdges,
  tracesEdges,
  tracesLines,
  tracesSpans,
  tracesVisits,
} from '@aegis/domain'
import type { RawRecord } from '@aegis/runtime'
import type { StreamClient } from '@aegis/stack/pipeline/client'
import { type ChaosInput, edges, type Step } from './input.ts'
import { HUNG_MS } from './world.ts'

/** How long a position may stand before it is asked what lies behind it, milliseconds. */
const LOOK_MS = 5000
const DIAGNOSE = 'root-cause-analyzer-diagnose-incidents'
const DECIDE = 'remediator-decide-actions'
const CARRY_OUT = 'executor-carry-out-decisions'

interface Level {
  readonly stream: Stream<never>
  readonly groups: readonly string[]
}
const level = (stream: unknown, ...groups: string[]): Level => ({ stream: stream as Stream<never>, groups })
/** Streams in the order in which a step's tick goes through them, with who reads them. */
const LEVELS: readonly Level[] = [
  level(logsRaw, 'log-parser-parse-logs'),
  level(tracesLines, 'span-aggregator-join-spans'),
  level(tracesSpans, 'span-aggregator-join-spans'),
  level(tracesEdges, 'span-aggregator-merge-edges'),
  level(topologyEdges, DIAGNOSE),
  level(metricsRaw, 'anomaly-detector-detect-metric-anomalies'),
  level(logsParsed, 'anomaly-detector-detect-log-anomalies'),
  level(tracesVisits, 'anomaly-detector-detect-trace-anomalies'),
  level(anomalies, DIAGNOSE),
  level(incidents, DECIDE, CARRY_OUT),
  level(decisions, CARRY_OUT),
]
const OUTCOMES = level(outcomes, DIAGNOSE, DECIDE, CARRY_OUT)

export interface DriveOptions {
  /** Called before each step; harm is planned by steps. */
  readonly onStep?: (step: number) => Promise<void>
  readonly onStepDone?: (step: number) => void
  /** Between requests: services that ended by themselves are noticed here. */
  readonly tend?: () => void
  readonly decode: (records: readonly RawRecord[]) => Promise<unknown[]>
  readonly say: (line: string) => void
}

export class Drive {
  readonly #client: StreamClient
  readonly #options: DriveOptions
  readonly #outcomesSeen: number[] = []
  readonly #started = new Set<string>()
  readonly #ended = new Set<string>()
  readonly #partitions = new Map<string, number>()
  /** Held while the broker is away, so that the input is the same in every run. */
  #producing: Promise<unknown> = Promise.resolve()
  records = 0
  /** Ticks put on each stream: its offsets count them as well. */
  readonly ticks = new Map<string, number>()

  constructor(client: StreamClient, options: DriveOptions) {
    this.#client = client
    this.#options = options
  }

  /** Runs while nothing is being produced, and keeps it so meanwhile. */
  async undisturbed<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#producing.then(work)
    this.#producing = mine.catch(() => undefined)
    return mine
  }
  #produce(work: () => Promise<void>): Promise<void> {
    return this.undisturbed(work)
  }

  async run(input: ChaosInput): Promise<void> {
    const { onStep, onStepDone } = this.#options
    for (const { stream } of [...LEVELS, OUTCOMES])
      this.#partitions.set(stream.name, await this.#client.broker.partitions(stream.name))
    await this.#produce(() => this.#client.publish(topologyEdges, edges()))
    const began = performance.now()
    let told = began
    for (let n = 0; n <= input.steps; n++) {
      await onStep?.(n)
      const final = n === input.steps
      const step = input.step(n)
      if (!final) await this.#publish(step)
      await this.#tick(step.time, final)
      onStepDone?.(n)
      if (performance.now() - told > 5000) {
        told = performance.now()
        this.#options.say(`step ${n} of ${input.steps}, ${this.records} records, ${Math.round((told - began) / 1000)} s`)
      }
    }
  }

  async #publish({ logs, metrics, spans }: Step): Promise<void> {
    const put = async <T>(stream: Stream<T>, values: readonly T[]) => {
      for (let i = 0; i < values.length; i += 2000)
        await this.#produce(() => this.#client.publish(stream, values.slice(i, i + 2000)))
      this.records += values.length
    }
    await put(metricsRaw, metrics)
    await put(tracesSpans, spans)
    await put(logsRaw, logs)
  }

  async #tick(time: number, final: boolean): Promise<void> {
    const words = { time, environment: '*', final, versions: {} }
    for (const l of LEVELS) for (let p = 0; p < this.#partitions.get(l.stream.name)!; p++) await this.#barrier(l, p, words)
    // Deeds are done outside the stages; what came of them may lead to further decisions.
    while (await this.#deeds())
      for (const l of [OUTCOMES, ...LEVELS.slice(-2)])
        for (let p = 0; p < this.#partitions.get(l.stream.name)!; p++) await this.#barrier(l, p, words)
  }

  /** Puts a tick on a partition and waits until its readers have committed it, and so all that stands before it. */
  async #barrier(
    { stream, groups }: Level,
    partition: number,
    words: { time: number; environment: string; final: boolean },
  ): Promise<void> {
    const { broker } = this.#client
    await this.#produce(() => this.#client.tick([stream], { ...words, versions: {} }, partition))
    this.ticks.set(stream.name, (this.ticks.get(stream.name) ?? 0) + 1)
    const end = await this.#patiently(() => broker.end(stream.name, partition))
    for (const group of groups) {
      const until = performance.now() + HUNG_MS
      let lookAt = performance.now() + LOOK_MS
      for (;;) {
        const at = await this.#patiently(async () => (await broker.committed(group, [stream.name], partition))[stream.name])
        if (at >= end) break
        // The marker of a transaction that wrote before the tick may come after it.
        if (performance.now() > lookAt) {
          if (!(await this.#patiently(() => this.#client.holds(stream.name, partition, at, end)))) break
          lookAt = performance.now() + LOOK_MS
        }
        if (performance.now() > until)
          throw new Error(`HUNG: ${group} stands at ${at} of ${end} on ${stream.name}/${partition} for ${HUNG_MS / 1000} s`)
        this.#options.tend?.()
        await sleep(4)
      }
    }
  }

  /** Whether outcomes have come since the last look, once every deed that was begun has ended. */
  async #deeds(): Promise<boolean> {
    let news = false
    const until = performance.now() + HUNG_MS
    for (;;) {
      for (let p = 0; p < this.#partitions.get(outcomes.name)!; p++) {
        const from = this.#outcomesSeen[p] ?? 0
        const end = await this.#patiently(() => this.#client.broker.end(outcomes.name, p))
        if (end <= from) continue
        const records: RawRecord[] = []
        await this.#patiently(async () => {
          records.length = 0
          await this.#client.broker.read(outcomes.name, p, from, end, rs => void records.push(...rs))
        })
        this.#outcomesSeen[p] = end
        for (const outcome of (await this.#options.decode(records)) as Outcome[]) {
          news = true
          if (outcome.status === 'started') this.#started.add(outcome.decision)
          else this.#ended.add(outcome.decision)
        }
      }
      if ([...this.#started].every(d => this.#ended.has(d))) return news
      if (performance.now() > until) throw new Error(`HUNG: deeds begun and not ended for ${HUNG_MS / 1000} s`)
      this.#options.tend?.()
      await sleep(20)
    }
  }

  /** Asks until the broker answers: it may be away on purpose. */
  async #patiently<T>(question: () => Promise<T>): Promise<T> {
    const until = performance.now() + HUNG_MS
    for (;;) {
      try {
        return await question()
      } catch (error) {
        if (performance.now() > until) throw error
        await sleep(100)
      }
    }
  }
}
