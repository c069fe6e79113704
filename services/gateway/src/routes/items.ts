import { parseBounded } from '@aegis/api'
import type { z } from 'zod'

export interface Rejected {
  /** Place in the list that was sent, from 0. */
  readonly index: number
  /** JSON pointer of the first member that is wrong (RFC 6901). */
  readonly pointer: string
  readonly message: string
}
export interface Items<T> {
  readonly values: readonly T[]
  readonly rejected: readonly Rejected[]
}
/** Reasons told in one answer. */
const MOST_TOLD = 20

const withStatus = (message: string): Error => Object.assign(new Error(message), { statusCode: 400 })
const parse = (text: string): unknown => {
  try {
    return parseBounded(text)
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 413) throw error
    const lines = text.split('\n').filter(line => line.trim() !== '')
    if (lines.length < 2 || !lines[0].trimStart().startsWith('{'))
      throw withStatus(`body is not JSON: ${(error as Error).message}`)
    return lines.map(line => {
      try {
        return parseBounded(line)
      } catch (e) {
        return new SyntaxError((e as Error).message)
      }
    })
  }
}

/**
 * One value or a list of them, as JSON or one a line, each judged by itself: a bad one never costs the others.
 * @param list member that holds the list, where the sender wraps it
 * @throws an error with status 400 where the body is no JSON or holds nothing
 */
export const readItems = <T>(text: string, item: z.ZodType<T>, list?: string): Items<T> => {
  let parsed = parse(text)
  if (list && parsed !== null && typeof parsed === 'object' && !Array.isArray(parsed) && list in parsed)
    parsed = (parsed as Record<string, unknown>)[list]
  const all = Array.isArray(parsed) ? parsed : [parsed]
  const values: T[] = []
  const rejected: Rejected[] = []
  for (const [index, value] of all.entries()) {
    if (value instanceof SyntaxError) {
      rejected.push({ index, pointer: '', message: `is not JSON: ${value.message}` })
      continue
    }
    const result = item.safeParse(value)
    if (result.success) values.push(result.data)
    else {
      const [{ path, message }] = result.error.issues
      rejected.push({ index, pointer: path.map(p => `/${String(p).replace(/~/g, '~0').replace(/\//g, '~1')}`).join(''), message })
    }
  }
  return { values, rejected }
}
/** How an answer tells of what was left out. */
export const refusal = (rejected: readonly Rejected[]): { rejected: number; message: string; reasons: readonly Rejected[] } => ({
  rejected: rejected.length,
  message: `${rejected.length} left out; ${rejected[0].index}${rejected[0].pointer}: ${rejected[0].message}`,
  reasons: rejected.slice(0, MOST_TOLD),
})
