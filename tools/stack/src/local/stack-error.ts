export type StackErrorCode =
  | 'SERVER_MISSING'
  | 'JAVA_MISSING'
  | 'DOCKER_MISSING'
  | 'PORT_TAKEN'
  | 'NO_SPACE'
  | 'SERVER_EXITED'
  | 'NOT_READY'
  | 'BUSY'
  | 'INTERRUPTED'
  | 'NOT_RUNNING'

/** Something the person at the keyboard can act on: the message says what and where, and no stack trace is shown. */
export class StackError extends Error {
  readonly code: StackErrorCode
  constructor(code: StackErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StackError'
    this.code = code
  }
}
