import type { Stream } from '@aegis/domain/streams'
import type { NamedSchema } from './words.ts'

/** AsyncAPI 3.0 document of every stream, with its Avro payload. */
export const asyncApi = async (schemas: readonly NamedSchema[]): Promise<string> => {
  const { streams } = await import('@aegis/domain/streams')
  const schemaOf = new Map(schemas.map(s => [s.name, s.schema]))
  const slug = (name: string) => name.replaceAll('.', '_')
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'Aegis streams',
      version: '0.1.0',
      description:
        'Topics that Aegis reads and writes. Values are Avro in the Confluent frame; headers carry W3C traceparent and CloudEvents in binary mode.',
    },
    defaultContentType: 'application/vnd.apache.avro',
    channels: Object.fromEntries(
      streams.map((s: Stream<never>) => [
        slug(s.name),
        {
          address: s.name,
          description: s.about,
          messages: { value: { $ref: `#/components/messages/${slug(s.name)}` } },
          bindings: {
            kafka: {
              topic: s.name,
              topicConfiguration: { 'cleanup.policy': [s.retention === 'compacted' ? 'compact' : 'delete'] },
              bindingVersion: '0.5.0',
            },
          },
        },
      ]),
    ),
    operations: Object.fromEntries(
      streams.flatMap((s: Stream<never>) => [
        [
          `subscribe_${slug(s.name)}`,
          { action: 'send', channel: { $ref: `#/channels/${slug(s.name)}` }, summary: `Subscribe to ${s.name}.` },
        ],
      ]),
    ),
    components: {
      messages: Object.fromEntries(
        streams.map((s: Stream<never>) => [
          slug(s.name),
          {
            name: s.name,
            summary: s.about,
            headers: {
              type: 'object',
              properties: {
                traceparent: { type: 'string' },
                ce_id: { type: 'string' },
                ce_source: { type: 'string' },
                ce_type: { type: 'string' },
                ce_time: { type: 'string' },
              },
            },
            payload: { schemaFormat: 'application/vnd.apache.avro;version=1.9.0', schema: schemaOf.get(s.name) },
          },
        ]),
      ),
    },
  }
  return `${JSON.stringify(document, null, 2)}\n`
}
