import { ERROR_CODES } from '@aegis/domain'
import { z } from 'zod'
import type { Described, RouteSpec } from './routes.ts'

const schemaOf = (described: Described, io: 'input' | 'output'): object => {
  if (!(described instanceof z.ZodType)) return described.jsonSchema
  const { $schema, ...schema } = z.toJSONSchema(described, { io, unrepresentable: 'any', target: 'draft-2020-12' }) as Record<
    string,
    unknown
  >
  return schema
}
const parametersOf = (schema: z.ZodType | undefined, where: 'path' | 'query'): object[] => {
  if (!schema) return []
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
    properties?: Record<string, { description?: string }>
    required?: string[]
  }
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(description && { description }),
    schema: rest,
  }))
}
const PROBLEM = {
  type: 'object',
  description: 'Problem details (RFC 9457).',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(ERROR_CODES) },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { pointer: { type: 'string', description: 'JSON pointer to the field.' }, detail: { type: 'string' } },
      },
    },
    message: { type: 'string', description: 'The same as detail.' },
  },
}
const SAYS: Readonly<Record<number, string>> = {
  400: 'The request cannot be read; `errors` names each field.',
  401: 'A key is needed.',
  403: 'The key does not open this.',
  404: 'There is no such thing.',
  409: 'Somebody was first.',
  412: 'It has changed since.',
  413: 'Too large.',
  422: 'The same Idempotency-Key came with another body.',
  503: 'What is needed has not been read yet.',
}

/** The OpenAPI 3.1 document of these routes. */
export const openApi = (info: { title: string; version: string; description: string }, specs: readonly RouteSpec[]): object => {
  const paths: Record<string, Record<string, object>> = {}
  for (const spec of specs) {
    const url = spec.url.replace(/:(\w+)/g, '{$1}')
    const status = String(spec.status ?? 200)
    const problems = [...new Set([400, 401, 403, ...(spec.problems ?? []), ...(spec.body ? [413] : [])])].sort()
    const types = spec.answerTypes ?? ['application/json']
    paths[url] ??= {}
    paths[url][spec.method.toLowerCase()] = {
      operationId: `${spec.method.toLowerCase()}_${
        url
          .replace(/^\/(?:api\/v1\/)?/, '')
          .replace(/[^\w]+/g, '_')
          .replace(/_$/, '') || 'root'
      }`,
      tags: [spec.tag],
      summary: spec.summary,
      ...(spec.description && { description: spec.description }),
      parameters: [...parametersOf(spec.params, 'path'), ...parametersOf(spec.query, 'query')],
      ...(spec.body && {
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: schemaOf(spec.body, 'input'),
              ...(spec.example !== undefined && { example: spec.example }),
            },
          },
        },
      }),
      responses: {
        [status]: {
          description: 'The answer.',
          ...(spec.answer
            ? { content: Object.fromEntries(types.map(type => [type, { schema: schemaOf(spec.answer as Described, 'output') }])) }
            : spec.answerTypes && { content: Object.fromEntries(types.map(type => [type, {}])) }),
        },
        ...Object.fromEntries(
          problems.map(code => [
            String(code),
            {
              description: SAYS[code] ?? 'It did not work.',
              content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
            },
          ]),
        ),
      },
    }
  }
  return {
    openapi: '3.1.0',
    info,
    paths,
    components: {
      schemas: { Problem: PROBLEM },
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'A key that "aegis keys add" makes.' } },
    },
    security: [{}, { key: [] }],
  }
}
