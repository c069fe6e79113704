/** A service without a pipeline, for its tests: what it publishes comes back as from the topics. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Control, type ControlWanted, controls, controlsWanted, type Stream, setControl, streams } from '@aegis/domain'
import type { Seen, ServiceContext, ServiceParts } from '@aegis/runtime'
import { api } from './service.ts'

export const NOW = 1_800_000_000_000_000
type Config = Parameters<typeof api.create>[0]
export const defaults = Object.fromEntries(
  Object.entries(api.settings).map(([name, { schema }]) => [name, schema.parse(undefined)]),
) as Config

export class TestApi {
  readonly published: { readonly stream: string; readonly value: Record<string, unknown> }[] = []
  readonly controls = new Map<string, unknown>()
  now = NOW
  #tails: { readonly names: readonly string[]; readonly take: (seen: readonly Seen[]) => void }[] = []
  #parts: ServiceParts | undefined
  #server: Server | undefined
  base = ''
  /** Set false: what stands on the topics is never read to the end. */
  reads = true

  async start(config: Partial<Config> = {}): Promise<this> {
    const context = {
      now: () => this.now,
      log: { info() {}, debug() {}, warn() {}, error() {} },
      telemetry: { add() {}, observe() {}, set() {} },
      publish: async (stream: Stream<unknown>, values: readonly Record<string, unknown>[]) => {
        for (const value of values) {
          this.published.push({ stream: stream.name, value })
        }
        await this.say(stream.name, ...values)
        // As the clock does.
        if (stream.name !== controlsWanted.name) return
        for (const wanted of values as unknown as ControlWanted[]) {
          const control = setControl(this.controls.get(wanted.environment) as Control | undefined, wanted)
          if (!control) continue
          this.controls.set(control.environment, control)
          this.published.push({ stream: controls.name, value: control as never })
          await this.say(controls.name, control)
        }
      },
      latest: (_stream: unknown, key: string) => this.controls.get(key),
      tail: async (wanted: readonly Stream<never>[], _from: unknown, take: (seen: readonly Seen[]) => void) => {
        this.#tails.push({ names: wanted.map(s => s.name), take })
        return {
          caughtUp: this.reads ? Promise.resolve() : new Promise<void>(() => undefined),
          close: async () => undefined,
          positions: () => ({}),
        }
      },
      record: async (stream: Stream<never>, partition: number, offset: number) =>
        offset === 7 ? { stream: stream.name, partition, offset, value: { body: 'as written' }, headers: {} } : undefined,
      deadLetters: async () => ({ caughtUp: Promise.resolve(), close: async () => undefined }),
      brokerHealthy: async () => true,
    } as unknown as ServiceContext
    this.#parts = await api.create({ ...defaults, neo4jUri: 'memory', redisUrl: 'memory', ...config }, context)
    this.#server = createServer(this.#parts.http)
    await new Promise<void>(resolve => this.#server?.listen(0, '127.0.0.1', resolve))
    this.base = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    await this.#parts.started?.({ host: '127.0.0.1', port: 0 })
    await this.settle()
    return this
  }
  /** As if it came on its topic. */
  async say(stream: string, ...values: readonly unknown[]): Promise<void> {
    if (!streams.some(s => s.name === stream)) throw new Error(`no stream ${stream}`)
    for (const { names, take } of this.#tails)
      if (names.includes(stream)) take(values.map((value, i) => ({ stream, partition: 0, offset: i, value, headers: {} })))
    await this.settle()
  }
  /** Every connection ends, as when a wire is pulled. */
  async cut(): Promise<void> {
    this.#server?.closeAllConnections()
  }
  settle(): Promise<void> {
    return new Promise(resolve => setTimeout(resolve, 15))
  }
  async ask(url: string, body?: unknown, init: RequestInit = {}) {
    const response = await fetch(`${this.base}${url}`, {
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      ...init,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...(init.headers as Record<string, string>) },
    })
    const text = await response.text()
    const json =
      /json/.test(response.headers.get('content-type') ?? '') && !/ndjson/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, headers: response.headers, text, body: json ? JSON.parse(text) : undefined }
  }
  async stop(): Promise<void> {
    this.#server?.closeAllConnections()
    this.#server?.close()
    await this.#parts?.stop?.()
  }
}

export const incident = (id: string, more: object = {}) => ({
  id,
  environment: 'prod',
  time: NOW,
  state: 'open',
  revision: 1,
  severity: 'high',
  started: NOW - 60e6,
  ended: null,
  entities: ['service:cart', 'service:web'],
  anomalies: ['a1'],
  health: [],
  verdict: 'cause',
  causes: [
    {
      entity: 'service:cart',
      confidence: 0.9,
      score: 1,
      path: [],
      metrics: [],
      evidence: [],
      explanation: 'cart fails',
      fault_kind: 'crash',
      rejected: [],
    },
  ],
  timeline: [],
  graph: [],
  explanation: 'web suffers because of cart',
  merged_into: null,
  split_from: null,
  ...more,
})
export const decision = (id: string, more: object = {}) => ({
  id: `${id}-decided`,
  environment: 'prod',
  time: NOW,
  incident: 'i1',
  attempt: 0,
  cause: 'service:cart',
  action: 'restart',
  target: 'service:cart',
  mode: 'approve',
  status: 'decided',
  decision: id,
  candidates: [],
  propensity: 1,
  facts: '{}',
  reasons: [],
  explanation: '',
  ...more,
})
