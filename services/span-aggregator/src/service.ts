import { metricsRaw, topologyEdges, tracesEdges, tracesSpans } from '@aegis/domain'
import { defineService, streamList } from '@aegis/runtime'
import { settings } from './config.ts'
import { JoinSpans } from './join-spans.ts'
import { MergeEdges } from './merge-edges.ts'

export const spanAggregator = defineService({
  name: 'span-aggregator',
  about: 'Joins spans to calls, and calls to edges with their traffic, errors and latencies.',
  settings,
  create: config => ({
    stages: [
      {
        name: 'join-spans',
        reads: streamList(tracesSpans),
        writes: streamList(tracesEdges),
        create: partition => new JoinSpans(partition, { holdUs: config.holdMs * 1000 }),
      },
      {
        name: 'merge-edges',
        reads: streamList(tracesEdges),
        writes: streamList(topologyEdges, metricsRaw),
        create: () => new MergeEdges(),
      },
    ],
  }),
})
