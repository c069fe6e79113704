import { type Stream, streams } from '@aegis/domain'
import type { TopicSpec } from './broker.ts'

export interface Spread {
  /** Partitions of `data` and of `environment` streams. */
  readonly data: number
  readonly environment: number
}

const DAY_MS = 86_400_000
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024

export const partitionsOf = (stream: Pick<Stream<unknown>, 'spread'>, spread: Spread): number =>
  stream.spread === 'one' ? 1 : spread[stream.spread]
export const deadLetterTopic = (topic: string): string => `${topic}.dlq`
export const snapshotTopic = (group: string): string => `${group}.snapshots`

/**
 * LogAppendTime: the broker refuses event times more than an hour ahead, and retention would delete replayed old records; event time is in the value.
 * Compaction waits a week, so that a replay still finds the version a tick named.
 */
export const topicSpec = (stream: Stream<never>, spread: Spread): TopicSpec => ({
  topic: stream.name,
  partitions: partitionsOf(stream, spread),
  config: {
    'message.timestamp.type': 'LogAppendTime',
    'max.message.bytes': String(MAX_MESSAGE_BYTES),
    ...(stream.retention === 'compacted'
      ? { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': String(7 * DAY_MS) }
      : { 'cleanup.policy': 'delete', 'retention.ms': String(stream.retention * DAY_MS) }),
  },
})

/** Every topic of the pipeline: the streams and, for those that are read by stages, their dead letters. */
export const allTopics = (spread: Spread): readonly TopicSpec[] =>
  streams.flatMap(stream => [
    topicSpec(stream, spread),
    // More bytes than the stream takes: the original and the reasons.
    {
      topic: deadLetterTopic(stream.name),
      partitions: partitionsOf(stream, spread),
      config: {
        'cleanup.policy': 'delete',
        'retention.ms': String(30 * DAY_MS),
        'max.message.bytes': String(2 * MAX_MESSAGE_BYTES),
      },
    },
  ])

export const snapshotSpec = (group: string, partitions: number): TopicSpec => ({
  topic: snapshotTopic(group),
  partitions,
  config: {
    'cleanup.policy': 'compact',
    'max.message.bytes': String(MAX_MESSAGE_BYTES),
    'segment.ms': String(DAY_MS),
    'min.cleanable.dirty.ratio': '0.1',
  },
})
