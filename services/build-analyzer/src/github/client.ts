import { Octokit } from '@octokit/core'
import { retry } from '@octokit/plugin-retry'
import { throttling } from '@octokit/plugin-throttling'

/**
 * What of GitHub's API an analysis of a pull request needs (REST, version 2022-11-28): jobs of a run, their whole logs, comments. Limits are waited for,
 * twice at most; passing errors are tried again.
 */
export interface Job {
  readonly id: number
  readonly name: string
  readonly conclusion: string | null
  readonly html_url: string
}
export interface Comment {
  readonly id: number
  readonly body: string
}
export interface GitHubOptions {
  readonly token: string
  /** OWNER/NAME. */
  readonly repository: string
  /** Default https://api.github.com; GITHUB_API_URL on GitHub Enterprise. */
  readonly baseUrl?: string
  /** Told what is waited for. */
  readonly say?: (what: string) => void
}

const Kit = Octokit.plugin(retry, throttling)
const PAGE = 100

export class GitHub {
  readonly #kit: InstanceType<typeof Kit>
  readonly #at: { owner: string; repo: string }

  constructor({ token, repository, baseUrl, say = () => {} }: GitHubOptions) {
    const [owner = '', repo = ''] = repository.split('/')
    this.#at = { owner, repo }
    const wait = (what: string) => (seconds: number, _: unknown, __: unknown, tries: number) => {
      say(`GitHub's ${what} is reached; waiting ${seconds} s`)
      return tries < 2
    }
    this.#kit = new Kit({
      auth: token,
      userAgent: 'aegis',
      ...(baseUrl ? { baseUrl: baseUrl.replace(/\/$/, '') } : {}),
      log: { debug() {}, info() {}, warn() {}, error() {} },
      throttle: { onRateLimit: wait('rate limit'), onSecondaryRateLimit: wait('secondary rate limit') },
    })
  }

  /** Runs of the head of a pull request that ended badly, newest first. */
  async failedRuns(pull: number): Promise<number[]> {
    const { data } = await this.#kit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', { ...this.#at, pull_number: pull })
    const runs = await this.#all<{ id: number; conclusion: string | null }>('GET /repos/{owner}/{repo}/actions/runs', {
      head_sha: data.head.sha,
    })
    return runs.filter(r => r.conclusion !== null && BAD.has(r.conclusion)).map(r => r.id)
  }

  async failedJobs(run: number): Promise<Job[]> {
    const jobs = await this.#all<Job>('GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs', { run_id: run, filter: 'latest' })
    return jobs.filter(j => j.conclusion !== null && BAD.has(j.conclusion))
  }

  /** The whole log of a job: never the view that is cut. GitHub answers with an address elsewhere, which is followed without the token. */
  async log(job: number): Promise<string> {
    const { data } = await this.#kit.request('GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs', { ...this.#at, job_id: job })
    const body = data as unknown
    return typeof body === 'string' ? body : new TextDecoder().decode(body as ArrayBuffer)
  }

  async comments(pull: number): Promise<Comment[]> {
    return this.#all<Comment>('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', { issue_number: pull })
  }
  async comment(pull: number, body: string): Promise<void> {
    await this.#kit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
      ...this.#at,
      issue_number: pull,
      body,
    })
  }
  async updateComment(id: number, body: string): Promise<void> {
    await this.#kit.request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', { ...this.#at, comment_id: id, body })
  }

  /** Every page of a list; some lists are wrapped in an object with their count. */
  async #all<T>(route: string, parameters: Record<string, unknown>): Promise<T[]> {
    const out: T[] = []
    for (let page = 1; ; page++) {
      const { data } = (await this.#kit.request(route, { ...this.#at, ...parameters, per_page: PAGE, page })) as { data: unknown }
      const rows = (Array.isArray(data) ? data : (Object.values(data as object).find(Array.isArray) ?? [])) as T[]
      out.push(...rows)
      if (rows.length < PAGE) return out
    }
  }
}
const BAD: ReadonlySet<string> = new Set(['failure', 'timed_out', 'startup_failure', 'cancelled'])
