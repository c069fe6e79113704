/** What the pages know: loaded once, kept up by server-sent events, loaded anew when the service says so. */
import { batch, computed, signal } from '@preact/signals'

/** @typedef {Record<string, any>} Rec */

/** Microseconds since 1970 by the server's clock, as far as it was told. */
export const now = signal(Date.now() * 1000)
/** connecting, live, lost */
export const connection = signal('connecting')
/** Seconds since the service was heard of last. */
export const silence = signal(0)
/** The head of every page: see GET /api/v1/status. */
export const status = signal(/** @type {Rec | null} */ (null))
/** Who looks: name and scopes. */
export const session = signal(/** @type {Rec | null} */ (null))
/** True once the lists are there. */
export const loaded = signal(false)
/** Set while the service says that a key is needed even for reading. */
export const locked = signal(false)
/** Environment that is looked at; empty: all. */
export const environment = signal(localStorage.getItem('aegis-environment') ?? '')
export const setEnvironment = (/** @type {string} */ name) => {
  environment.value = name
  localStorage.setItem('aegis-environment', name)
}

const IDS = /** @type {Record<string, (v: Rec) => string>} */ ({
  decisions: v => v.decision,
  topology: v => `${v.environment}|${v.from}|${v.to}|${v.kind}`,
  models: v => `${v.id}@${v.version}`,
})
const LOADED = ['incidents', 'anomalies', 'decisions', 'outcomes', 'approvals', 'changes']
const LIVE = [...LOADED, 'feedback', 'fixes', 'topology', 'models', 'predictions', 'controls-history', 'builds', 'issues']
const MOST = 1500

/** @type {Map<string, { map: Map<string, Rec>, version: import('@preact/signals').Signal<number> }>} */
const books = new Map(LIVE.map(kind => [kind, { map: new Map(), version: signal(0) }]))
const book = (/** @type {string} */ kind) => /** @type {NonNullable<ReturnType<typeof books.get>>} */ (books.get(kind))
const put = (/** @type {string} */ kind, /** @type {Rec} */ value) => {
  const { map } = book(kind)
  const id = (IDS[kind] ?? (v => v.id))(value)
  map.delete(id)
  map.set(id, value)
  if (map.size > MOST) map.delete(map.keys().next().value ?? '')
}
/** Records of a kind in the environment that is looked at, the newest first; drawn again when they change. */
export const list = (/** @type {string} */ kind, /** @type {boolean} */ everywhere = false) => {
  const { map, version } = book(kind)
  void version.value
  const wanted = environment.value
  return [...map.values()].filter(v => everywhere || wanted === '' || v.environment === wanted).sort((a, b) => b.time - a.time)
}
export const byId = (/** @type {string} */ kind, /** @type {string} */ id) => {
  const { map, version } = book(kind)
  void version.value
  return map.get(id)
}
export const version = (/** @type {string} */ kind) => book(kind).version.value

/** Incidents that are not over. */
export const open = computed(() => list('incidents').filter(i => ['open', 'updated', 'reopened', 'mitigated'].includes(i.state)))
export const decided = computed(
  () => new Set([...list('approvals', true).map(a => a.decision), ...list('outcomes', true).map(o => o.decision)]),
)
/** Decisions that wait for a person. */
export const waiting = computed(() => {
  const openIds = new Set(open.value.map(i => i.id))
  const until = now.value - 1000 * (status.value?.limits?.approvalMs ?? 900_000)
  return list('decisions').filter(
    d => d.mode === 'approve' && !decided.value.has(d.decision) && openIds.has(d.incident) && d.time > until,
  )
})

/** An answer that is none: problem details. */
export class ApiError extends Error {
  /** @param {number} code @param {Rec} problem */
  constructor(code, problem) {
    super(problem.detail ?? problem.message ?? `it answered ${code}`)
    this.status = code
  }
}
/** @param {string} url @param {RequestInit} [init] */
export const api = async (url, init) => {
  let response
  try {
    response = await fetch(url, init)
  } catch {
    throw new ApiError(0, { detail: 'the service does not answer; this page goes on as soon as it does' })
  }
  const text = await response.text()
  const body = text === '' ? null : JSON.parse(text)
  if (!response.ok) {
    if (response.status === 401 && (init?.method ?? 'GET') === 'GET') locked.value = true
    throw new ApiError(response.status, body ?? {})
  }
  const next = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1]
  return { body, next }
}
/** One key for one click, however often it must be sent. @param {'POST' | 'PUT'} method @param {string} url @param {unknown} body @param {Record<string, string>} [headers] */
export const say = async (method, url, body, headers = {}) => {
  const key = crypto.randomUUID?.() ?? String(Math.random())
  for (let attempt = 0; ; attempt++)
    try {
      const init = {
        method,
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
      }
      return (await api(url, init)).body
    } catch (error) {
      // Nobody knows whether it arrived: the same key again counts once.
      if (!(error instanceof ApiError) || error.status !== 0 || attempt >= 3) throw error
      await new Promise(resolve => setTimeout(resolve, 500 * 2 ** attempt))
    }
}

/** Read for a page that is open; again when something of the kind changes. @param {string} url */
export const readAll = async (url, most = 3000) => {
  /** @type {Rec[]} */
  const all = []
  /** @type {string | undefined} */
  let next = url
  while (next && all.length < most) {
    const page = await api(next)
    all.push(...page.body)
    next = page.next
  }
  return all
}

/** Ids that events told of while the lists were on their way: these are newer than the lists. @type {Set<string> | undefined} */
let told
const load = async () => {
  told = new Set()
  try {
    const pages = await Promise.all(
      LOADED.map(async kind => /** @type {const} */ ([kind, (await api(`/api/v1/${kind}?limit=300`)).body])),
    )
    batch(() => {
      for (const [kind, values] of pages) {
        const { map, version: v } = book(kind)
        for (const id of [...map.keys()]) if (!told?.has(`${kind} ${id}`)) map.delete(id)
        for (const value of [...values].reverse())
          if (!told?.has(`${kind} ${(IDS[kind] ?? (x => x.id))(value)}`)) put(kind, value)
        v.value++
      }
      loaded.value = true
      locked.value = false
    })
  } finally {
    told = undefined
  }
}
let lastHeard = performance.now()
let skew = 0
const heard = (/** @type {number | undefined} */ time) => {
  lastHeard = performance.now()
  if (time !== undefined) skew = time - Date.now() * 1000
  connection.value = 'live'
}
const refreshStatus = async () => {
  try {
    status.value = (await api('/api/v1/status')).body
  } catch {
    // The freshness says it.
  }
}
/** Events come in bursts: drawn once a frame. @type {Map<string, Rec[]>} */
let pending = new Map()
const flush = () => {
  const some = pending
  pending = new Map()
  batch(() => {
    for (const [kind, values] of some) {
      for (const value of values) put(kind, value)
      book(kind).version.value++
    }
  })
  if (some.has('controls-history')) void refreshStatus()
}
const listen = () => {
  const events = new EventSource('/api/v1/events')
  events.addEventListener('beat', e => heard(JSON.parse(/** @type {MessageEvent} */ (e).data).time))
  events.addEventListener('reset', () => void retry(load))
  for (const kind of LIVE)
    events.addEventListener(kind, e => {
      heard(undefined)
      const value = JSON.parse(/** @type {MessageEvent} */ (e).data)
      told?.add(`${kind} ${(IDS[kind] ?? (v => v.id))(value)}`)
      if (pending.size === 0) setTimeout(flush, 16)
      const some = pending.get(kind)
      if (some) some.push(value)
      else pending.set(kind, [value])
    })
  events.onerror = () => {
    connection.value = 'lost'
    // A browser gives up for good on an answer that is no stream.
    if (events.readyState === EventSource.CLOSED) {
      events.close()
      setTimeout(listen, 2000)
    }
  }
}
const retry = async (/** @type {() => Promise<void>} */ work) => {
  for (let wait = 500; ; wait = Math.min(5000, wait * 2))
    try {
      return await work()
    } catch {
      if (locked.value) return
      await new Promise(resolve => setTimeout(resolve, wait))
    }
}
export const start = () => {
  listen()
  void retry(load)
  void retry(async () => {
    session.value = (await api('/api/v1/session')).body
  })
  void refreshStatus()
  setInterval(refreshStatus, 5000)
  setInterval(() => {
    batch(() => {
      now.value = Date.now() * 1000 + skew
      silence.value = Math.floor((performance.now() - lastHeard) / 1000)
    })
  }, 1000)
}
/** Whether who looks may do it; also where nobody is asked. */
export const may = (/** @type {string} */ scope) => {
  const scopes = session.value?.scopes ?? []
  return scopes.includes(scope) || scopes.includes('admin')
}
