/**
 * What services usually log, as bytes: the form in which `aegis logs --train` writes it to a file and in which it stands on the `models` stream, so that one can go
 * where the other came from. Without quotes and open sessions: of the lines themselves only templates and the range of their numbers are in it.
 */
import { gzipSync } from 'node:zlib'
import { AegisError } from '@aegis/domain'
import { inflate, notFinite, unlike } from '@aegis/model-registry/check-model'
import { LogWatch } from './log-watch.ts'

export type LogState = ReturnType<LogWatch<never>['toJSON']>
export interface LogModelFile {
  readonly kind: 'aegis-log-model'
  readonly version: number
  readonly services: readonly (readonly [service: string, state: LogState])[]
}
export const LOG_MODEL_VERSION = 3
const MOST_SERVICES = 1000
/** Every state has this form; its templates have these numbers. */
const SAMPLE: LogState = new LogWatch<never>().toJSON()
const NUMBERS = 'slot lines mean variance age present gap longestGap missed flagged bar'.split(' ')

/** What was learned, apart from what goes on: no quotes, no sessions that are open, nothing of the window that is. */
export function learnedOf<Quote>(watch: LogWatch<Quote>): LogState {
  const state = watch.toJSON()
  const { sessions, rates } = state
  const open = new Map([...sessions.active, ...sessions.idle])
  return {
    ...state,
    rates: {
      ...rates,
      total: 0,
      templates: rates.templates.map(([id, t]) => [id, { ...t, lines: 0, fresh: false, quotes: [] }]),
    },
    sessions: {
      ...sessions,
      active: [],
      idle: [],
      basis: sessions.basis.flatMap(([id, kept]) => {
        const session = kept ?? open.get(id)
        return session ? [[id, { ...session, quotes: [] }] as const] : []
      }),
      strange: 0,
      worst: null,
    },
    outside: [],
    outsideLines: 0,
  }
}

export const packLogModel = (services: LogModelFile['services']): Uint8Array =>
  gzipSync(JSON.stringify({ kind: 'aegis-log-model', version: LOG_MODEL_VERSION, services } satisfies LogModelFile))

/**
 * Reads a log model, as JSON or as gzip of it.
 * @param what names it where it cannot be read
 * @throws INPUT_INVALID saying what is wrong with it
 */
export function readLogModel(bytes: Uint8Array, what: string): LogModelFile {
  const invalid = (why: string, cause?: unknown) => new AegisError('INPUT_INVALID', `${what} ${why}`, { cause })
  const text = bytes[0] === 0x1f && bytes[1] === 0x8b ? inflate(bytes, what) : bytes
  let file: LogModelFile
  try {
    file = JSON.parse(Buffer.from(text).toString())
  } catch (cause) {
    throw invalid(`cannot be read as a model: ${(cause as Error).message}; make one with --train`, cause)
  }
  if (file?.kind !== 'aegis-log-model' || file.version !== LOG_MODEL_VERSION || !Array.isArray(file.services))
    throw invalid(`is no log model of version ${LOG_MODEL_VERSION}; make one with --train`)
  if (file.services.length > MOST_SERVICES) throw invalid(`is of more than ${MOST_SERVICES} services`)
  for (const entry of file.services) {
    const [service, state] = entry ?? []
    if (typeof service !== 'string') throw invalid('names a service that is no word')
    const at = notFinite(state) ?? unlike(SAMPLE, state) ?? wrongIn(state.rates.templates)
    if (at !== undefined) throw invalid(`is damaged: ${at} of ${service} is not what it should be`)
  }
  return file
}
const wrongIn = (templates: readonly unknown[]): string | undefined => {
  for (const entry of templates) {
    const wrong = wrongTemplate(entry)
    if (wrong) return wrong
  }
  return undefined
}
const wrongTemplate = (entry: unknown): string | undefined => {
  const [id, t] = Array.isArray(entry) ? entry : []
  if (typeof id !== 'string' || typeof t?.text !== 'string') return 'a template'
  const wrong = NUMBERS.find(name => typeof t[name] !== 'number')
  return wrong === undefined ? undefined : `${wrong} of a template`
}
/** The one service of a model as it stands on the `models` stream, under whatever name. */
export const readLogState = (bytes: Uint8Array, what: string): LogState => {
  const { services } = readLogModel(bytes, what)
  const [first] = services
  if (services.length !== 1 || !first)
    throw new AegisError('INPUT_INVALID', `${what} is of ${services.length} services, not of one`)
  return first[1]
}
