import { metricsRaw, topologyEdges, tracesEdges, tracesLines, tracesSpans, tracesVisits } from '@aegis/domain'
import { defineService, streamList } from '@aegis/runtime'
import { settings } from './config.ts'
import { JoinSpans } from './join-spans.ts'
import { MergeEdges } from './merge-edges.ts'

export const spanAggregator = defineService({
  name: 'span-aggregator',
  about: 'Joins spans to calls, calls to edges with their traffic, errors and latencies, and tells where requests stop short.',
  settings,
  create: config => ({
    stages: [
      {
        name: 'join-spans',
        reads: streamList(tracesSpans, tracesLines),
        writes: streamList(tracesEdges, tracesVisits),
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
