import { type Stream, streams } from '@aegis/domain'
import type { ServiceDefinition, ServiceParts } from '@aegis/runtime'
import { deadLetterTopic, snapshotTopic } from '@aegis/runtime/topics'

/** One entry of a Kafka access control list, as `kafka-acls` and every admin client have it. */
export interface Permission {
  readonly resource: 'topic' | 'group' | 'transactional-id'
  readonly name: string
  readonly pattern: 'literal' | 'prefixed'
  readonly operations: readonly ('Read' | 'Write' | 'Describe' | 'Delete')[]
}

/**
 * The least a service needs on a broker that has an authorizer, where somebody else makes the topics: what it reads and writes, its own groups,
 * transactions and snapshots, and the sight of all topics (to know how many partitions there are).
 * @see https://kafka.apache.org/documentation/#operations_resources_and_protocols
 */
export function permissionsOf(definition: ServiceDefinition, parts: Pick<ServiceParts, 'stages'>): Permission[] {
  const reads = new Set<string>()
  const writes = new Set<string>()
  const names = (list: readonly Stream<never>[] | undefined) => (list ?? []).map(s => s.name)
  for (const name of [...names(definition.follows), ...names(definition.tails)]) reads.add(name)
  for (const name of names(definition.publishes)) writes.add(name)
  if (definition.readsDeadLetters) for (const { name } of streams) reads.add(deadLetterTopic(name))
  for (const stage of parts.stages) {
    const snapshots = snapshotTopic(`${definition.name}-${stage.name}`)
    for (const name of [...names(stage.reads), ...names(stage.follows), snapshots]) reads.add(name)
    for (const name of [...names(stage.writes), ...names(stage.reads).map(deadLetterTopic), snapshots]) writes.add(name)
  }
  const permissions: Permission[] = [
    { resource: 'topic', name: '*', pattern: 'literal', operations: ['Describe'] },
    // Readers of whole topics are groups of their own, deleted afterwards.
    { resource: 'group', name: 'aegis-reader-', pattern: 'prefixed', operations: ['Read', 'Delete'] },
  ]
  if (definition.clock) {
    for (const stream of streams) if (stream.ticks) writes.add(stream.name)
    permissions.push({ resource: 'topic', name: 'aegis.leader.', pattern: 'prefixed', operations: ['Read'] })
    permissions.push({ resource: 'group', name: 'aegis-leader-', pattern: 'prefixed', operations: ['Read'] })
  }
  for (const name of [...new Set([...reads, ...writes])].sort())
    permissions.push({
      resource: 'topic',
      name,
      pattern: 'literal',
      operations: [...(reads.has(name) ? (['Read'] as const) : []), ...(writes.has(name) ? (['Write'] as const) : [])],
    })
  if (parts.stages.length > 0)
    permissions.push(
      { resource: 'group', name: `${definition.name}-`, pattern: 'prefixed', operations: ['Read'] },
      { resource: 'transactional-id', name: `${definition.name}-`, pattern: 'prefixed', operations: ['Write', 'Describe'] },
    )
  return permissions
}
