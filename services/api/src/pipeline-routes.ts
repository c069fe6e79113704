/** What stands beside the lists: details that join several records, what is live, the controls, the pipeline itself. */
import { Problem, type Routes } from '@aegis/api'
import { type Control, controls, type Decision, type Incident, type LogEvent, type Stream } from '@aegis/domain'
import type { Seen, ServiceContext } from '@aegis/runtime'
import { z } from 'zod'
import type { FillHistory } from './history/fill-history.ts'
import type { HistoryStore, Stored } from './history/history-store.ts'
import { incidentDetail, replayGuard } from './incident-detail.ts'
import { decidedAlready } from './inference/inference.ts'
import type { LetterBook } from './live/letter-book.ts'
import type { LineBook } from './live/line-book.ts'
import type { SeriesBook } from './live/series-book.ts'

export interface PipelineParts {
  readonly context: Pick<ServiceContext, 'latest' | 'record' | 'now'>
  readonly store: HistoryStore
  readonly fill: Pick<FillHistory, 'seen' | 'caughtUp'>
  readonly series: SeriesBook
  readonly lines: LineBook
  readonly letters: LetterBook
  readonly streams: readonly Stream<never>[]
  readonly environment: string
  readonly modeOf: (environment: string) => string
  readonly limits: Readonly<Record<string, number>>
}
const loose = { jsonSchema: { type: 'object' } }
const looseList = { jsonSchema: { type: 'array', items: { type: 'object' } } }
const idParam = z.object({ id: z.string().min(1).max(600) })
const limit = (most: number, fallback: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,3}$/, `must be a whole number from 1 to ${most}`)
    .transform(Number)
    .refine(n => n <= most, `must be a whole number from 1 to ${most}`)
    .default(fallback)
const offset = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number)
const lookFor = {
  environment: z.string().max(100).optional(),
  entity: z.string().max(300).optional(),
  q: z.string().max(300).optional(),
}
const found = (store: HistoryStore, kind: 'incidents' | 'decisions', id: string): Stored => {
  const row = store.get(kind, id)
  if (!row) throw new Problem(404, `there is none among ${kind} with id ${id}`)
  return row
}
const OPEN = new Set(['open', 'updated', 'reopened', 'mitigated'])

export const pipelineRoutes = (routes: Routes, parts: PipelineParts): void => {
  const { context, store, fill, series, lines, letters } = parts
  const fits = (q: string | undefined) => {
    const words = q?.toLowerCase().split(/\s+/).filter(Boolean) ?? []
    return (text: string) => words.every(w => text.toLowerCase().includes(w))
  }
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/incidents/:id',
      tag: 'pipeline',
      summary: 'One incident with all that belongs to it, and one account in the order of time.',
      params: idParam,
      answer: loose,
      problems: [404],
    },
    ({ params }) => incidentDetail(store, found(store, 'incidents', params.id)),
  )
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/decisions/:id',
      tag: 'pipeline',
      summary: 'One decision, what followed, and whether it still waits.',
      params: idParam,
      answer: loose,
      problems: [404],
    },
    ({ params }) => {
      const row = found(store, 'decisions', params.id)
      const decision = JSON.parse(row.doc) as Decision
      const outcomes = store
        .children(decision.incident)
        .filter(r => r.kind === 'outcomes')
        .map(r => JSON.parse(r.doc) as { decision: string })
        .filter(o => o.decision === decision.decision)
      const over = decidedAlready(store, decision)
      const incident = store.get('incidents', decision.incident)
      const open = incident !== undefined && OPEN.has((JSON.parse(incident.doc) as Incident).state)
      return {
        decision,
        outcomes,
        approvals: store
          .children(decision.decision)
          .filter(r => r.kind === 'approvals')
          .map(r => JSON.parse(r.doc)),
        waits: over === undefined && decision.mode === 'approve' && open,
        over: over ?? null,
        ref: { partition: row.partition, offset: row.offset },
      }
    },
  )
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/decisions/:id/replay',
      tag: 'pipeline',
      summary: "The guard's verdict on the decision's own recorded facts, computed again.",
      description: 'The policy and the ranking are replayed by `aegis replay-decision`.',
      params: idParam,
      answer: loose,
      problems: [404],
    },
    ({ params }) => {
      const decision = JSON.parse(found(store, 'decisions', params.id).doc) as Decision
      try {
        return {
          decision: decision.decision,
          recorded: { mode: decision.mode, reasons: decision.reasons },
          ...replayGuard(decision),
        }
      } catch {
        throw new Problem(404, `decision ${params.id} holds no facts that could be replayed`)
      }
    },
  )
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/records/:stream/:partition/:offset',
      tag: 'pipeline',
      summary: 'The record at a place of a stream, word for word, while the topic keeps it.',
      params: z.object({ stream: z.string().max(100), partition: offset, offset }),
      answer: loose,
      problems: [404],
    },
    async ({ params }) => {
      const stream = parts.streams.find(s => s.name === params.stream)
      if (!stream)
        throw new Problem(
          404,
          `there is no stream ${params.stream} to look into; there are ${parts.streams.map(s => s.name).join(', ')}`,
        )
      const record: Seen | undefined = await context.record(stream, params.partition, params.offset).catch(() => undefined)
      if (!record) throw new Problem(404, `${params.stream} holds no record at ${params.partition}/${params.offset} any more`)
      const { partition, offset: at, value, trace } = record
      return { stream: params.stream, partition, offset: at, value, trace: trace ?? null }
    },
  )
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/series',
      tag: 'live',
      summary: 'Series with their last values.',
      query: z.object({ ...lookFor, metric: z.string().max(300).optional(), limit: limit(2000, 200) }),
      answer: looseList,
    },
    ({ query }) => {
      const says = fits(query.q)
      const out: object[] = []
      for (const s of series.all()) {
        if (query.environment && s.environment !== query.environment) continue
        if (query.entity && s.entity !== query.entity) continue
        // Derived series of an anomaly (rates, means) are asked for by the name they come from.
        if (query.metric && s.metric !== query.metric && !query.metric.startsWith(s.metric)) continue
        if (!says(s.id)) continue
        const { base: _, ...plain } = s as typeof s & { base?: unknown }
        out.push(plain)
        if (out.length >= query.limit) break
      }
      return out
    },
  )
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/lines',
      tag: 'live',
      summary: 'The last log lines, the newest first.',
      query: z.object({
        ...lookFor,
        severity: z.string().max(40).optional(),
        template: z.string().max(100).optional(),
        limit: limit(1000, 200),
      }),
      answer: looseList,
    },
    ({ query }) => {
      const says = fits(query.q)
      return lines.lines(
        (e: LogEvent) =>
          (!query.environment || e.environment === query.environment) &&
          (!query.entity || e.entity === query.entity) &&
          (!query.severity || e.severity === query.severity.toUpperCase()) &&
          (!query.template || e.template_id === query.template) &&
          says(`${e.body} ${e.entity}`),
        query.limit,
      )
    },
  )
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/lines/templates',
      tag: 'live',
      summary: 'How often each template came in the last ten minutes, the loudest first.',
      query: z.object({ ...lookFor, limit: limit(1000, 100) }),
      answer: looseList,
    },
    ({ query }) => {
      const says = fits(query.q)
      const sum = (t: { counts: readonly number[] }) => t.counts.reduce((a, b) => a + b, 0)
      return lines
        .templates(context.now())
        .filter(
          t =>
            (!query.environment || t.environment === query.environment) &&
            (!query.entity || t.entity === query.entity) &&
            says(`${t.template} ${t.entity}`),
        )
        .sort((a, b) => sum(b) - sum(a))
        .slice(0, query.limit)
    },
  )
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/experiments',
      tag: 'pipeline',
      summary: 'Experiments that were set, by environment.',
      query: z.object({ environment: z.string().max(100).optional() }),
      answer: looseList,
    },
    ({ query }) =>
      store.list({ kind: 'controls-history', environment: query.environment, limit: 500 }).rows.flatMap(r => {
        const { experiment, environment, time, who } = JSON.parse(r.doc) as Control
        return experiment ? [{ environment, time, who, ...(JSON.parse(experiment) as object) }] : []
      }),
  )
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/dead-letters',
      tag: 'pipeline',
      summary: 'Records that could not be used and wait, the newest first.',
      query: z.object({ stream: z.string().max(100).optional(), limit: limit(500, 100) }),
      answer: looseList,
    },
    ({ query }) => letters.all(query.stream).slice(0, query.limit),
  )
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/controls/:environment',
      tag: 'pipeline',
      summary: 'How far the machine may go in an environment.',
      params: z.object({ environment: z.string().min(1).max(100) }),
      answer: loose,
    },
    ({ params }) =>
      context.latest(controls, params.environment) ?? {
        environment: params.environment,
        message: 'nothing set; the shipped defaults hold',
      },
  )
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/status',
      tag: 'pipeline',
      summary:
        'What every page shows at its head: environments with mode and stop, streams with their newest record, whether all is read.',
      answer: loose,
    },
    () => ({
      time: context.now(),
      caught_up: fill.caughtUp,
      environments: [...new Set([parts.environment, ...store.environments()])].map(name => {
        const control = context.latest(controls, name)
        const [last] = store.list({ kind: 'outcomes', environment: name, limit: 1 }).rows
        return {
          name,
          // What was carried out last was only said: nothing is done here whatever the mode.
          dry_run: last !== undefined && /^dry run\b/.test((JSON.parse(last.doc) as { receipt: string }).receipt),
          mode: control?.default_mode || parts.modeOf(name),
          kill_switch: control?.kill_switch ?? false,
          version: control?.version ?? 0,
        }
      }),
      incidents: store.counts('incidents'),
      streams: Object.fromEntries(fill.seen),
      reporting: { ...series.reporting(), ...lines.reporting() },
      entities: series.entities(),
      dead_letters: letters.all().length,
      limits: parts.limits,
    }),
  )
}
