/** Documents that others wrote (JSON, YAML), read without believing in their shape. */
export type Doc = Readonly<Record<string, unknown>>
export const isDoc = (value: unknown): value is Doc => typeof value === 'object' && value !== null && !Array.isArray(value)
export const get = (value: unknown, ...path: (string | number)[]): unknown =>
  path.reduce<unknown>((at, key) => (isDoc(at) || Array.isArray(at) ? (at as Doc)[key as string] : undefined), value)
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
export const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
