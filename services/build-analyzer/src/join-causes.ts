import { type BuildAnalysis, type BuildFailure, shapeOf } from '@aegis/build-analysis'

/** A job that failed, and what its log was read to. */
export interface JobAnalysis {
  readonly job: string
  /** Address of the job for people. */
  readonly url?: string
  readonly analysis: BuildAnalysis
}
/** One cause, and every job that failed by it: fifty jobs of a matrix are one. */
export interface Cause {
  /** Hash of kind, tool and the text of the first quote without numbers; the same in the next run. */
  readonly key: string
  readonly failure: BuildFailure
  readonly analysis: BuildAnalysis
  readonly jobs: readonly { readonly job: string; readonly url?: string }[]
}

/** FNV-1a, 64 bits as two halves: a name, not a secret. */
const hash = (text: string): string => {
  let [a, b] = [0x811c9dc5, 0xc9dc5811]
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    a = Math.imul(a ^ c, 0x01000193)
    b = Math.imul(b ^ (c + i), 0x01000193)
  }
  return [a, b].map(n => (n >>> 0).toString(16).padStart(8, '0')).join('')
}
export const fingerprintOf = (f: BuildFailure): string =>
  hash(`${f.kind}\0${f.tool}\0${f.abstain ? '' : shapeOf(f.quotes[0]?.text ?? '')}`)

export const joinCauses = (jobs: readonly JobAnalysis[]): Cause[] => {
  const causes = new Map<string, { cause: Cause; jobs: { job: string; url?: string }[] }>()
  for (const { job, url, analysis } of jobs)
    for (const failure of analysis.failures) {
      const key = fingerprintOf(failure)
      const at = { job, ...(url ? { url } : {}) }
      const known = causes.get(key)
      if (known) known.jobs.push(at)
      else {
        const list = [at]
        causes.set(key, { cause: { key, failure, analysis, jobs: list }, jobs: list })
      }
    }
  return [...causes.values()].map(c => c.cause)
}
