import {
  type emit,
  type Input,
  type Received,
  type Result,
  type Stage,
  type Stream,
  seededRandom,
  type Tick,
} from '@aegis/domain'

/** An input as the runtime would hand it over. */
export const received = <T extends { time?: number }>(stream: Stream<T>, value: T, offset = 0, partition = 0): Received<T> => ({
  kind: 'value',
  stream,
  partition,
  offset,
  time: value.time ?? 0,
  clamped: false,
  value,
  random: seededRandom(offset + 1),
})

export const tick = (
  time: number,
  options: { offset?: number; stream?: Stream<never>; environment?: string; final?: boolean; inForce?: Tick['inForce'] } = {},
): Tick => ({
  kind: 'tick',
  stream: (options.stream ?? { name: 'ticks' }) as Stream<unknown>,
  partition: 0,
  offset: options.offset ?? 0,
  time,
  environment: options.environment ?? '*',
  final: options.final ?? false,
  inForce: options.inForce ?? (() => undefined),
})

/** Runs batches through a stage and gathers what it emitted, by stream. What stage tests use. */
export const runStage = async (
  stage: Stage,
  batches: readonly (readonly Input[])[],
): Promise<{ results: Result[]; of: <T>(stream: Stream<T>) => T[] }> => {
  const results: Result[] = []
  for (const batch of batches) {
    const out = await stage.process(batch, new AbortController().signal)
    results.push(...out)
    stage.committed?.(out)
  }
  return {
    results,
    of: <T>(stream: Stream<T>) =>
      results.filter(r => r.kind === 'emit' && r.stream.name === stream.name).map(r => (r as ReturnType<typeof emit>).value as T),
  }
}
