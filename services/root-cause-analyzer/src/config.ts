import { z } from 'zod'

export const settings = {
  neo4jUri: {
    env: 'NEO4J_URI',
    schema: z.string().default('bolt://127.0.0.1:17687'),
    about: 'Bolt address of Neo4j; "memory" keeps the graph inside the process.',
  },
  neo4jUser: { env: 'NEO4J_USER', schema: z.string().default('neo4j'), about: 'Neo4j user.' },
  neo4jPassword: { env: 'NEO4J_PASSWORD', schema: z.string().default(''), about: 'Neo4j password.', secret: true },
  settleMs: {
    env: 'AEGIS_SETTLE_MS',
    schema: z.coerce.number().default(3000),
    about: 'How long an incident is watched before its causes are named, milliseconds: the first sign is seldom the cause.',
  },
  closeMs: {
    env: 'AEGIS_CLOSE_MS',
    schema: z.coerce.number().default(20_000),
    about: 'Quiet after mitigation before an incident closes, milliseconds.',
  },
  hops: {
    env: 'AEGIS_HOPS',
    schema: z.coerce.number().int().positive().default(3),
    about: 'How far around the strange entities the graph is read.',
  },
  edgeAgeHours: {
    env: 'AEGIS_EDGE_AGE_HOURS',
    schema: z.coerce.number().positive().default(24),
    about: 'Edges of the graph not seen for so long no longer stand, hours; they stay in its past.',
  },
  metricKnowledge: {
    env: 'AEGIS_METRIC_KNOWLEDGE',
    schema: z.string().optional(),
    about: 'File that says what series mean, a line each (pattern, role, what runs out); its lines come before those shipped.',
  },
  ranker: {
    env: 'AEGIS_RANKER',
    schema: z.string().default(''),
    about: 'File of ranking weights, as `aegis simulate --train` writes it; empty: those shipped.',
  },
}
