import { createHash } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, loadSqlite, type Statement } from '@parley/sqlite'
import {
  assertTerm,
  type CommitOptions,
  type Key,
  keyOfRow,
  type OpenOptions,
  type Range,
  type Replica,
  ReplicaError,
  type ReplicaStorage,
  type TableName,
  type Tables,
  TERM,
  type Write,
} from '../replica.ts'
import { keyColumns, upgradeSchema } from './schema.ts'

export interface SqliteStorageOptions {
  /** The folder that holds a file for each app. Created if missing, readable for its owner only. */
  readonly directory: string
}

/** Replicas of programs that run on Node: one SQLite file for each app, rows as JSON. */
export function createSqliteStorage({ directory }: SqliteStorageOptions): ReplicaStorage {
  const handles = new Map<string, Set<SqliteReplica>>()
  return {
    async open(appId, options = {}) {
      const file = fileOf(directory, appId)
      const open = handles.get(file) ?? new Set()
      handles.set(file, open)
      const replica = translated(() => {
        // It holds a session's token besides the conversations.
        mkdirSync(directory, { recursive: true, mode: 0o700 })
        return new SqliteReplica(file, options, () => open.delete(replica))
      })
      open.add(replica)
      return replica
    },
    async destroy(appId) {
      const file = fileOf(directory, appId)
      for (const replica of [...(handles.get(file) ?? [])]) replica.lose('deleted')
      for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
    },
  }
}

/** App ids may hold slashes and be long; a hash is neither, and says nothing to who lists the folder. */
function fileOf(directory: string, appId: string): string {
  return join(directory, `parley-${createHash('sha256').update(appId).digest('hex').slice(0, 32)}.sqlite`)
}

class SqliteReplica implements Replica {
  readonly #database: Database
  readonly #options: OpenOptions
  readonly #onClosed: () => void
  /** By their text: preparing costs ten times as much as running. */
  readonly #statements = new Map<string, Statement>()

  constructor(file: string, options: OpenOptions, onClosed: () => void) {
    this.#options = options
    this.#onClosed = onClosed
    this.#database = new (loadSqlite())(file, { timeout: BUSY_TIMEOUT_MS })
    try {
      this.#database.pragma('journal_mode = WAL')
      // On macOS a plain fsync leaves data in the drive's cache.
      this.#database.pragma('fullfsync = ON')
      upgradeSchema(this.#database)
    } catch (cause) {
      this.#database.close()
      throw cause
    }
  }

  async get<T extends TableName>(table: T, key: Key): Promise<Tables[T] | undefined> {
    return this.#use(() => this.#get(table, key))
  }

  async getMany<T extends TableName>(table: T, keys: readonly Key[]): Promise<(Tables[T] | undefined)[]> {
    return this.#use(() => keys.map((key) => this.#get(table, key)))
  }

  async scan<T extends TableName>(table: T, range: Range = {}): Promise<Tables[T][]> {
    return this.#use(() => {
      const { where, values } = condition(table, range)
      const order = keyColumns[table].map((column) => `${column} ${range.reverse ? 'DESC' : 'ASC'}`).join(', ')
      const statement = this.#prepare(`SELECT row FROM ${table} ${where} ORDER BY ${order} LIMIT ?`)
      // A negative limit means none to SQLite.
      const found = statement.all(...values, range.limit === undefined ? -1 : Math.max(0, range.limit)) as Stored[]
      return found.map((stored) => JSON.parse(stored.row) as Tables[T])
    })
  }

  async count(table: TableName, range: Range = {}): Promise<number> {
    return this.#use(() => {
      const { where, values } = condition(table, range)
      const { n } = this.#prepare(`SELECT count(*) AS n FROM ${table} ${where}`).get(...values) as { n: number }
      return Math.max(0, Math.min(range.limit ?? Infinity, n))
    })
  }

  async commit(writes: readonly Write[], { durability, term }: CommitOptions): Promise<void> {
    this.#use(() => {
      // FULL syncs the write-ahead log before the commit returns, and with it whatever relaxed commits left there.
      this.#database.pragma(`synchronous = ${durability === 'strict' ? 'FULL' : 'NORMAL'}`)
      const commit = this.#database.transaction(() => {
        if (term !== undefined) assertTerm(term, this.#get('meta', [TERM]))
        for (const write of writes) this.#apply(write)
      })
      commit.immediate()
    })
  }

  async close(): Promise<void> {
    this.#database.close()
    this.#onClosed()
  }

  lose(reason: 'deleted' | 'broken'): void {
    void this.close()
    this.#options.onLost?.(reason)
  }

  #get<T extends TableName>(table: T, key: Key): Tables[T] | undefined {
    const { where, values } = condition(table, { prefix: key })
    const stored = this.#prepare(`SELECT row FROM ${table} ${where}`).get(...values) as Stored | undefined
    return stored && (JSON.parse(stored.row) as Tables[T])
  }

  #apply(write: Write): void {
    const { table } = write
    if (write.type === 'put') {
      const places = keyColumns[table].map(() => '?').join(', ')
      const statement = this.#prepare(`INSERT OR REPLACE INTO ${table} VALUES (${places}, ?)`)
      statement.run(...keyOfRow(table, write.row), JSON.stringify(write.row))
    } else {
      const { where, values } = condition(table, { prefix: write.type === 'delete' ? write.key : write.prefix })
      this.#prepare(`DELETE FROM ${table} ${where}`).run(...values)
    }
  }

  #prepare(sql: string): Statement {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #use<T>(work: () => T): T {
    if (!this.#database.open) throw new ReplicaError('closed', 'This replica is closed.')
    try {
      return translated(work)
    } catch (error) {
      // After a failed read or write of the disk nothing this connection says can be relied upon.
      if (codeOf((error as ReplicaError).cause).startsWith('SQLITE_IOERR')) this.lose('broken')
      throw error
    }
  }
}

interface Stored {
  readonly row: string
}

/** How long to wait for another process that holds the file. */
const BUSY_TIMEOUT_MS = 5_000

function condition(table: TableName, { prefix = [], from, to }: Range) {
  const columns = keyColumns[table]
  const terms = prefix.map((_, i) => `${columns[i]} = ?`)
  const next = columns[prefix.length]
  if (from !== undefined) terms.push(`${next} >= ?`)
  if (to !== undefined) terms.push(`${next} <= ?`)
  const values = [...prefix, from, to].filter((value) => value !== undefined)
  return { where: terms.length > 0 ? `WHERE ${terms.join(' AND ')}` : '', values }
}

/** Every error that leaves this file is a ReplicaError. */
function translated<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof ReplicaError) throw cause
    throw new ReplicaError(codeOf(cause) === 'SQLITE_FULL' ? 'full' : 'broken', `SQLite failed: ${String(cause)}`, {
      cause,
    })
  }
}

const codeOf = (cause: unknown) => String((cause as { code?: string } | undefined)?.code)
