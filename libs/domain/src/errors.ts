/** Closed list of error codes; every error Aegis raises on purpose carries one. */
export const ERROR_CODES = {
  CONFIG_INVALID: 'A setting is missing or has a value that is not allowed.',
  SCHEMA_INCOMPATIBLE: 'A schema change would break readers or writers of the stream.',
  SCHEMA_UNKNOWN: 'A record names a schema id that the registry does not know.',
  RECORD_MALFORMED: 'A record is not framed or encoded as its stream says.',
  RECORD_UNTRUSTED: 'A record that must be signed is not, or by another, or at another time.',
  RECORD_TOO_LARGE: 'A record is larger than the stream allows.',
  STAGE_FAILED: 'A stage threw while processing a record that its neighbours did not fail on.',
  STAGE_REJECTED: 'A stage rejected a record as bad data.',
  TOO_MANY_DEAD_LETTERS: 'More records in a row were dead-lettered than the limit allows.',
  SNAPSHOT_NEWER: 'A snapshot was written by a newer version of the stage.',
  BROKER_UNAVAILABLE: 'The broker does not answer.',
  STORE_UNAVAILABLE: 'A database that a stage needs (Neo4j, Redis) does not answer.',
  REGISTRY_UNAVAILABLE: 'The schema registry does not answer.',
  FENCED: 'Another instance took over this partition.',
  STREAM_UNDECLARED: 'A stage or service used a stream it did not declare.',
  INPUT_INVALID: 'A file, folder or argument is not what the command needs.',
  NOT_FOUND: 'There is no such thing, or it was forgotten.',
  NOT_AUTHENTICATED: 'A key is needed, and none that is known came with the request.',
  NOT_ALLOWED: 'The key that came with the request does not open this.',
  CONFLICT: 'Somebody was first: it was decided, changed or sent already.',
  NOT_READY: 'What is needed to answer has not been read yet.',
  TOO_MUCH: 'More at once than is taken; less, or later.',
  INTERNAL: 'A fault of Aegis itself; its log says more.',
  DISK_FULL: 'There is no space left on the disk.',
} as const
export type ErrorCode = keyof typeof ERROR_CODES

/** What a command ends with where it fails: scripts tell what to do by it. */
export const OTHERWISE = 1
export const EXIT: Readonly<Partial<Record<ErrorCode, number>>> = {
  INPUT_INVALID: 2,
  CONFIG_INVALID: 2,
  BROKER_UNAVAILABLE: 3,
  REGISTRY_UNAVAILABLE: 3,
  STORE_UNAVAILABLE: 3,
  NOT_AUTHENTICATED: 4,
  NOT_ALLOWED: 4,
  NOT_FOUND: 5,
  CONFLICT: 6,
  NOT_READY: 7,
  TOO_MUCH: 7,
  DISK_FULL: 8,
}

/** An error with a code of the closed list, so that handlers need not read messages. */
export class AegisError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'AegisError'
    this.code = code
  }
}

/** Stops the service: retrying cannot help. Everything else that is thrown is retried. */
export class FatalError extends AegisError {
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options)
    this.name = 'FatalError'
  }
}
