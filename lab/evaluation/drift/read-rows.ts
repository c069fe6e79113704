import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { AegisError } from '@aegis/domain'
import type { CodeChange } from '@aegis/drift-analysis/code/code-change'

/** Rows of `<path>.jsonl.gz` or `<path>.jsonl`; undefined where there is neither. */
export function readRows<Row>(...path: string[]): Row[] | undefined {
  const file = ['.jsonl.gz', '.jsonl'].map(end => join(...path) + end).find(existsSync)
  if (!file) return undefined
  const bytes = readFileSync(file)
  const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8')
  return text.split('\n').flatMap((line, i) => {
    if (!line.trim()) return []
    try {
      return [JSON.parse(line) as Row]
    } catch (error) {
      throw new AegisError('INPUT_INVALID', `${file} line ${i + 1} is not JSON: ${(error as Error).message}`)
    }
  })
}

interface HistoryRow {
  readonly [key: string]: number | null | undefined
}
interface EarlierRow {
  readonly age_hours: number
  readonly same_author: boolean
  readonly subject: string
}
export interface CommitRow {
  readonly id: string
  readonly repo: string
  readonly time: string
  readonly author: string
  readonly files: readonly {
    readonly path: string
    readonly added: number
    readonly removed: number
    readonly commits_before?: number
  }[]
  readonly patch: string
  readonly author_history?: HistoryRow
  readonly file_history?: HistoryRow
  readonly repo_history?: HistoryRow
  readonly earlier_same_files?: readonly EarlierRow[]
  readonly earlier_24h?: readonly EarlierRow[]
  readonly split?: string
}

export function changeOf(row: CommitRow): CodeChange {
  const [a, f, r] = [row.author_history ?? {}, row.file_history ?? {}, row.repo_history ?? {}]
  const earlier = (rows: readonly EarlierRow[] = []) =>
    rows.map(e => ({ ageHours: e.age_hours, sameAuthor: e.same_author, subject: e.subject }))
  const since = (h: HistoryRow) =>
    typeof h.hours_since_previous === 'number' ? { hoursSincePrevious: h.hours_since_previous } : {}
  return {
    id: row.id,
    repo: row.repo,
    time: row.time,
    author: row.author,
    files: row.files.map(({ path, added, removed, commits_before }) => ({
      path,
      added,
      removed,
      commitsBefore: commits_before ?? 0,
    })),
    patch: row.patch ?? '',
    authorHistory: {
      commitsBefore: a.commits_before ?? 0,
      daysActive: a.days_active ?? 0,
      ...since(a),
      commits24h: a.commits_24h ?? 0,
      commits7d: a.commits_7d ?? 0,
      shareNight: a.share_night ?? 0,
      shareWeekend: a.share_weekend ?? 0,
      filesKnownShare: a.files_known_share ?? 0,
      revertedBefore: a.reverted_before ?? 0,
    },
    fileHistory: {
      commitsBefore: f.commits_before ?? 0,
      authorsBefore: f.authors_before ?? 0,
      ...since(f),
      revertedBefore: f.reverted_before ?? 0,
    },
    repoHistory: { commits1h: r.commits_1h ?? 0, commits24h: r.commits_24h ?? 0 },
    earlierSameFiles: earlier(row.earlier_same_files),
    earlier24h: earlier(row.earlier_24h),
  }
}
