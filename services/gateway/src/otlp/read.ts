import type { Origin } from './shape.ts'

export interface ReadOptions {
  readonly environment: string
  /** Arrival, microseconds. */
  readonly now: number
  readonly source: string
  /** Applied to every text before it goes anywhere. */
  readonly redact: (text: string) => string
}
export interface Read<T> {
  readonly values: T[]
  readonly origins: Origin[]
  /** Items left out, and the first reason with its place, for OTLP's partial success. */
  readonly rejected: number
  readonly reason: string
}
export const redactAll = (attributes: Record<string, string>, redact: (text: string) => string): Record<string, string> => {
  for (const key in attributes) attributes[key] = redact(attributes[key])
  return attributes
}
