import { randomUUID } from 'node:crypto'
import { nearNames } from '@aegis/authority'
import {
  type Approval,
  approvals,
  audit,
  type ControlWanted,
  controls,
  controlsWanted,
  type Decision,
  type Feedback,
  feedback,
  type Incident,
  idOf,
  type ManualFix,
  MODES,
  manualFixes,
  NAMED_BY,
  type Stream,
} from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { checkEnvironment, senderOf } from './auth/authenticate.ts'
import { parseBounded } from './bounded-json.ts'
import { ANSWER_MS, HeardControls } from './heard-controls.ts'
import type { RouteSpec } from './routes.ts'
import type { StateView } from './state-view.ts'

const approval = z.object({
  approved: z.boolean(),
  note: z.string().default(''),
  until: z.number().int().optional(),
})
const cause = z.object({ cause: z.string(), note: z.string().default('') })
const fix = z.object({
  command: z.string().min(1).max(2000),
  success: z.boolean(),
  action: z.string().optional(),
  target: z.string().optional(),
  note: z.string().default(''),
  /** When it was done; said of one time twice, it is one fix. */
  time: z.number().int().positive().optional(),
})
const arm = z.object({ name: z.string().min(1), policy: z.enum(['rules', 'learned']), share: z.number().positive() })
const experiment = z.object({
  name: z.string().min(1),
  state: z.enum(['running', 'paused', 'completed']),
  arms: z
    .array(arm)
    .min(2)
    .refine(arms => Math.abs(arms.reduce((sum, a) => sum + a.share, 0) - 100) < 1e-9, 'the shares must add up to 100'),
})
const control = z.object({
  experiment: experiment.nullable().optional(),
  kill_switch: z.boolean().optional(),
  default_mode: z.enum(MODES).optional(),
  ladder: z.record(z.string(), z.enum(MODES)).optional(),
  protected: z.array(z.string()).optional(),
  maintenance: z
    .array(
      z.object({ from: z.number().int(), to: z.number().int(), reason: z.string(), entities: z.array(z.string()).default([]) }),
    )
    .optional(),
})

const id = z.object({ id: z.string().max(600) })
const tag = 'words of people'
/** What the document says of these routes. */
export const SAY_SPECS: readonly RouteSpec[] = [
  {
    method: 'POST',
    url: '/api/v1/decisions/:id/approval',
    tag,
    summary: 'Yes or no to a decision that waits.',
    description: 'An `Idempotency-Key` makes a second sending count once. 409 where it was decided already.',
    params: id,
    body: approval,
    status: 202,
    problems: [404, 409, 422, 503],
    example: { approved: true, note: 'looks right' },
  },
  {
    method: 'POST',
    url: '/api/v1/incidents/:id/cause',
    tag,
    summary: 'The cause as a person confirmed it.',
    params: id,
    body: cause,
    status: 202,
    problems: [404, 409, 422, 503],
    example: { cause: 'service:stock' },
  },
  {
    method: 'POST',
    url: '/api/v1/incidents/:id/fixes',
    tag,
    summary: 'What somebody did by hand, and whether it helped.',
    params: id,
    body: fix,
    status: 202,
    problems: [404, 409, 422, 503],
    example: { command: 'kubectl rollout undo deployment/stock', success: true },
  },
  {
    method: 'GET',
    url: '/api/v1/controls/:environment/standstill',
    tag,
    summary: 'Whether a stop has stopped all: the executor has said that nothing is under way any more.',
    params: z.object({ environment: z.string() }),
    answer: z.object({ environment: z.string(), stopped: z.boolean(), still: z.boolean() }),
    problems: [503],
  },
  {
    method: 'PUT',
    url: '/api/v1/controls/:environment',
    tag,
    summary: 'How far the machine may go: kill switch, ladder, protected entities, maintenance.',
    description:
      'What is not said stays as it is. `If-Match` with the version that was seen refuses what somebody else changed meanwhile (412).',
    params: z.object({ environment: z.string() }),
    body: control,
    status: 202,
    problems: [404, 409, 412, 422, 503],
    example: { kill_switch: true },
  },
]

const body = <T>(schema: z.ZodType<T>, raw: unknown): T => {
  let json: unknown
  try {
    json = parseBounded((raw as Buffer | undefined)?.toString() ?? '')
  } catch (error) {
    throw Object.assign(new Error(`body is not JSON: ${(error as Error).message}`), { statusCode: 400 })
  }
  const parsed = schema.safeParse(json)
  if (!parsed.success)
    throw Object.assign(new Error(parsed.error.issues.map(i => `${i.path.join('.') || 'body'}: ${i.message}`).join('; ')), {
      statusCode: 400,
    })
  return parsed.data
}

const missing = (what: string, id: string) => ({ message: `no ${what} with id ${id} among the last ones seen` })
const tags = { schema: { tags: ['state'] } }

/** What Aegis has found and decided, as the gateway shows it, and the words people may say about it. */
export const stateRoutes = (
  app: FastifyInstance,
  context: ServiceContext,
  view: StateView,
  redact: (text: string) => string,
  declared?: () => readonly string[] | undefined,
): void => {
  readRoutes(app, context, view)
  sayRoutes(app, context, {
    incident: id => view.incidents.get(id),
    decision: id => view.decisions.get(id),
    redact,
    declared,
  })
}

const readRoutes = (app: FastifyInstance, context: ServiceContext, view: StateView): void => {
  const newestFirst = <T extends { environment: string }>(values: Iterable<T>, query: unknown): T[] => {
    const { environment, limit } = query as { environment?: string; limit?: string }
    return [...values]
      .filter(v => !environment || v.environment === environment)
      .reverse()
      .slice(0, Number(limit ?? 100))
  }
  app.get('/api/v1/incidents', tags, request => newestFirst(view.incidents.values(), request.query))
  app.get<{ Params: { id: string } }>('/api/v1/incidents/:id', tags, (request, reply) => {
    const incident = view.incidents.get(request.params.id)
    if (!incident) return reply.code(404).send(missing('incident', request.params.id))
    const decided = [...view.decisions.values()].filter(d => d.incident === incident.id)
    return reply.send({
      incident,
      anomalies: incident.anomalies.map(id => view.anomalies.get(id)).filter(Boolean),
      decisions: decided,
      outcomes: decided.flatMap(d => view.outcomes.get(d.decision) ?? []),
    })
  })
  app.get('/api/v1/anomalies', tags, request => newestFirst(view.anomalies.values(), request.query))
  app.get('/api/v1/decisions', tags, request => newestFirst(view.decisions.values(), request.query))
  app.get<{ Params: { id: string } }>('/api/v1/decisions/:id', tags, (request, reply) => {
    const decision = view.decisions.get(request.params.id)
    return decision
      ? reply.send({ decision, outcomes: view.outcomes.get(decision.decision) ?? [] })
      : reply.code(404).send(missing('decision', request.params.id))
  })
  app.get('/api/v1/topology', tags, request =>
    newestFirst(
      [...view.edges.values()].filter(e => e.kind !== NAMED_BY),
      { limit: '2000', ...(request.query as object) },
    ),
  )
  app.get('/api/v1/changes', tags, request => newestFirst(view.changes, request.query))
  app.get<{ Params: { environment: string } }>('/api/v1/controls/:environment', tags, (request, reply) =>
    reply.send(
      context.latest(controls, request.params.environment) ?? {
        environment: request.params.environment,
        message: 'nothing set; the shipped defaults hold',
      },
    ),
  )
}

/** Runs what it is handed one after the other. */
const oneByOne = () => {
  let turn: Promise<unknown> = Promise.resolve()
  return <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return mine
  }
}

export interface SayOptions {
  readonly incident: (id: string) => Incident | undefined
  readonly decision: (id: string) => Decision | undefined
  readonly redact: (text: string) => string
  /** Environments there are; undefined: any. */
  readonly declared?: () => readonly string[] | undefined
  /** Why a decision waits for nobody any more; undefined while it does. Without it every word is taken. */
  readonly decided?: (decision: Decision) => string | undefined
}
/** The words people may say: yes or no, the confirmed cause, what they did, how far the machine may go. */
export const sayRoutes = (
  app: FastifyInstance,
  context: ServiceContext,
  { incident: incidentBy, decision: decisionBy, redact, declared = () => undefined, decided }: SayOptions,
): void => {
  const heard = new HeardControls(context)
  const approvalsInTurn = oneByOne()
  /** On the audit stream before it is said, and said before it is answered. */
  const say = async <T extends { id: string; environment: string }>(
    request: FastifyRequest,
    stream: Stream<T>,
    subject: string,
    make: (who: string) => T,
    before?: unknown,
  ): Promise<T> => {
    const { name: who } = senderOf(request)
    const value = make(who)
    checkEnvironment(request, value.environment)
    const time = context.now()
    await context.publish(audit, [
      {
        id: idOf(stream.name, value.id, who, time),
        environment: value.environment,
        time,
        who,
        what: stream.name,
        subject,
        details: {
          address: request.ip,
          after: JSON.stringify(value),
          ...(before !== undefined && { before: JSON.stringify(before) }),
        },
      },
    ])
    await context.publish(stream, [value])
    return value
  }
  app.post<{ Params: { id: string } }>('/api/v1/decisions/:id/approval', tags, async (request, reply) => {
    const decision = decisionBy(request.params.id)
    if (!decision) return reply.code(404).send(missing('decision', request.params.id))
    const said = body(approval, request.body)
    // One after the other: of two clicks the second must see what the first said.
    return approvalsInTurn(async () => {
      const over = decided?.(decision)
      if (over !== undefined) return reply.code(409).send({ message: over })
      const value = await say<Approval>(request, approvals, decision.decision, who => ({
        ...said,
        id: idOf(decision.decision, who, String(said.approved)),
        environment: decision.environment,
        time: context.now(),
        decision: decision.decision,
        who,
      }))
      return reply.code(202).send(value)
    })
  })
  app.post<{ Params: { id: string } }>('/api/v1/incidents/:id/cause', tags, async (request, reply) => {
    const incident = incidentBy(request.params.id)
    if (!incident) return reply.code(404).send(missing('incident', request.params.id))
    const said = body(cause, request.body)
    const value = await say<Feedback>(request, feedback, incident.id, who => ({
      ...said,
      id: idOf(incident.id, who),
      environment: incident.environment,
      time: context.now(),
      incident: incident.id,
      who,
    }))
    return reply.code(202).send(value)
  })
  app.post<{ Params: { id: string } }>('/api/v1/incidents/:id/fixes', tags, async (request, reply) => {
    const incident = incidentBy(request.params.id)
    if (!incident) return reply.code(404).send(missing('incident', request.params.id))
    const said = body(fix, request.body)
    const time = Math.min(said.time ?? context.now(), context.now())
    const command = redact(said.command)
    const value = await say<ManualFix>(request, manualFixes, incident.id, who => ({
      ...said,
      who,
      id: idOf(incident.id, command, time),
      environment: incident.environment,
      time,
      incident: incident.id,
      command,
      note: redact(said.note),
      target: said.target ?? incident.causes[0]?.entity ?? null,
    }))
    return reply.code(202).send(value)
  })
  app.get<{ Params: { environment: string } }>('/api/v1/controls/:environment/standstill', tags, async (request, reply) => {
    const { environment } = request.params
    const control = context.latest(controls, environment)
    const since = control?.stopped_at ?? undefined
    return reply.send({
      environment,
      stopped: control?.kill_switch ?? false,
      still: (control?.kill_switch ?? false) && (await heard.stillSince(environment)) === since,
    })
  })
  app.put<{ Params: { environment: string } }>('/api/v1/controls/:environment', tags, async (request, reply) => {
    const { environment } = request.params
    const names = declared()
    if (names && !names.includes(environment)) {
      const near = nearNames(environment, names)
      return reply.code(404).send({
        message: `no environment is called ${environment}${near.length > 0 ? `; did you mean ${near.join(' or ')}?` : ''} "aegis environments add ${environment}" declares it`,
      })
    }
    const said = body(control, request.body)
    checkEnvironment(request, environment)
    const seen = context.latest(controls, environment)?.version ?? 0
    const held = /^"?(\d+)"?$/.exec(String(request.headers['if-match'] ?? ''))?.[1]
    const changed = (now: number) =>
      reply.code(412).send({ message: `version ${now} is in force, not ${held ?? seen}: look again, then say it again` })
    if (held !== undefined && Number(held) !== seen && said.kill_switch !== true) return changed(seen)
    const time = context.now()
    const { name: who } = senderOf(request)
    const { experiment, ...rest } = said
    const change = { ...rest, ...(experiment !== undefined && { experiment: experiment && JSON.stringify(experiment) }) }
    const answer = await heard.answerTo(idOf('control', environment, who, time, randomUUID()), async id => {
      await say<ControlWanted>(
        request,
        controlsWanted,
        environment,
        () => ({
          id,
          environment,
          time,
          change: JSON.stringify(change),
          seen,
          only_if_seen: held !== undefined,
          who,
        }),
        context.latest(controls, environment),
      )
      return { environment, seen, heldTo: held !== undefined, resumes: said.kill_switch === false }
    })
    if (answer === undefined)
      return reply.code(503).send({
        message: `it was said, and nobody has set it within ${ANSWER_MS / 1000} s: is the clock service up? Look what is in force: GET ${request.url}`,
      })
    return answer.wanted === undefined ? changed(answer.version) : reply.code(202).send(answer.control)
  })
}
