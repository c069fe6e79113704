import { setImmediate } from 'node:timers/promises'
import { Authenticate, EventFeed, HeardControls, idempotent, StateView, senderOf, stateRoutes } from '@aegis/api'
import { readEnvironments, sealIn } from '@aegis/authority'
import {
  approvals,
  audit,
  changes,
  ciFailures,
  controls,
  controlsWanted,
  feedback,
  issuesExternal,
  logsRaw,
  manualFixes,
  metricsRaw,
  topologyEdges,
  tracesSpans,
} from '@aegis/domain'
import { redact, redactRecord } from '@aegis/log-mining'
import { defineService, type ServiceContext, streamList } from '@aegis/runtime'
import swagger from '@fastify/swagger'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { ROUTES } from './auth/scopes.ts'
import { settings } from './config.ts'
import { consolePage } from './console-page.ts'
import { NoticeChanges } from './notice-changes.ts'
import { listenGrpc } from './otlp/grpc.ts'
import { WatchSenderClocks } from './otlp/watch-sender-clocks.ts'
import { ciRoute } from './routes/ci.ts'
import { Door } from './routes/door.ts'
import { influxRoutes } from './routes/influx.ts'
import { ingestRoutes } from './routes/ingest.ts'
import { answerOtlpError, isOtlp, otlpRoutes } from './routes/otlp.ts'
import { remoteWriteRoute } from './routes/remote-write.ts'
import { topologyRoute } from './routes/topology.ts'
import { parseTargets } from './sources/scrape.ts'
import { startSources } from './sources/start-sources.ts'

/** OTLP and JSON in, REST and server-sent events out. */
export const gateway = defineService({
  name: 'gateway',
  about: 'Takes telemetry in, and shows what was found and decided.',
  settings,
  follows: streamList(controls),
  publishes: streamList(
    ciFailures,
    logsRaw,
    metricsRaw,
    tracesSpans,
    changes,
    issuesExternal,
    topologyEdges,
    approvals,
    feedback,
    controlsWanted,
    manualFixes,
    audit,
  ),
  tails: [...StateView.streams, ...EventFeed.onDemand, ...HeardControls.streams],
  async create(config, given) {
    // The one way out of here to any stream: whatever a reader of some format has overlooked, no secret passes.
    const context: ServiceContext = {
      ...given,
      publish: async (stream, values, trace) => {
        const clean: (typeof values)[number][] = []
        for (const value of values) {
          clean.push(redactRecord(value))
          // A large request must not hold up the others.
          if (clean.length % 500 === 0) await setImmediate()
        }
        try {
          await given.publish(stream, clean, trace)
        } catch (error) {
          // What fits no schema is the sender's fault, and trying again would not help; anything else is load or outage.
          throw Object.assign(error as Error, {
            statusCode: (error as { code?: string }).code === 'RECORD_MALFORMED' ? 400 : 503,
          })
        }
      },
    }
    const refuse = (request: FastifyRequest, reply: FastifyReply, status: number, message: string) =>
      isOtlp(request.url) ? answerOtlpError(request, reply, status, message) : reply.code(status).send({ message })
    const app = fastify({ bodyLimit: config.maxBodyBytes, logger: false, trustProxy: false })
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
      // The broker's troubles bring their status; what fails while a body is read is the body's.
      const status = error.statusCode ?? (request.method === 'GET' ? 500 : 400)
      if (status >= 500 || error.statusCode === undefined) context.log.warn({ err: error }, 'request failed')
      if (status === 429 || status === 503) reply.header('retry-after', '1')
      return refuse(request, reply, status, error.message)
    })
    app.addHook('onRequest', async (request, reply) => {
      const length = Number(request.headers['content-length'] ?? 0)
      if (length <= config.maxBodyBytes) return
      // Read to the end and thrown away: a client that is cut off half-way never sees the answer.
      request.raw.resume()
      const words = `body of ${length} bytes is larger than the ${config.maxBodyBytes} that AEGIS_MAX_BODY_BYTES allows`
      return refuse(request, reply, 413, words)
    })
    const auth = new Authenticate({ ...config, name: 'gateway', routes: ROUTES, now: given.now })
    auth.guard(app, refuse)
    idempotent(app, context.now, request => `${senderOf(request).name}\0${request.ip}`)
    await app.register(swagger, { openapi: { info: { title: 'Aegis gateway', version: '0.1.0' } } })
    const view = new StateView()
    const feed = new EventFeed(context)
    const door = new Door(config)
    const take = {
      environment: config.environment,
      redact,
      notice: new NoticeChanges(),
      clocks: new WatchSenderClocks((source, words) => context.log.warn({ source }, words)),
    }
    auth.routes(app)
    otlpRoutes(app, context, door, take)
    remoteWriteRoute(app, context, door, config)
    influxRoutes(app, context, door, config)
    ingestRoutes(app, context, door, take)
    topologyRoute(app, context, door, config)
    ciRoute(app, context, door, config)
    const targets = parseTargets(config.scrapeTargets)
    const declared = () =>
      config.environmentsFile ? [config.environment, ...readEnvironments(config.environmentsFile)] : undefined
    stateRoutes(app, context, view, redact, declared)
    feed.route(app)
    app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
    app.get('/', { schema: { hide: true } }, (_request, reply) => reply.type('text/html').send(consolePage(view)))
    await app.ready()

    const closers: (() => Promise<void>)[] = []
    return {
      seal: config.authorityFolder ? sealIn(config.authorityFolder, 'gateway') : undefined,
      stages: [],
      http: (request, response) => app.routing(request, response),
      started: async ({ host }) => {
        const tail = await context.tail(StateView.streams, 'start', seen => {
          for (const { stream, value } of seen) {
            view.take(stream, value)
            feed.send(stream, (value as { id: string }).id, value)
          }
        })
        closers.push(() => tail.close())
        closers.push(await startSources({ ...config, targets, redact }, context))
        if (config.otlpGrpcPort !== undefined)
          await listenGrpc({ ...take, ...config, auth, host, port: config.otlpGrpcPort }, context, door).then(
            grpc => {
              context.log.info({ port: grpc.port }, 'listens for OTLP over gRPC')
              closers.push(() => grpc.close())
            },
            error =>
              context.log.warn(
                { err: error },
                `port ${config.otlpGrpcPort} cannot be had: nothing listens for OTLP over gRPC; AEGIS_OTLP_GRPC_PORT names another port`,
              ),
          )
      },
      stop: async () => {
        feed.close()
        await app.close()
        for (const close of closers) await close().catch(() => undefined)
      },
    }
  },
})
