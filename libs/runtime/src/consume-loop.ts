/**
 * The work on one partition number of one stage: take a batch, process it, and put outputs, dead letters, offsets and now and then a
 * snapshot into one transaction. Whatever goes wrong, the state is thrown away and restored from what was committed, so nothing is
 * taught twice and nothing is left out. While one batch is being committed the next is decoded and processed; it is committed only
 * after it, and thrown away with the state when that fails.
 *
 * On assignment: fence older holders, only then read the committed positions and the snapshot, restore, replay silently, go live.
 */
import { AegisError, type Emit, FatalError, isStateful, type Result, type Stage, type Stream } from '@aegis/domain'
import type { Broker, Lane, OutRecord, Positions, RawRecord, Transaction, Transactor } from './broker.ts'
import type { Codec } from './codec.ts'
import { countBatch, DeadInARow } from './count-batch.ts'
import { deadLetter, type Undelivered } from './dead-letters.ts'
import { type Decoded, decodeBatch } from './decode-batch.ts'
import { encodeResults } from './encode-results.ts'
import type { Followed } from './followed.ts'
import type { Log } from './log.ts'
import type { Seal } from './seal.ts'
import { silentReplay } from './silent-replay.ts'
import { loadSnapshot, orderRecord, restore, snapshotRecords } from './snapshots.ts'
import type { StageDefinition } from './stage-definition.ts'
import type { Telemetry } from './telemetry.ts'
import { BatchTrace } from './tracing.ts'

/** Records decoded and processed before what the network brought is looked at: a commit under way must not stand still meanwhile. */
const SLICE_RECORDS = 500
export interface LoopOptions {
  readonly batchRecords: number
  readonly batchBytes: number
  readonly batchWaitMs: number
  readonly snapshotEveryMs: number
  readonly snapshotEveryRecords: number
  readonly deadLettersInARow: number
  readonly retries: number
  /** First wait before trying again, milliseconds; doubles up to 64 times it. */
  readonly backOffMs?: number
}

export interface LoopDependencies {
  readonly broker: Broker
  readonly codec: Codec
  readonly followed: Followed
  readonly log: Log
  readonly telemetry: Telemetry
  readonly seal?: Seal
  /** Wall clock, microseconds: for signatures only, which are no part of what a stage says. */
  readonly now?: () => number
  readonly service: string
  readonly options: LoopOptions
}

/** All that one transaction holds. */
interface Work {
  readonly batch: readonly RawRecord[]
  readonly results: readonly Result[]
  readonly emitted: readonly Emit[]
  readonly bad: readonly Undelivered[]
  readonly sends: readonly (readonly OutRecord[])[]
  readonly positions: Positions
  readonly trace: BatchTrace
  readonly started: number
}
const othersTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

export class PartitionLoop {
  readonly #definition: StageDefinition
  readonly #group: string
  readonly #lane: Lane
  readonly #deps: LoopDependencies
  readonly #streams: ReadonlyMap<string, Stream<unknown>>
  readonly #writes: ReadonlySet<string>
  readonly #stop = new AbortController()
  #transactor: Transactor | undefined
  #stage: Stage | undefined
  /** After the last batch that was processed; it is committed, or `#committing`. */
  #positions: Positions = {}
  /** Time of the last tick of that batch; event times are held against it. */
  #batchTick = 0
  #lastTick = 0
  #committing: Promise<void> = Promise.resolve()
  /** Times it had to start again since something was last committed. */
  #failures = 0
  readonly #deadInARow: DeadInARow
  #sinceSnapshot = 0
  #batchesSince = 0
  #snapshotAt = 0
  #done: Promise<void> = Promise.resolve()
  #live = false

  constructor(definition: StageDefinition, group: string, lane: Lane, deps: LoopDependencies) {
    this.#definition = definition
    this.#group = group
    this.#lane = lane
    this.#deps = deps
    this.#streams = new Map(definition.reads.map(s => [s.name, s as Stream<unknown>]))
    this.#writes = new Set(definition.writes.map(s => s.name))
    this.#deadInARow = new DeadInARow(deps.options.deadLettersInARow)
  }

  get live(): boolean {
    return this.#live
  }
  get labels() {
    return { stage: this.#definition.name }
  }

  #lagLabels(topic: string) {
    return { group: this.#group, topic, partition: String(this.#lane.partition) }
  }

  /** Works until stopped; `onFatal` hears of what stops the whole service. */
  run(onFatal: (error: Error) => void): void {
    this.#done = this.#work().catch(onFatal)
  }
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#done
  }

  async #work(): Promise<void> {
    const { log } = this.#deps
    try {
      while (!this.#stop.signal.aborted) {
        try {
          await this.#recover()
          while (!this.#stop.signal.aborted) await this.#step()
        } catch (error) {
          if (error instanceof FatalError) throw error
          this.#live = false
          this.#failures++
          const wait = (this.#deps.options.backOffMs ?? 50) * 2 ** Math.min(6, this.#failures)
          log.warn(
            { err: error, stage: this.#definition.name, partition: this.#lane.partition, waitMs: wait },
            'partition starts again from what was committed',
          )
          await this.#pause(wait)
        }
      }
    } finally {
      this.#live = false
      await this.#committing.catch(() => undefined)
      // Whoever has the partition next tells its lag; two words on one partition would contradict each other.
      for (const topic of this.#streams.keys()) this.#deps.telemetry.remove('aegis_lag_records', this.#lagLabels(topic))
      await this.#transactor?.close()
      await this.#stage?.close?.()
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      if (this.#stop.signal.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        this.#stop.signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#stop.signal.addEventListener('abort', done)
    })
  }

  /** Fence, read what was committed, restore, replay silently, go live. */
  async #recover(): Promise<void> {
    const { broker, telemetry, log } = this.#deps
    const partition = this.#lane.partition
    await this.#committing.catch(() => undefined)
    this.#committing = Promise.resolve()
    await this.#transactor?.close()
    this.#transactor = await broker.transactor(`${this.#group}-${partition}`)
    // Before the fence another holder might still have committed; from here on nobody else can.
    this.#positions = { ...(await broker.committed(this.#group, [...this.#streams.keys()], partition)) }
    await this.#rebuild()
    telemetry.add('aegis_recoveries_total', this.labels)
    this.#lane.start(this.#positions)
    this.#live = true
    this.#stage?.live?.()
    log.debug({ stage: this.#definition.name, partition, positions: this.#positions }, 'partition is live')
  }

  /** A new stage in exactly the state that was committed. */
  async #rebuild(): Promise<void> {
    const { broker, telemetry } = this.#deps
    const partition = this.#lane.partition
    await this.#stage?.close?.()
    const stage = this.#definition.create(partition)
    this.#stage = stage
    this.#sinceSnapshot = 0
    this.#snapshotAt = performance.now()
    if (!isStateful(stage)) return
    const { snapshot, order } = await loadSnapshot(broker, this.#group, partition)
    if (snapshot) restore(stage, snapshot, this.#group)
    this.#lastTick = snapshot?.tick ?? 0
    this.#batchesSince = order.length
    const stretch = { topics: [...this.#streams.keys()], partition, from: snapshot?.positions ?? {}, to: this.#positions, order }
    await silentReplay(broker, stretch, async records => {
      const { inputs } = await this.#decode(records)
      telemetry.add('aegis_replayed_records_total', this.labels, records.length)
      if (inputs.length > 0) await stage.process(inputs, this.#stop.signal)
    })
    this.#batchTick = this.#lastTick
  }

  async #step(): Promise<void> {
    const { options, telemetry } = this.#deps
    const raw = await this.#lane.take(options.batchRecords, options.batchBytes, 500)
    const lag = this.#lane.lag()
    // Of a stream that nothing has come on yet there is nothing to lag behind: that is told, too.
    for (const topic of this.#streams.keys()) telemetry.set('aegis_lag_records', this.#lagLabels(topic), lag[topic] ?? 0)
    if (raw.length === 0) return this.#committing
    if (this.#stop.signal.aborted) return
    let batch = raw
    if (raw.length < options.batchRecords && options.batchWaitMs > 0) {
      await this.#pause(options.batchWaitMs)
      const more = await this.#lane.take(options.batchRecords - raw.length, options.batchBytes, 0)
      if (more.length > 0) batch = [...raw, ...more]
    }
    if (this.#stop.signal.aborted) return
    await this.#handle(batch)
  }

  /** Tries the batch whole, then in halves, until each part is committed or a record that fails alone is dead-lettered. */
  async #handle(batch: readonly RawRecord[]): Promise<void> {
    const { options, telemetry, log } = this.#deps
    const started = performance.now()
    let failure: Error | undefined
    for (let attempt = 0; attempt <= options.retries; attempt++) {
      failure = await this.#try(batch, started)
      if (!failure) return
      await this.#committing
      telemetry.add('aegis_retries_total', this.labels)
      log.warn(
        { err: failure, stage: this.#definition.name, partition: this.#lane.partition, records: batch.length, attempt },
        'stage threw; its state is restored and the batch tried again',
      )
      await this.#pause((options.backOffMs ?? 50) * 2 ** attempt)
      await this.#rebuild()
    }
    const tooLarge = (failure as AegisError).code === 'RECORD_TOO_LARGE'
    if (batch.length > 1) {
      const middle = batch.length >> 1
      await this.#handle(batch.slice(0, middle))
      await this.#handle(batch.slice(middle))
      return
    }
    if (!tooLarge) {
      if (!(await this.#neighbourPasses(batch[0])))
        throw new AegisError('STAGE_FAILED', `stage ${this.#definition.name} fails on every record: ${failure?.message}`, {
          cause: failure,
        })
      // The neighbour may have passed because an outage ended just then: only what fails now too is bad data.
      await this.#rebuild()
      failure = await this.#try(batch, started)
      if (!failure) return
    }
    await this.#rebuild()
    // What it was not given now must not be given to it in a replay either.
    this.#sinceSnapshot = options.snapshotEveryRecords
    const code = tooLarge ? 'RECORD_TOO_LARGE' : 'STAGE_FAILED'
    await this.#commit(batch, [{ raw: batch[0], code, message: failure?.message ?? '' }], [], started)
  }

  /** Processes the batch and begins its commit; what the stage failed with, if it did. Throws what no record is to blame for. */
  async #try(batch: readonly RawRecord[], started: number): Promise<Error | undefined> {
    try {
      this.#lastTick = this.#batchTick
      const bad: Undelivered[] = []
      const results: Result[] = []
      for (let from = 0; from < batch.length; from += SLICE_RECORDS) {
        if (from > 0) await othersTurn()
        const decoded = await this.#decode(batch.slice(from, from + SLICE_RECORDS))
        for (const b of decoded.bad) bad.push(b)
        if (decoded.inputs.length === 0) continue
        for (const r of await this.#stage!.process(decoded.inputs, this.#stop.signal)) results.push(r)
      }
      await this.#commit(batch, bad, results, started)
      return undefined
    } catch (error) {
      if (error instanceof FatalError || isOutage(error) || this.#stop.signal.aborted) throw error
      return error as Error
    }
  }

  /** Whether another record passes where this one fails: bad data, then, and not an outage. Results are thrown away. */
  async #neighbourPasses(failed: RawRecord): Promise<boolean> {
    const { broker, options } = this.#deps
    const end = await broker.end(failed.topic, failed.partition)
    const candidates: RawRecord[] = []
    const near = async (from: number, to: number) => {
      if (from < to)
        await broker.read(
          failed.topic,
          failed.partition,
          from,
          to,
          records => void candidates.push(...records.filter(r => r.value !== null)),
        )
    }
    await near(failed.offset + 1, Math.min(end, failed.offset + 1 + options.retries + 2))
    await near(Math.max(0, failed.offset - options.retries - 2), failed.offset)
    for (const record of candidates) {
      await this.#rebuild()
      const { inputs } = await this.#decode([record])
      if (inputs.length === 0) continue
      const passed = await this.#stage!.process(inputs, this.#stop.signal).then(
        () => true,
        () => false,
      )
      if (passed) return true
    }
    return false
  }

  async #decode(batch: readonly RawRecord[]): Promise<Decoded> {
    const { codec, followed, seal } = this.#deps
    const decoded = await decodeBatch(batch, this.#lastTick, { codec, followed, streams: this.#streams, seal })
    this.#lastTick = decoded.lastTick
    return decoded
  }

  /** Puts together what is committed as the state is now, and begins to commit it when the batch before is through. */
  async #commit(
    batch: readonly RawRecord[],
    undecoded: readonly Undelivered[],
    results: readonly Result[],
    started: number,
  ): Promise<void> {
    const { codec, service, telemetry, options, seal, now } = this.#deps
    const stage = this.#stage!
    const partition = this.#lane.partition
    const { name } = this.#definition
    const trace = new BatchTrace(name)
    const { records, rejected, emitted } = encodeResults(
      results,
      { codec, service, stage: name, writes: this.#writes, seal, now },
      trace,
    )
    const bad = [...undecoded, ...rejected]
    const letters = bad.map(b => deadLetter(b.raw, { group: this.#group, stage: name, code: b.code, message: b.message }))
    // Whoever forges records must not be able to stop the service with them.
    this.#deadInARow.see(
      batch,
      bad.filter(b => b.code !== 'RECORD_UNTRUSTED'),
    )
    for (const { raw, code, message } of bad)
      if (code === 'RECORD_UNTRUSTED')
        this.#deps.log.error({ topic: raw.topic, partition: raw.partition, offset: raw.offset }, `record refused: ${message}`)

    const positions = { ...this.#positions }
    for (const r of batch) positions[r.topic] = Math.max(positions[r.topic] ?? 0, r.offset + 1)
    let snapshot: readonly OutRecord[] = []
    this.#sinceSnapshot += batch.length
    if (
      isStateful(stage) &&
      (this.#definition.snapshotAlways ||
        this.#sinceSnapshot >= options.snapshotEveryRecords ||
        performance.now() - this.#snapshotAt >= options.snapshotEveryMs)
    ) {
      snapshot = snapshotRecords(this.#group, partition, stage, positions, this.#lastTick)
      telemetry.set(
        'aegis_snapshot_bytes',
        { ...this.labels, partition: String(partition) },
        snapshot.reduce((sum, r) => sum + (r.value?.length ?? 0), 0),
      )
      this.#sinceSnapshot = 0
      this.#batchesSince = 0
      this.#snapshotAt = performance.now()
    } else if (isStateful(stage) && this.#streams.size > 1)
      snapshot = [orderRecord(this.#group, partition, this.#batchesSince++, batch)]
    const sends = [records, letters, snapshot].filter(list => list.length > 0)
    await this.#committing
    this.#positions = positions
    this.#batchTick = this.#lastTick
    this.#committing = this.#transact(stage, { batch, results, emitted, bad, sends, positions, trace, started })
    // Whoever comes next waits for it and hears of its failure; until then it is nobody's.
    this.#committing.catch(() => undefined)
  }

  async #transact(stage: Stage, work: Work): Promise<void> {
    const { telemetry, log } = this.#deps
    const partition = this.#lane.partition
    let tx: Transaction | undefined
    try {
      tx = await this.#transactor!.begin()
      for (const records of work.sends) await tx.send(records)
      await tx.offsets(this.#group, partition, work.positions)
      await tx.commit()
    } catch (error) {
      await tx?.abort().catch(() => undefined)
      throw new CommitFailed(error as Error)
    } finally {
      work.trace.end()
    }
    this.#failures = 0
    countBatch(telemetry, this.labels, work)
    telemetry.observe('aegis_batch_seconds', this.labels, (performance.now() - work.started) / 1000)
    if (work.bad.length > 0)
      log.warn(
        {
          stage: this.#definition.name,
          partition,
          count: work.bad.length,
          topic: work.bad[0].raw.topic,
          offset: work.bad[0].raw.offset,
          code: work.bad[0].code,
          reason: work.bad[0].message,
        },
        'records dead-lettered',
      )
    stage.committed?.(work.results)
  }
}

/** The producer is of no more use: fence anew and read again what was committed. */
class CommitFailed extends Error {
  constructor(cause: Error) {
    super(`commit failed: ${cause.message}`, { cause })
  }
}
const OUTAGES: ReadonlySet<string> = new Set(['REGISTRY_UNAVAILABLE', 'BROKER_UNAVAILABLE', 'STORE_UNAVAILABLE', 'FENCED'])
/** Nothing is wrong with the records: wait for what is away, then start again from what was committed. */
const isOutage = (error: unknown): boolean =>
  error instanceof CommitFailed || (error instanceof AegisError && OUTAGES.has(error.code))
