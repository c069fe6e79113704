/** How many instances, partitions and bytes a load takes, reckoned from what was measured of one core (lab/bench/capacity.json, pipeline.json). */
export interface Load {
  /** Log lines a second. */
  readonly lines: number
  /** Metric series; each says a value every `intervalSeconds`. */
  readonly series: number
  readonly intervalSeconds: number
}
/** Microseconds of one core a record, and bytes. */
export interface Measured {
  /** Client, codec and transaction. */
  readonly transport: number
  /** log-parser with its transport, on a real Kafka. */
  readonly logParser: number
  readonly logDetection: number
  readonly metricDetection: number
  readonly bytesPerSeries: number
  readonly snapshotBytesPerSeries: number
}
export interface Need {
  readonly service: string
  /** Cores at full work. */
  readonly cores: number
  readonly instances: number
  /** Megabytes of memory an instance. */
  readonly megabytes: number
}
export interface Plan {
  readonly needs: readonly Need[]
  /** AEGIS_DATA_PARTITIONS. */
  readonly partitions: number
}

/** Instances are planned to be this busy: what is left takes peaks, and the work of a neighbour that restarts. */
const BUSY = 0.6
/** Memory of a service that has no state yet, megabytes: as measured in the pipeline's processes, rounded up. */
const EMPTY_MB = 200
/** A snapshot of one partition has to fit one record of 16 MiB, with room to grow. */
const SNAPSHOT_BYTES = 10 * 1024 * 1024

export function planFor(load: Load, m: Measured): Plan {
  const values = load.series / load.intervalSeconds
  const seriesMb = (load.series * m.bytesPerSeries) / 1e6
  const work: [service: string, cores: number, stateMb: number][] = [
    ['gateway', ((load.lines + values) * m.transport) / 1e6, 0],
    ['log-parser', (load.lines * m.logParser) / 1e6, 0],
    [
      'anomaly-detector',
      (load.lines * (m.transport + m.logDetection) + values * (m.transport + m.metricDetection)) / 1e6,
      seriesMb,
    ],
  ]
  const needs = work.map(([service, cores, stateMb]) => {
    const instances = Math.max(1, Math.ceil(cores / BUSY))
    // Twice the state: it is there once more while a snapshot of it is written.
    return { service, cores, instances, megabytes: Math.ceil(EMPTY_MB + (2 * stateMb) / instances) }
  })
  for (const service of ['clock', 'span-aggregator', 'root-cause-analyzer', 'remediator', 'executor', 'api', 'model-keeper'])
    needs.push({ service, cores: 0, instances: 1, megabytes: EMPTY_MB })
  const widest = Math.max(...needs.map(n => n.instances))
  const forSnapshots = Math.ceil((load.series * m.snapshotBytesPerSeries) / SNAPSHOT_BYTES)
  // Half as many again as instances, so that more can come without keys moving.
  return { needs, partitions: Math.max(6, Math.ceil(widest * 1.5), forSnapshots) }
}
