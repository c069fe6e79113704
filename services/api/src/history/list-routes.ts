/** Lists, details and exports of everything the history keeps: one set of parameters for all of them. */
import { once } from 'node:events'
import { instant, Problem, type Routes } from '@aegis/api'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { HistoryStore, ListQuery, Page, Stored } from './history-store.ts'
import { KINDS, type Kind } from './kinds.ts'

/** Numbers come as texts in a query. */
const time = z
  .string()
  .max(64)
  .transform((text, context) => {
    const read = instant.safeParse(/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text)
    if (read.success) return read.data
    context.addIssue({ code: 'custom', message: 'no time: ISO 8601, or a number since 1970' })
    return z.NEVER
  })
const words = z
  .string()
  .max(500)
  .transform(text =>
    text
      .split(',')
      .map(w => w.trim())
      .filter(Boolean),
  )
const cursor = z
  .string()
  .max(1000)
  .transform((text, context) => {
    try {
      const [at, id] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [unknown, unknown]
      if (Number.isSafeInteger(at) && typeof id === 'string') return { time: at as number, id }
    } catch {
      // Told below.
    }
    context.addIssue({ code: 'custom', message: 'is not a cursor that a list gave; start without one' })
    return z.NEVER
  })
const filters = {
  environment: z.string().max(100).optional(),
  state: words.optional().meta({ description: 'One or several, separated by commas.' }),
  severity: words.optional().meta({ description: 'One or several, separated by commas.' }),
  entity: z.string().max(300).optional().meta({ description: 'Records about this entity, kind:name.' }),
  since: time.optional().meta({ description: 'ISO 8601, or a number since 1970.' }),
  until: time.optional().meta({ description: 'ISO 8601, or a number since 1970.' }),
  q: z.string().max(300).optional().meta({ description: 'Words that all stand somewhere in the record.' }),
}
/** Written out: as a number with bounds a query of 1e2 or 5.0 would pass. */
const limit = z
  .string()
  .regex(/^(?:[1-9]\d?|[1-4]\d\d|500)$/, 'must be a whole number from 1 to 500')
  .transform(Number)
export const listQuery = z.object({
  ...filters,
  limit: limit.default(100),
  cursor: cursor.optional().meta({ description: 'Where the page before ended; the Link header of a page holds it.' }),
})
const exportQuery = z.object({ ...filters, format: z.enum(['csv', 'ndjson']).default('ndjson') })
const idParam = z.object({ id: z.string().min(1).max(600) })

export const cursorOf = ({ time: at, id }: NonNullable<Page['next']>): string =>
  Buffer.from(JSON.stringify([at, id])).toString('base64url')
/** A page as it is answered: an array, and where it goes on in `Link` (RFC 8288). */
export const sendPage = (reply: FastifyReply, url: string, page: Page): FastifyReply => {
  if (page.next) {
    const [path, query] = url.split('?')
    const parameters = new URLSearchParams(query)
    parameters.set('cursor', cursorOf(page.next))
    reply.header('link', `<${path}?${parameters}>; rel="next"`)
  }
  return reply.type('application/json').send(`[${page.rows.map(r => r.doc).join(',')}]`)
}

/** @param schemaOf JSON Schema of a kind's record; undefined leaves it out of the document */
export const listRoutes = (routes: Routes, store: HistoryStore, schemaOf: (kind: Kind) => object): void => {
  for (const kind of KINDS) {
    const record = schemaOf(kind)
    const query = (given: Omit<z.output<typeof listQuery>, 'cursor'>, after: ListQuery['after']): ListQuery => ({
      kind: kind.name,
      ...given,
      after,
    })
    routes.add(
      {
        method: 'GET',
        url: `/api/v1/${kind.name}`,
        tag: 'pipeline',
        summary: kind.about,
        query: listQuery,
        description: 'The newest first. A further page is in the header `Link: <…>; rel="next"`.',
        answer: { jsonSchema: { type: 'array', items: record } },
      },
      ({ query: { cursor: after, ...given }, request, reply }) => sendPage(reply, request.url, store.list(query(given, after))),
    )
    routes.add(
      {
        method: 'GET',
        url: `/api/v1/${kind.name}/export`,
        tag: 'pipeline',
        summary: `${kind.about} Everything that fits, for other programs.`,
        query: exportQuery,
        answerTypes: ['application/x-ndjson', 'text/csv'],
      },
      ({ query: { format, ...given }, reply }) =>
        sendExport(reply, kind, format, after => store.list({ ...query({ ...given, limit: 500 }, after) })),
    )
    // These have a detail of their own, which holds more.
    if (kind.name === 'incidents' || kind.name === 'decisions') continue
    routes.add(
      {
        method: 'GET',
        url: `/api/v1/${kind.name}/:id`,
        tag: 'pipeline',
        summary: `One of: ${kind.about.toLowerCase()}`,
        params: idParam,
        answer: { jsonSchema: record },
        problems: [404],
      },
      ({ params, reply }) => {
        const found = store.get(kind.name, params.id)
        if (!found) throw new Problem(404, `there is none among ${kind.name} with id ${params.id}`)
        return reply.type('application/json').send(found.doc)
      },
    )
  }
}

const COLUMNS = ['id', 'environment', 'time', 'kind', 'state', 'severity', 'entity']
/** What a spreadsheet would take for a formula is told as text. */
const cell = (value: unknown): string => {
  const text = value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
async function sendExport(
  reply: FastifyReply,
  kind: Kind,
  format: 'csv' | 'ndjson',
  page: (after: ListQuery['after']) => Page,
): Promise<FastifyReply> {
  reply.hijack()
  const response = reply.raw
  response.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson',
    'content-disposition': `attachment; filename="${kind.name}.${format}"`,
  })
  let columns: string[] | undefined
  let after: ListQuery['after']
  do {
    const { rows, next } = page(after)
    for (const { doc } of rows as readonly Stored[]) {
      let line = `${doc}\n`
      if (format === 'csv') {
        const record = JSON.parse(doc) as Record<string, unknown>
        if (!columns) {
          columns = [...new Set([...COLUMNS.filter(c => c in record), ...Object.keys(record)])]
          line = `${columns.map(cell).join(',')}\r\n`
        } else line = ''
        line += `${columns.map(c => cell(record[c])).join(',')}\r\n`
      }
      if (!response.write(line)) await Promise.race([once(response, 'drain'), once(response, 'close')])
      if (response.destroyed) return reply
    }
    after = next
  } while (after)
  response.end()
  return reply
}
