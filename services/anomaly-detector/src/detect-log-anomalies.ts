import {
  anomalies,
  EnvironmentClocks,
  emit,
  type Input,
  isFrom,
  logsParsed,
  models,
  type Result,
  type Stage,
  type Stateful,
} from '@aegis/domain'
import { BadLines, type BadLinesOptions } from './log-bad-lines.ts'
import { LogWindows, type WindowOptions } from './log-windows.ts'

/** Strange log lines by entity: bad ones that are new or more frequent from the first line on, and whatever is unlike the entity's usual self once that is learned. */
export class DetectLogAnomalies implements Stage, Stateful {
  readonly snapshotVersion = 4
  readonly #clocks = new EnvironmentClocks()
  readonly #badLines: BadLines
  readonly #windows: LogWindows

  constructor(options: BadLinesOptions & WindowOptions = {}) {
    this.#badLines = new BadLines(options)
    // How long each kind stays quiet is its own: ticks here, windows there.
    const { windowUs, maxEntities, maxSessions, onSession, publishAfter, maxPublished, signer, keys, onRefused } = options
    this.#windows = new LogWindows({
      windowUs,
      maxEntities,
      maxSessions,
      onSession,
      publishAfter,
      maxPublished,
      signer,
      keys,
      onRefused,
    })
  }

  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const input of batch)
      if (isFrom(input, logsParsed)) {
        this.#badLines.line(input)
        this.#windows.line(input)
      } else if (input.kind === 'tick') {
        this.#clocks.see(input)
        const moves = (environment: string) => this.#clocks.moves(input, environment)
        const now = (environment: string) => this.#clocks.now(environment)
        const bad = this.#badLines.tick(input.time, moves, now)
        const { told, learned } = this.#windows.tick(input, moves, now)
        for (const { anomaly, trace } of [...bad, ...told]) results.push(emit(anomalies, anomaly, input, trace))
        for (const model of learned) results.push(emit(models, model, input))
      }
    return results
  }

  snapshot(): Uint8Array {
    return Buffer.from(JSON.stringify({ clocks: this.#clocks, entities: this.#badLines, windows: this.#windows }))
  }
  restore(bytes: Uint8Array, version: number): void {
    const state = JSON.parse(Buffer.from(bytes).toString())
    this.#clocks.fromJSON(state.clocks)
    this.#badLines.load(state.entities)
    // Earlier versions kept sessions in another form: they learn anew what is usual.
    if (version >= 4) this.#windows.load(state.windows)
  }
}
