/** What was answered: put on the stream `predictions` in batches, and counted by the minute for those who ask how it goes. */
import { idOf, type Prediction, predictions } from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'

type Context = Pick<ServiceContext, 'publish' | 'log' | 'now' | 'telemetry'>
export type Answered = Omit<Prediction, 'id' | 'time'>

const FLUSH_MS = 100
const AT_ONCE = 1000
const MOST_WAITING = 20_000
const MINUTES = 1440
const MINUTE_US = 60e6
/** Latencies kept for quantiles, of each kind. */
const MOST_LATENCIES = 4096

interface Minute {
  readonly at: number
  /** By kind and label. */
  readonly counts: Map<string, number>
}
interface Tally {
  count: number
  detected: number
  confidence: number
  readonly latencies: Float64Array
}

export class PredictionLog {
  readonly #context: Context
  #waiting: Prediction[] = []
  #timer: NodeJS.Timeout | undefined
  #sending = false
  #number = 0
  /** Answers that were not put on the stream, since the broker was behind. */
  lost = 0
  readonly #minutes: Minute[] = []
  readonly #tallies = new Map<string, Tally>()
  readonly #since: number

  constructor(context: Context) {
    this.#context = context
    this.#since = context.now()
  }

  add(answer: Answered): void {
    const time = this.#context.now()
    const number = this.#number++
    this.#count(answer, time)
    const { telemetry } = this.#context
    const label = answer.detected ? answer.label : 'none'
    if (answer.kind === 'anomaly')
      telemetry.add('ai_engine_anomaly_predictions_total', { severity: answer.detected ? answer.severity : 'none' })
    else if (answer.kind === 'failure') telemetry.add('ai_engine_failure_predictions_total', { failure_type: label })
    telemetry.observe('ai_engine_inference_duration_seconds', { model_type: answer.kind }, answer.duration_us / 1e6)
    if (this.#waiting.length >= MOST_WAITING) {
      this.lost++
      return
    }
    this.#waiting.push({ ...answer, id: idOf(answer.who, time, number, answer.kind), time })
    this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS)
  }
  #count(answer: Answered, time: number): void {
    const at = Math.floor(time / MINUTE_US)
    let minute = this.#minutes.at(-1)
    if (!minute || minute.at !== at) {
      minute = { at, counts: new Map() }
      this.#minutes.push(minute)
      while (this.#minutes.length > MINUTES) this.#minutes.shift()
    }
    const key = `${answer.kind}\0${answer.detected ? answer.label : 'none'}\0${answer.severity}`
    minute.counts.set(key, (minute.counts.get(key) ?? 0) + 1)
    const tally = this.#tallies.get(answer.kind) ?? {
      count: 0,
      detected: 0,
      confidence: 0,
      latencies: new Float64Array(MOST_LATENCIES),
    }
    tally.latencies[tally.count % MOST_LATENCIES] = answer.duration_us
    tally.count++
    if (answer.detected) tally.detected++
    tally.confidence += answer.confidence
    this.#tallies.set(answer.kind, tally)
  }
  async #flush(): Promise<void> {
    this.#timer = undefined
    if (this.#sending) return
    this.#sending = true
    try {
      while (this.#waiting.length > 0) {
        const some = this.#waiting.slice(0, AT_ONCE)
        await this.#context.publish(predictions, some)
        this.#waiting = this.#waiting.slice(some.length)
      }
    } catch (error) {
      this.#context.log.warn(
        { err: error, waiting: this.#waiting.length },
        'predictions are not on their stream yet; tried again',
      )
      this.#timer ??= setTimeout(() => void this.#flush(), 10 * FLUSH_MS)
    } finally {
      this.#sending = false
    }
  }

  /** Answers of the last so many seconds, by kind, label and severity, and by the minute. */
  counts(seconds: number) {
    const from = Math.floor((this.#context.now() - seconds * 1e6) / MINUTE_US)
    const within = this.#minutes.filter(m => m.at >= from)
    const total = {
      total: 0,
      by_kind: {} as Record<string, number>,
      by_label: {} as Record<string, Record<string, number>>,
      by_severity: {} as Record<string, number>,
    }
    const add = (into: Record<string, number>, key: string, n: number) => {
      into[key] = (into[key] ?? 0) + n
    }
    const timeline = within.map(m => {
      const kinds: Record<string, number> = {}
      for (const [key, n] of m.counts) {
        const [kind, label, severity] = key.split('\0')
        total.total += n
        add(total.by_kind, kind, n)
        add((total.by_label[kind] ??= {}), label, n)
        if (label !== 'none') add(total.by_severity, severity, n)
        add(kinds, kind, n)
      }
      return { time: new Date((m.at * MINUTE_US) / 1000).toISOString(), ...kinds }
    })
    return { ...total, timeline }
  }
  /** Since the start: number, share found, mean confidence, and latency in milliseconds. */
  performance(kind: string) {
    const tally = this.#tallies.get(kind)
    const sorted = tally ? tally.latencies.slice(0, Math.min(tally.count, MOST_LATENCIES)).sort() : new Float64Array()
    const at = (q: number) =>
      sorted.length === 0 ? null : Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]) / 1000
    return {
      predictions: tally?.count ?? 0,
      detected: tally?.detected ?? 0,
      detected_share: tally ? tally.detected / tally.count : null,
      mean_confidence: tally ? tally.confidence / tally.count : null,
      latency_ms: { p50: at(0.5), p95: at(0.95), p99: at(0.99) },
    }
  }
  get uptimeSeconds(): number {
    return Math.round((this.#context.now() - this.#since) / 1e6)
  }
  get waiting(): number {
    return this.#waiting.length
  }
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    for (let i = 0; i < 20 && this.#sending; i++) await new Promise(resolve => setTimeout(resolve, 50))
    await this.#flush()
    clearTimeout(this.#timer)
  }
}
