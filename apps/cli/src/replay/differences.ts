/** Where two decoded records differ: path, what was recorded, what came out this time. Empty when they are the same. */
export interface Difference {
  readonly path: string
  readonly recorded: string
  readonly now: string
}
const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 160 ? `${text.slice(0, 159)}…` : text
}
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

export function differences(recorded: unknown, now: unknown, path = ''): Difference[] {
  if (Object.is(recorded, now)) return []
  if (!isObject(recorded) || !isObject(now) || Array.isArray(recorded) !== Array.isArray(now))
    return [{ path: path || '(all)', recorded: shown(recorded), now: shown(now) }]
  const names = new Set([...Object.keys(recorded), ...Object.keys(now)])
  return [...names].flatMap(name => {
    const at = Array.isArray(recorded) ? `${path}[${name}]` : path ? `${path}.${name}` : name
    // Absent and null are the same on the wire.
    return differences(recorded[name] ?? null, now[name] ?? null, at)
  })
}
