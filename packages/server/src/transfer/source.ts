import { existsSync } from 'node:fs'
import type { Database, Statement } from '@parley/sqlite'
import { connect, mustBeOurs } from '../store/sqlite/database.ts'
import { migrations } from '../store/sqlite/migrations.ts'
import { RESTORE, sumOf } from '../store/sqlite/row-sums.ts'
import {
  PUT_VALUE,
  readAnswer,
  readMark,
  SEALED,
  TRANSFER_PREFIX,
  type TransferAnswer,
  type TransferMark,
} from '../store/sqlite/transfer-mark.ts'
import { TransferRefused } from './refusal.ts'
import { type Key, keyOf, type Table, type TableRow, tables } from './tables.ts'

/** What one portion brings at most: rows, and characters in them. */
const PORTION_ROWS = 2_000
const PORTION_CHARACTERS = 2 * 1024 * 1024
/** How long to try for the file's one lock of writing, beside a server that takes it for every commit. */
const LOCK_MS = 10_000
const BUSY_MS = 5_000

export interface Portion {
  readonly rows: readonly TableRow[]
  /** The key of its last row; undefined if there is none. */
  readonly last: Key | undefined
  readonly isLast: boolean
}

/** A row that was written, changed or taken away since the transfer began. */
export interface Change {
  readonly number: number
  readonly table: string
  readonly key: Key
}

/**
 * The file that is copied from, beside the server that writes to it. Triggers note each change of each row in the very
 * transaction that makes it, whoever makes it: the server, another command, by the log or past it. So nothing has to be
 * known of how the store works for nothing to be missed.
 */
export class Source {
  readonly file: string
  readonly #db: Database
  readonly #statements = new Map<string, Statement>()

  /** @throws TransferRefused if it is not there, or not as this Parley knows it */
  constructor(file: string) {
    if (!existsSync(file)) throw new TransferRefused(`There is no store ${file}. Name its folder with --data.`)
    this.file = file
    this.#db = connect(file)
    try {
      mustBeOurs(this.#db, file)
      this.mustHaveKnownSchema()
      this.#db.pragma('journal_mode = WAL')
      this.#db.pragma('synchronous = FULL')
      this.#db.pragma('fullfsync = ON')
      this.#db.pragma(`busy_timeout = ${BUSY_MS}`)
      // An address with a password may stand in the mark for a moment; nothing of it is to stay.
      this.#db.pragma('secure_delete = ON')
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    if (this.#db.open) this.#db.close()
  }

  /** The one that serves and the one that copies have to mean the same by a row. */
  mustHaveKnownSchema(): void {
    const version = this.#db.pragma('user_version', { simple: true }) as number
    if (version === migrations.length) return
    const advice =
      version < migrations.length
        ? 'Start this version of the server on it once, which brings it up to date.'
        : 'Use the version that serves it.'
    throw new TransferRefused(`The store ${this.file} has schema ${version}, not ${migrations.length}. ${advice}`)
  }

  get epoch(): string {
    return this.#value('epoch')
  }

  get secret(): string {
    return this.#value('secret')
  }

  /** That of the last commit. */
  get cursor(): number {
    return this.#sql('SELECT cursor FROM log').pluck().get() as number
  }

  get mark(): TransferMark | undefined {
    return readMark(this.#db)
  }

  get answer(): TransferAnswer | undefined {
    return readAnswer(this.#db)
  }

  count(table: Table): number {
    return this.#sql(`SELECT count(*) FROM ${table.name}`).pluck().get() as number
  }

  /** From now on every change is noted. */
  begin(mark: TransferMark): void {
    this.#write(() => {
      this.#db.exec(`CREATE TABLE ${CHANGES} (number INTEGER PRIMARY KEY, table_name TEXT NOT NULL, key TEXT NOT NULL)`)
      for (const table of tables) this.#db.exec(notingTriggers(table))
      this.#putMark(mark)
    })
  }

  /** As if it had never begun. */
  abandon(): void {
    this.#write(() => {
      this.#dropAll()
      this.#db.exec(`DELETE FROM store WHERE name IN ('transfer', 'transfer_answer')`)
    })
  }

  putMark(mark: TransferMark): void {
    this.#write(() => this.#putMark(mark))
  }

  /** Rows after a key, in order. */
  portion(table: Table, after: Key | undefined): Portion {
    const rows: TableRow[] = []
    let characters = 0
    for (const row of this.#rowsAfter(table, after)) {
      mustBeSound(table, row)
      rows.push(row)
      characters += sizeOf(row)
      if (rows.length >= PORTION_ROWS || characters >= PORTION_CHARACTERS) break
    }
    const isLast = rows.length < PORTION_ROWS && characters < PORTION_CHARACTERS
    return { rows, isLast, last: rows.length > 0 ? keyOf(table, rows[rows.length - 1]!) : undefined }
  }

  #rowsAfter(table: Table, after: Key | undefined): IterableIterator<TableRow> {
    const names = table.key.map(({ name }) => name).join(', ')
    const places = table.key.map(() => '?').join(', ')
    const where = after ? `WHERE (${names}) > (${places})` : ''
    const statement = this.#sql(`SELECT ${columnsOf(table)} FROM ${table.name} ${where} ORDER BY ${names}`)
    return statement.iterate(...(after ?? [])) as IterableIterator<TableRow>
  }

  /** Rows of these keys, as far as they are there. */
  rowsOf(table: Table, keys: readonly Key[]): TableRow[] {
    const where = table.key.map(({ name }) => `${name} = ?`).join(' AND ')
    const statement = this.#sql(`SELECT ${columnsOf(table)} FROM ${table.name} WHERE ${where}`)
    return keys.flatMap((key) => {
      const row = statement.get(...key) as TableRow | undefined
      if (row) mustBeSound(table, row)
      return row ? [row] : []
    })
  }

  changesAfter(number: number, limit: number): Change[] {
    const rows = this.#sql(
      `SELECT number, table_name, key FROM ${CHANGES} WHERE number > ? ORDER BY number LIMIT ?`,
    ).all(number, limit) as { number: number; table_name: string; key: string }[]
    return rows.map((row) => ({ number: row.number, table: row.table_name, key: JSON.parse(row.key) }))
  }

  countChangesAfter(number: number): number {
    return this.#sql(`SELECT count(*) FROM ${CHANGES} WHERE number > ?`).pluck().get(number) as number
  }

  /** The last one stays: the next number is the one after it. */
  forgetChangesBelow(number: number): void {
    this.#write(() => this.#sql(`DELETE FROM ${CHANGES} WHERE number < ?`).run(number))
  }

  /** Everything that is read in here is as of one moment, while others go on writing. */
  async snapshot<T>(work: () => Promise<T>): Promise<T> {
    this.#db.exec('BEGIN')
    try {
      return await work()
    } finally {
      this.#rollBack()
    }
  }

  /**
   * Takes the lock of writing: whoever wants to write waits, up to five seconds, and nobody is told no. If this process
   * dies the lock is gone with it, and so is everything that was not committed.
   */
  async locked<T>(work: () => Promise<T>): Promise<T> {
    await this.#lock()
    try {
      return await work()
    } finally {
      this.#rollBack()
    }
  }

  async #lock(): Promise<void> {
    const deadline = performance.now() + LOCK_MS
    // Looked at often: SQLite's own waiting sleeps for so long that a busy server is always there first.
    this.#db.pragma('busy_timeout = 0')
    try {
      for (;;) {
        try {
          this.#db.exec('BEGIN IMMEDIATE')
          return
        } catch (error) {
          if ((error as { code?: string }).code !== 'SQLITE_BUSY' || performance.now() > deadline) throw error
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
      }
    } finally {
      this.#db.pragma(`busy_timeout = ${BUSY_MS}`)
    }
  }

  /** Inside the lock, and the end of it: from this commit on nobody writes here any more, whoever has the file open. */
  seal(mark: TransferMark): void {
    this.#dropAll()
    for (const table of [...tables.map(({ name }) => name), 'log']) this.#db.exec(sealingTriggers(table))
    this.#putMark(mark)
    this.#db.exec('COMMIT')
  }

  /** Whether anybody else has the file open: its journal cannot be changed then. */
  isShared(): boolean {
    this.#db.pragma('busy_timeout = 0')
    try {
      return this.#db.pragma('journal_mode = DELETE', { simple: true }) !== 'delete'
    } catch (error) {
      if (!String((error as { code?: string }).code).startsWith('SQLITE_BUSY')) throw error
      return true
    } finally {
      this.#db.pragma(`busy_timeout = ${BUSY_MS}`)
      this.#db.pragma('journal_mode = WAL')
    }
  }

  /** Nothing of what was there is left beside the file. */
  tidy(): void {
    this.#db.pragma('wal_checkpoint(TRUNCATE)')
  }

  #write(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#db.exec('COMMIT')
    } finally {
      this.#rollBack()
    }
  }

  #rollBack(): void {
    if (this.#db.open && this.#db.inTransaction) this.#db.exec('ROLLBACK')
  }

  #putMark(mark: TransferMark): void {
    this.#sql(PUT_VALUE).run('transfer', JSON.stringify(mark))
  }

  #dropAll(): void {
    const names = this.#db
      .prepare(`SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB '${TRANSFER_PREFIX}*'`)
      .pluck()
      .all()
    for (const name of names) this.#db.exec(`DROP TRIGGER ${name}`)
    this.#db.exec(`DROP TABLE IF EXISTS ${CHANGES}`)
  }

  #value(name: string): string {
    return this.#sql('SELECT value FROM store WHERE name = ?').pluck().get(name) as string
  }

  #sql(text: string): Statement {
    const known = this.#statements.get(text) ?? this.#db.prepare(text)
    this.#statements.set(text, known)
    return known
  }
}

const CHANGES = `${TRANSFER_PREFIX}changes`

const columnsOf = (table: Table): string =>
  [...table.columns.map(({ name }) => name), ...(table.summed ? ['sum'] : [])].join(', ')

/** What a disk spoilt is not carried over. */
function mustBeSound(table: Table, row: TableRow): void {
  if (!table.summed || row.sum === null) return
  const values = table.columns.slice(...table.summed).map(({ name }) => row[name])
  if (row.sum === sumOf(values)) return
  throw new TransferRefused(
    `The store is damaged: ${table.name} ${JSON.stringify(keyOf(table, row))} is not what was written. ${RESTORE}`,
  )
}

function sizeOf(row: TableRow): number {
  let size = 0
  for (const name in row) size += String(row[name]).length
  return size
}

function notingTriggers({ name, key }: Table): string {
  const note = (of: 'old' | 'new') =>
    `INSERT INTO ${CHANGES} (table_name, key) VALUES ('${name}', json_array(${key.map((one) => `${of}.${one.name}`).join(', ')}))`
  const trigger = (when: string, of: 'old' | 'new') =>
    `CREATE TRIGGER ${TRANSFER_PREFIX}${name}_${when} AFTER ${when} ON ${name} BEGIN ${note(of)}; END;`
  return [trigger('INSERT', 'new'), trigger('UPDATE', 'new'), trigger('DELETE', 'old')].join('\n')
}

const sealingTriggers = (table: string): string =>
  ['INSERT', 'UPDATE', 'DELETE']
    .map(
      (when) =>
        `CREATE TRIGGER ${TRANSFER_PREFIX}sealed_${table}_${when} BEFORE ${when} ON ${table}
         BEGIN SELECT RAISE(ABORT, '${SEALED}'); END;`,
    )
    .join('\n')
