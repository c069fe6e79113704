/**
 * What was found, decided and said, kept beyond the topics in one SQLite file: the newest state of each record, in the order in which it came. The order
 * (`seq`) is what live readers go on from; positions of the topics are kept in the same file, so that a restart reads on from where it was.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { indexed, KINDS, type Kind } from './kinds.ts'

export interface Stored {
  readonly seq: number
  readonly kind: string
  readonly id: string
  readonly partition: number
  readonly offset: number
  readonly doc: string
}
export interface ListQuery {
  readonly kind: string
  readonly limit: number
  readonly environment?: string
  readonly state?: readonly string[]
  readonly severity?: readonly string[]
  readonly entity?: string
  readonly parent?: string
  /** Microseconds; from `since` on, before `until`. */
  readonly since?: number
  readonly until?: number
  /** Words that must stand somewhere in the record. */
  readonly q?: string
  readonly after?: { readonly time: number; readonly id: string }
}
export interface Page {
  readonly rows: readonly Stored[]
  readonly next?: { readonly time: number; readonly id: string }
}

/** Raised when what is kept changes its form: older files are read anew from the topics. */
const FORM = 1
const SCHEMA = `
CREATE TABLE IF NOT EXISTS records (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, environment TEXT NOT NULL, entity TEXT NOT NULL, state TEXT NOT NULL,
  severity TEXT NOT NULL, parent TEXT NOT NULL, time INTEGER NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS by_id ON records (kind, id);
CREATE INDEX IF NOT EXISTS by_time ON records (kind, time DESC, id DESC);
CREATE INDEX IF NOT EXISTS by_parent ON records (parent) WHERE parent <> '';
CREATE TABLE IF NOT EXISTS places (place TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;`

/** Bytes do not belong into lists; their number does. */
const plain = (_key: string, value: unknown): unknown => {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  const json = value as { type?: string; data?: unknown[] } | null
  return json && json.type === 'Buffer' && Array.isArray(json.data) ? `${json.data.length} bytes` : value
}

export class HistoryStore {
  readonly #db: DatabaseSync
  readonly #put: StatementSync
  readonly #drop: StatementSync
  readonly #prepared = new Map<string, StatementSync>()
  /** Names this file: a place in its order means nothing in another. */
  readonly epoch: string

  /** @param epoch name of a file that is made new */
  constructor(file: string, epoch: string) {
    this.#db = new DatabaseSync(file)
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 3000')
    const form = (this.#db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
    if (form !== 0 && form !== FORM)
      this.#db.exec('DROP TABLE IF EXISTS records; DROP TABLE IF EXISTS places; DROP TABLE IF EXISTS notes')
    this.#db.exec(`${SCHEMA} PRAGMA user_version = ${FORM}`)
    this.#drop = this.#db.prepare('DELETE FROM records WHERE kind = ? AND id = ?')
    this.#put = this.#db.prepare(
      'INSERT INTO records (kind, id, environment, entity, state, severity, parent, time, partition, offset, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    const known = this.note('epoch')
    this.epoch = known ?? epoch
    if (known === undefined) this.setNote('epoch', epoch)
  }

  /** Takes records up in one transaction, the newest of an id counting; answers them as they are stored. */
  put(
    values: readonly { readonly kind: Kind; readonly value: unknown; readonly partition: number; readonly offset: number }[],
  ): Stored[] {
    return this.#together(() =>
      values.map(({ kind, value, partition, offset }) => {
        const i = indexed(kind, value)
        const doc = JSON.stringify(value, plain)
        this.#drop.run(kind.name, i.id)
        const { lastInsertRowid } = this.#put.run(
          kind.name,
          i.id,
          i.environment,
          i.entity,
          i.state,
          i.severity,
          i.parent,
          i.time,
          partition,
          offset,
          doc,
        )
        return { seq: Number(lastInsertRowid), kind: kind.name, id: i.id, partition, offset, doc }
      }),
    )
  }

  get(kind: string, id: string): Stored | undefined {
    return this.#all('SELECT * FROM records WHERE kind = ? AND id = ?', [kind, id])[0]
  }
  /** What belongs to it, oldest first. */
  children(parent: string): readonly Stored[] {
    return parent === '' ? [] : this.#all('SELECT * FROM records WHERE parent = ? ORDER BY time, seq', [parent])
  }
  list(query: ListQuery): Page {
    const where = ['kind = ?']
    const values: SQLInputValue[] = [query.kind]
    const add = (condition: string, ...given: SQLInputValue[]) => {
      where.push(condition)
      values.push(...given)
    }
    const among = (column: string, list: readonly string[] | undefined) => {
      if (list && list.length > 0) add(`${column} IN (${list.map(() => '?').join(', ')})`, ...list)
    }
    if (query.environment !== undefined) add('environment = ?', query.environment)
    among('state', query.state)
    among('severity', query.severity)
    if (query.parent !== undefined) add('parent = ?', query.parent)
    if (query.since !== undefined) add('time >= ?', query.since)
    if (query.until !== undefined) add('time < ?', query.until)
    if (query.entity !== undefined) add('(entity = ? OR instr(doc, ?) > 0)', query.entity, JSON.stringify(query.entity))
    for (const word of query.q?.split(/\s+/).filter(Boolean).slice(0, 10) ?? [])
      add("doc LIKE ? ESCAPE '\\'", `%${word.replace(/[\\%_]/g, c => `\\${c}`)}%`)
    if (query.after) add('(time, id) < (?, ?)', query.after.time, query.after.id)
    const rows = this.#all(`SELECT * FROM records WHERE ${where.join(' AND ')} ORDER BY time DESC, id DESC LIMIT ?`, [
      ...values,
      query.limit + 1,
    ]) as (Stored & { time: number })[]
    const page = rows.slice(0, query.limit)
    const last = page.at(-1)
    return { rows: page, ...(rows.length > query.limit && last && { next: { time: last.time, id: last.id } }) }
  }
  /** How many there are of a kind, by state. */
  counts(kind: string, environment?: string): Readonly<Record<string, number>> {
    const rows = this.#statement(
      `SELECT state, count(*) AS n FROM records WHERE kind = ?${environment === undefined ? '' : ' AND environment = ?'} GROUP BY state`,
    ).all(...(environment === undefined ? [kind] : [kind, environment])) as { state: string; n: number }[]
    return Object.fromEntries(rows.map(r => [r.state, r.n]))
  }
  environments(): readonly string[] {
    const rows = this.#statement(
      "SELECT DISTINCT environment FROM records WHERE kind IN ('incidents', 'anomalies', 'changes', 'decisions') LIMIT 1000",
    ).all()
    return (rows as { environment: string }[]).map(r => r.environment)
  }

  /** Everything that came after a place in the order, at most so many. */
  since(seq: number, most: number): readonly Stored[] {
    return this.#all('SELECT * FROM records WHERE seq > ? ORDER BY seq LIMIT ?', [seq, most])
  }
  get newest(): number {
    const row = this.#statement('SELECT seq FROM sqlite_sequence WHERE name = ?').get('records') as { seq: number } | undefined
    return row?.seq ?? 0
  }

  places(): Readonly<Record<string, number>> {
    const rows = this.#statement('SELECT place, next FROM places').all() as { place: string; next: number }[]
    return Object.fromEntries(rows.map(r => [r.place, r.next]))
  }
  setPlaces(places: Readonly<Record<string, number>>): void {
    const put = this.#statement(
      'INSERT INTO places (place, next) VALUES (?, ?) ON CONFLICT (place) DO UPDATE SET next = excluded.next',
    )
    this.#together(() => {
      for (const [place, next] of Object.entries(places)) put.run(place, next)
    })
  }
  note(name: string): string | undefined {
    return (this.#statement('SELECT text FROM notes WHERE name = ?').get(name) as { text: string } | undefined)?.text
  }
  setNote(name: string, text: string): void {
    this.#statement('INSERT INTO notes (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text').run(
      name,
      text,
    )
  }

  /** Forgets what is older, and of kinds with a limit what is beyond it. Open incidents and topology stay. */
  prune(before: number): void {
    this.#statement(
      "DELETE FROM records WHERE time < ? AND kind NOT IN ('models', 'templates') AND NOT (kind = 'incidents' AND state NOT IN ('closed', 'merged'))",
    ).run(before)
    for (const { name, most } of KINDS) {
      if (most === undefined) continue
      this.#statement(
        'DELETE FROM records WHERE kind = ? AND seq <= (SELECT seq FROM records WHERE kind = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)',
      ).run(name, name, most)
    }
  }
  close(): void {
    this.#db.close()
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known) return known
    const made = this.#db.prepare(sql)
    this.#prepared.set(sql, made)
    return made
  }
  #all(sql: string, values: readonly SQLInputValue[]): Stored[] {
    return this.#statement(sql).all(...values) as unknown as Stored[]
  }
  #together<T>(work: () => T): T {
    this.#db.exec('BEGIN')
    try {
      const done = work()
      this.#db.exec('COMMIT')
      return done
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }
}
