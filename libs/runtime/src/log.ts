import { type Logger, pino } from 'pino'

export type Log = Logger

// Field names whose values must never be written, wherever they stand in a logged object.
const SECRET_PATHS = ['password', 'secret', 'token', 'authorization', 'apiKey', 'sasl'].flatMap(f => [f, `*.${f}`, `*.*.${f}`])

export const makeLog = (service: string, level: string): Log =>
  pino({
    name: service,
    level,
    base: { service },
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    timestamp: pino.stdTimeFunctions.isoTime,
  })
export const silentLog = (): Log => pino({ level: 'silent' })
