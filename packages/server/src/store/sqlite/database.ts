import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Database as Connection, loadSqlite, type Sqlite, type Statement } from '@parley/sqlite'
import { StoreOpenError } from '../store.ts'
import { CHECKED_AT_START_BYTES, findDamage, sizeOf } from './damage.ts'
import { migrations } from './migrations.ts'
import { RESTORE } from './row-sums.ts'
import { mustNotBeGone } from './transfer-mark.ts'
import { MAX_WAL_PAGES } from './wal-room.ts'

/** One connection to the store's file: prepared statements are kept, transactions are explicit. */
export interface Database {
  /** The statement, prepared once. */
  sql(text: string): Statement
  /** Runs `work` in one transaction; throws what it throws, having changed nothing. */
  transaction<T>(mode: 'read' | 'write', work: () => T): T
  /** What is damaged, if the store is too large to have been looked through when it was opened. Takes its time. */
  lateDamage(): string | undefined
  close(): void
}

/**
 * A further connection to a file that is open already, for commits that must keep nobody waiting: it does not wait for
 * another writer, and never moves pages out of the log.
 */
export function openBeside(file: string): Database {
  const db = openDatabase(file)
  db.sql('PRAGMA busy_timeout = 0').get()
  db.sql('PRAGMA wal_autocheckpoint = 0').get()
  db.sql(`PRAGMA cache_size = -${CACHE_BESIDE_KIB}`).run()
  return db
}

/** What small batches touch is little. */
const CACHE_BESIDE_KIB = 8_192

/**
 * Opens the file, creating and migrating it if need be.
 *
 * @param options.mustBeSound looks for damage first
 * @throws StoreOpenError if it is not ours, newer than this server, damaged, or cannot be read or written
 */
export function openDatabase(file: string, options: { readonly mustBeSound?: boolean } = {}): Database {
  const connection = connect(file)
  try {
    mustBeOurs(connection, file)
    mustNotBeGone(connection, file)
    configure(connection)
    migrate(connection)
    const damage = options.mustBeSound && !isLarge(connection) ? findDamage(connection, file) : undefined
    if (damage) throw new StoreOpenError(damage)
  } catch (error) {
    connection.close()
    if (error instanceof StoreOpenError) throw error
    const { code } = error as { code?: unknown }
    if (code === 'SQLITE_NOTADB' || String(code).startsWith('SQLITE_CORRUPT')) {
      throw new StoreOpenError(`The store ${file} is damaged (${(error as Error).message}). ${RESTORE}`, {
        cause: error,
      })
    }
    throw new StoreOpenError(`The store ${file} cannot be used: ${(error as Error).message}.`, { cause: error })
  }
  const statements = new Map<string, Statement>()
  const sql = (text: string) => {
    const known = statements.get(text)
    if (known) return known
    const prepared = connection.prepare(text)
    statements.set(text, prepared)
    return prepared
  }
  return {
    sql,
    transaction(mode, work) {
      sql(mode === 'write' ? 'BEGIN IMMEDIATE' : 'BEGIN').run()
      try {
        const result = work()
        sql('COMMIT').run()
        return result
      } catch (error) {
        if (connection.inTransaction) connection.exec('ROLLBACK')
        throw error
      }
    },
    lateDamage: () => (isLarge(connection) ? findDamage(connection, file) : undefined),
    close: () => {
      if (connection.open) connection.close()
    },
  }
}

const isLarge = (connection: Connection) => sizeOf(connection) > CHECKED_AT_START_BYTES

/** A connection to the file, made if it is not there; nothing is looked at yet. */
export function connect(file: string): Connection {
  let Sqlite: Sqlite
  try {
    Sqlite = loadSqlite()
  } catch (error) {
    throw new StoreOpenError(`The embedded store cannot be used. ${(error as Error).message}`, { cause: error })
  }
  try {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    return new Sqlite(file, { timeout: 5_000 })
  } catch (error) {
    throw new StoreOpenError(`The store ${file} cannot be opened: ${(error as Error).message}.`, { cause: error })
  }
}

/** Before the first write: somebody else's database stays as it is. */
export function mustBeOurs(connection: Connection, file: string): void {
  const tables = connection.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).pluck().all()
  if (tables.length === 0 || tables.includes('store')) return
  throw new StoreOpenError(`${file} is a database, but not one of Parley's. Name another folder with --data.`)
}

function configure(connection: Connection): void {
  // WAL with FULL: a commit is on the disk before anybody is told of it. NORMAL would lose the last ones.
  connection.pragma('journal_mode = WAL')
  connection.pragma('synchronous = FULL')
  connection.pragma('fullfsync = ON')
  // A backstop: `checkpoints.ts` keeps the log short.
  connection.pragma(`wal_autocheckpoint = ${MAX_WAL_PAGES}`)
  connection.pragma('cache_size = -65536')
  connection.pragma('temp_store = MEMORY')
}

function migrate(connection: Connection): void {
  const version = connection.pragma('user_version', { simple: true }) as number
  if (version > migrations.length) {
    throw new StoreOpenError(
      `The store was written by a newer Parley (schema ${version}, this one knows ${migrations.length}). ` +
        'Start that version again, or restore a backup made before the upgrade.',
    )
  }
  for (const [index, step] of migrations.entries()) {
    if (index < version) continue
    connection.exec('BEGIN IMMEDIATE')
    try {
      // Another process may have been faster.
      if ((connection.pragma('user_version', { simple: true }) as number) === index) {
        connection.exec(step)
        if (index === 0) {
          const insert = connection.prepare('INSERT INTO store (name, value) VALUES (?, ?)')
          insert.run('epoch', randomUUID())
          insert.run('secret', `${randomUUID()}${randomUUID()}`)
        }
        connection.pragma(`user_version = ${index + 1}`)
      }
      connection.exec('COMMIT')
    } catch (error) {
      if (connection.inTransaction) connection.exec('ROLLBACK')
      throw error
    }
  }
}
