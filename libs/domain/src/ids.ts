import { hash } from 'node:crypto'

/** Deterministic id: 24 hex digits of the SHA-1 of the parts. Same causes, same id, so that writing twice is writing once. */
export const idOf = (...parts: readonly (string | number)[]): string => hash('sha1', parts.join('\u0000'), 'hex').slice(0, 24)

/** Seeded generator (mulberry32), for the random numbers a stage may use: same seed, same numbers, in every replay. */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** 32-bit FNV-1a hash of a string; for seeds and sharding, not for ids. */
export const hash32 = (text: string): number => {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}
