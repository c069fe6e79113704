import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import {
  Authenticate,
  HeardControls,
  hashOfScript,
  idempotent,
  openApi,
  problemOf,
  Routes,
  recordSchema,
  SAY_SPECS,
  sayRoutes,
  senderOf,
} from '@aegis/api'
import { readEnvironments, sealIn } from '@aegis/authority'
import {
  approvals,
  audit,
  type Control,
  controls,
  controlsWanted,
  type Decision,
  FatalError,
  feedback,
  type Incident,
  type LogEvent,
  logsParsed,
  logsRaw,
  manualFixes,
  metricsRaw,
  type Observation,
  predictions,
  tracesSpans,
} from '@aegis/domain'
import { shippedFailureModel } from '@aegis/inference'
import { redact } from '@aegis/log-mining'
import { wordFor } from '@aegis/remediation/guard-settings'
import { defineService, streamList } from '@aegis/runtime'
import { schemaOf } from '@aegis/runtime/codec'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { settings } from './config.ts'
import { listenInference } from './grpc/listen.ts'
import { neo4jHealth, redisHealth } from './health.ts'
import { FillHistory } from './history/fill-history.ts'
import { HistoryStore } from './history/history-store.ts'
import { listRoutes } from './history/list-routes.ts'
import { decidedAlready, Inference } from './inference/inference.ts'
import { inferenceRoutes } from './inference/inference-routes.ts'
import { PredictionLog } from './inference/prediction-log.ts'
import { LetterBook } from './live/letter-book.ts'
import { LineBook } from './live/line-book.ts'
import { SeriesBook } from './live/series-book.ts'
import { EVENTS, LiveFeed } from './live-feed.ts'
import { consoleFiles, staticRoutes } from './pages/static-files.ts'
import { pipelineRoutes } from './pipeline-routes.ts'
import { ROUTES } from './scopes.ts'

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/
const LIVE = streamList(logsParsed, metricsRaw)
const SAVE_EVERY_MS = 60_000

/** What was found and decided, what models answer, and the console. It writes what people say and what it answered, and nothing else. */
export const api = defineService({
  name: 'api',
  about: 'Gives out: answers of models, what was found and decided with its history, live events, and the console.',
  settings,
  follows: streamList(controls),
  publishes: streamList(predictions, approvals, feedback, manualFixes, controlsWanted, audit),
  tails: [...FillHistory.streams, ...LIVE, ...streamList(logsRaw, tracesSpans), ...HeardControls.streams],
  readsDeadLetters: true,
  async create(config, context) {
    const { now } = context
    const store = new HistoryStore(
      config.historyFile,
      createHash('sha256').update(`${now()} ${process.pid}`).digest('base64url').slice(0, 12),
    )
    const [series, lines, letters] = [new SeriesBook(), new LineBook(), new LetterBook()]
    const feed = new LiveFeed(store, now)
    const fill = new FillHistory(store, context, { days: config.historyDays, onStored: rows => feed.send(rows) })
    const log = new PredictionLog(context)
    const model = shippedFailureModel()
    const modeOf = (environment: string) => wordFor(config.environmentModes, environment) ?? config.defaultMode
    const { disruptivePerHour, concurrent, cooldownMs, minimumConfidence, minimumEvidence, errorBudgetFloor } = config
    const limits = { disruptivePerHour, concurrent, cooldownMs, minimumConfidence, minimumEvidence, errorBudgetFloor }
    const inference = new Inference({
      ...config,
      model,
      store,
      log,
      now,
      caughtUp: () => fill.caughtUp,
      guardFacts: environment => ({
        control: context.latest(controls, environment),
        defaultMode: modeOf(environment),
        allow: config.allow,
        deny: config.deny,
        limits,
      }),
    })

    const files = consoleFiles()
    const refuse = (_request: FastifyRequest, reply: FastifyReply, status: number, message: string) =>
      reply.code(status).type('application/problem+json').send(problemOf(status, message))
    const app = fastify({
      bodyLimit: config.maxBodyBytes,
      logger: false,
      trustProxy: false,
      // Ids are measured by their schemas, which say what is wrong with them.
      routerOptions: { maxParamLength: 65_536 },
      // What cannot even be brought to a route: a path that is not encoded rightly.
      frameworkErrors: (error, request, reply) => refuse(request, reply as FastifyReply, 400, error.message.slice(0, 300)),
    })
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    app.setErrorHandler((error: Error & { statusCode?: number; errors?: never[]; code?: string }, request, reply) => {
      const status = error.statusCode ?? (['BROKER_UNAVAILABLE', 'REGISTRY_UNAVAILABLE'].includes(error.code ?? '') ? 503 : 500)
      if (status >= 500) context.log.warn({ err: error, url: request.url }, 'request failed')
      if (status === 429 || status === 503) reply.header('retry-after', '1')
      const detail = status === 500 ? 'a fault of Aegis; the log of the service "api" says more' : error.message
      return reply
        .code(status)
        .type('application/problem+json')
        .send(problemOf(status, detail, error.errors))
    })
    app.setNotFoundHandler((request, reply) => {
      // Whoever mistyped an address of a page is shown a page that says so.
      const page =
        request.method === 'GET' && /\btext\/html\b/.test(request.headers.accept ?? '')
          ? files.get('/console/index.html')
          : undefined
      if (page) return reply.code(404).type(page.type).send(page.bytes)
      return refuse(
        request,
        reply,
        404,
        `there is nothing at ${request.method} ${request.url.slice(0, 200)}; /docs tells what there is`,
      )
    })
    // Routes shared with the gateway answer errors as it does: here they are problem details like all others.
    app.addHook('preSerialization', async (_request, reply, payload) => {
      const { message, status } = (payload ?? {}) as { message?: unknown; status?: unknown }
      if (reply.statusCode < 400 || typeof message !== 'string' || status !== undefined) return payload
      reply.type('application/problem+json')
      return problemOf(reply.statusCode, message)
    })

    const importMap = /<script type="importmap">([\s\S]*?)<\/script>/.exec(
      files.get('/console/index.html')?.bytes.toString() ?? '',
    )?.[1]
    const auth = new Authenticate({
      ...config,
      anonymousScopes: LOOPBACK.test(config.listenHost) ? config.anonymousScopes : [],
      name: 'api',
      routes: ROUTES,
      scripts: importMap === undefined ? '' : hashOfScript(importMap),
      now,
    })
    auth.guard(app, refuse)
    idempotent(app, now, request => `${senderOf(request).name}\0${request.ip}`)
    auth.routes(app)
    app.get('/api/v1/session', (request, reply) => {
      const { name, scopes, environments } = senderOf(request)
      return reply.send({ name, scopes, environments })
    })

    const routes = new Routes(app)
    inferenceRoutes(routes, {
      inference,
      log,
      model,
      now,
      minSamples: config.minSamples,
      failureWindowSeconds: config.failureWindowSeconds,
      health: async () => {
        const [kafka, neo4j, redis] = await Promise.all([
          context.brokerHealthy().catch(() => false),
          neo4jHealth(config.neo4jUri),
          redisHealth(config.redisUrl),
        ])
        return { kafka: { status: kafka ? ('up' as const) : ('down' as const) }, neo4j, redis }
      },
    })
    listRoutes(routes, store, kind => recordSchema(schemaOf(kind.stream)))
    pipelineRoutes(routes, {
      context,
      store,
      fill,
      series,
      lines,
      letters,
      streams: [...FillHistory.streams, ...LIVE, ...streamList(logsRaw, tracesSpans)],
      environment: config.environment,
      modeOf,
      limits: { ...limits, approvalMs: config.approvalMs },
    })
    routes.add(EVENTS, feed.connect)
    routes.describe(...SAY_SPECS)
    /** Said here and not yet come back by the topic: a second click must not count twice. */
    const said = new Map<string, string>()
    const record = <T>(kind: string, id: string): T | undefined => {
      const row = store.get(kind, id)
      return row && (JSON.parse(row.doc) as T)
    }
    sayRoutes(
      app,
      {
        ...context,
        publish: async (stream, values, trace) => {
          const decision = stream.name === approvals.name ? (values[0] as { decision: string; who: string }) : undefined
          if (decision) said.set(decision.decision, decision.who)
          if (said.size > 10_000) said.delete(said.keys().next().value as string)
          try {
            await context.publish(stream, values, trace)
          } catch (error) {
            if (decision) said.delete(decision.decision)
            throw Object.assign(error as Error, {
              statusCode: (error as { code?: string }).code === 'RECORD_MALFORMED' ? 400 : 503,
            })
          }
        },
      },
      {
        incident: id => record<Incident>('incidents', id),
        decision: id => record<Decision>('decisions', id),
        redact,
        declared: () =>
          config.environmentsFile ? [config.environment, ...readEnvironments(config.environmentsFile)] : undefined,
        decided: decision => {
          const who = said.get(decision.decision)
          return who === undefined ? decidedAlready(store, decision) : `${who} decided it already`
        },
      },
    )
    let document: object | undefined
    app.get('/openapi.json', (_request, reply) => {
      document ??= openApi(
        {
          title: 'Aegis',
          version: '0.1.0',
          description:
            'What models answer, and what the pipeline found and decided. Errors are problem details (RFC 9457); lists go on by their `Link` header.',
        },
        routes.specs,
      )
      return reply.send(document)
    })
    staticRoutes(app, files)
    await app.ready()

    const closers: (() => Promise<void>)[] = []
    return {
      seal: config.authorityFolder ? sealIn(config.authorityFolder, 'api') : undefined,
      stages: [],
      http: (request, response) => app.routing(request, response),
      started: async ({ host }) => {
        if (config.policyPort !== undefined) {
          const alias = createServer((request, response) => {
            if (request.url?.split('?')[0] === '/api/v1/policy/evaluate') app.routing(request, response)
            else response.writeHead(404).end('here is only POST /api/v1/policy/evaluate\n')
          })
          await new Promise<void>((resolve, reject) =>
            alias.once('error', reject).listen(config.policyPort, host, resolve),
          ).catch(error => {
            throw new FatalError(
              'CONFIG_INVALID',
              `AEGIS_POLICY_PORT ${config.policyPort} cannot be had: ${(error as Error).message}`,
            )
          })
          closers.push(async () => {
            alias.closeAllConnections()
            alias.close()
          })
        }
        if (config.grpcPort !== undefined)
          await listenInference({ host, port: config.grpcPort, inference, auth }).then(
            served => {
              context.log.info({ port: served.port }, 'answers over gRPC')
              closers.push(() => served.close())
            },
            error =>
              context.log.warn(
                { err: error },
                `port ${config.grpcPort} cannot be had: nothing answers over gRPC; AEGIS_API_GRPC_PORT names another port`,
              ),
          )
        await fill.start()
        closers.push(() => fill.close())
        const dead = await context.deadLetters(some => letters.take(some))
        closers.push(() => dead.close())
        const saving = setInterval(() => inference.save(), SAVE_EVERY_MS).unref()
        closers.push(async () => {
          clearInterval(saving)
          inference.save()
        })
        if (config.live === 'off') return
        const live = await context.tail(LIVE, 'end', seen => {
          for (const { stream, value } of seen)
            if (stream === metricsRaw.name) series.take(value as Observation)
            else lines.take(value as LogEvent)
        })
        closers.push(() => live.close())
      },
      stop: async () => {
        feed.close()
        await app.close()
        await log.close()
        for (const close of closers) await close().catch(() => undefined)
        store.close()
      },
    }
  },
})
