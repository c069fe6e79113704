import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Every metric of the runtime, with a sentence; the reference page is made from this list. */
export const METRICS = {
  aegis_records_in_total: { kind: 'counter', about: 'Records taken from a stream by a stage.', labels: ['stage', 'stream'] },
  aegis_records_out_total: {
    kind: 'counter',
    about: 'Records emitted to a stream by a stage and committed.',
    labels: ['stage', 'stream'],
  },
  aegis_dead_letters_total: {
    kind: 'counter',
    about: 'Records put on a dead-letter topic.',
    labels: ['stage', 'stream', 'code'],
  },
  aegis_batch_seconds: { kind: 'histogram', about: 'Seconds from taking a batch to its commit.', labels: ['stage'] },
  aegis_retries_total: { kind: 'counter', about: 'Batches that were tried again after a throw.', labels: ['stage'] },
  aegis_recoveries_total: { kind: 'counter', about: 'Times a partition was fenced, restored and replayed.', labels: ['stage'] },
  aegis_replayed_records_total: { kind: 'counter', about: 'Records replayed silently to restore state.', labels: ['stage'] },
  aegis_snapshot_bytes: { kind: 'gauge', about: 'Size of the last snapshot, compressed.', labels: ['stage', 'partition'] },
  aegis_lag_records: {
    kind: 'gauge',
    about: 'Records of a topic’s partition that a group has yet to take up, queued or still on the broker, as last seen.',
    labels: ['group', 'topic', 'partition'],
  },
  aegis_partitions_owned: { kind: 'gauge', about: 'Partitions this instance works on.', labels: ['stage'] },
  aegis_partitions_live: { kind: 'gauge', about: 'Partitions restored and working.', labels: ['stage'] },
  ai_engine_anomaly_predictions_total: {
    kind: 'counter',
    about: 'Answers of detect-anomaly, by severity; none where there was no anomaly.',
    labels: ['severity'],
  },
  ai_engine_failure_predictions_total: {
    kind: 'counter',
    about: 'Answers of detect-failure, by type of failure; none where there was none.',
    labels: ['failure_type'],
  },
  ai_engine_inference_duration_seconds: {
    kind: 'histogram',
    about: 'Seconds from question to answer, without the network.',
    labels: ['model_type'],
  },
} as const

export type MetricName = keyof typeof METRICS

export class Telemetry {
  readonly registry = new Registry()
  readonly #counters = new Map<string, Counter>()
  readonly #gauges = new Map<string, Gauge>()
  readonly #histograms = new Map<string, Histogram>()

  constructor(service: string) {
    this.registry.setDefaultLabels({ service })
    for (const [name, { kind, about, labels }] of Object.entries(METRICS)) {
      const options = { name, help: about, labelNames: [...labels], registers: [this.registry] }
      if (kind === 'counter') this.#counters.set(name, new Counter(options))
      else if (kind === 'gauge') this.#gauges.set(name, new Gauge(options))
      else
        this.#histograms.set(
          name,
          new Histogram({ ...options, buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] }),
        )
    }
  }
  add(name: MetricName, labels: Record<string, string>, by = 1): void {
    this.#counters.get(name)?.inc(labels, by)
  }
  set(name: MetricName, labels: Record<string, string>, value: number): void {
    this.#gauges.get(name)?.set(labels, value)
  }
  /** Forgets a gauge that no longer stands for anything. */
  remove(name: MetricName, labels: Record<string, string>): void {
    this.#gauges.get(name)?.remove(labels)
  }
  observe(name: MetricName, labels: Record<string, string>, value: number): void {
    this.#histograms.get(name)?.observe(labels, value)
  }
}
