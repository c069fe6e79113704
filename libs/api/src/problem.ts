import { AegisError, type ErrorCode } from '@aegis/domain'

/** A field of the request that is wrong: where (JSON pointer into the body, or `#/query/limit`), and what about it. */
export interface FieldError {
  readonly pointer: string
  readonly detail: string
}
const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'INPUT_INVALID',
  401: 'NOT_AUTHENTICATED',
  403: 'NOT_ALLOWED',
  404: 'NOT_FOUND',
  405: 'INPUT_INVALID',
  409: 'CONFLICT',
  412: 'CONFLICT',
  413: 'TOO_MUCH',
  415: 'INPUT_INVALID',
  422: 'CONFLICT',
  429: 'TOO_MUCH',
  503: 'NOT_READY',
}
const TITLES: Readonly<Record<number, string>> = {
  400: 'The request cannot be read',
  401: 'A key is needed',
  403: 'Not allowed',
  404: 'Not found',
  405: 'No such method here',
  409: 'Somebody was first',
  412: 'It has changed since',
  413: 'Too large',
  415: 'Unknown type of body',
  422: 'The same key came with another body',
  429: 'Too much at once',
  500: 'A fault of Aegis',
  503: 'Not ready',
}

/** An answer that is none: thrown, and sent as problem details. */
export class Problem extends AegisError {
  readonly statusCode: number
  readonly errors: readonly FieldError[]
  constructor(statusCode: number, message: string, errors: readonly FieldError[] = [], code?: ErrorCode) {
    super(code ?? CODES[statusCode] ?? 'INTERNAL', message)
    this.statusCode = statusCode
    this.errors = errors
  }
}

/** Problem details (RFC 9457) with a code of the catalogue; `message` says the same as `detail`, for clients of the gateway. */
export const problemOf = (status: number, detail: string, errors: readonly FieldError[] = [], code?: ErrorCode) => ({
  type: `urn:aegis:error:${(code ?? CODES[status] ?? 'INTERNAL').toLowerCase()}`,
  title: TITLES[status] ?? 'It did not work',
  status,
  detail,
  code: code ?? CODES[status] ?? 'INTERNAL',
  ...(errors.length > 0 && { errors }),
  message: detail,
})
