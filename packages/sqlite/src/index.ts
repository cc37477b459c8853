/**
 * SQLite for Node. No release of better-sqlite3 runs on every Node that is in use: 12 is compiled against the insides of
 * Node, which since 24.19 end the process when a statement is collected; 13 needs version 10 of Node's stable interface for
 * native code, which no Node 20 has, and takes the process with it where that is missing. So both are there, and the Node that
 * runs decides. They offer the same.
 */
import { createRequire } from 'node:module'
import type BetterSqlite3 from 'better-sqlite3'

export type Database = BetterSqlite3.Database
export type Statement = BetterSqlite3.Statement
export type SqliteError = BetterSqlite3.SqliteError
/** Opens databases. */
export type Sqlite = typeof BetterSqlite3

/** Of Node's stable interface for native code, what better-sqlite3 13 needs. */
const STABLE_INTERFACE = 10

/** The package that this Node can run, by the version of its stable interface for native code. */
export const packageFor = (stableInterface: number): 'better-sqlite3' | 'better-sqlite3-13' =>
  stableInterface >= STABLE_INTERFACE ? 'better-sqlite3-13' : 'better-sqlite3'

/**
 * SQLite, loaded when it is first asked for: a server on another store needs none.
 * @throws Error if its package is not installed, or was compiled for another Node
 */
export function loadSqlite(): Sqlite {
  const name = packageFor(Number(process.versions.napi))
  try {
    return createRequire(import.meta.url)(name) as Sqlite
  } catch (cause) {
    const { node } = process.versions
    throw new Error(`SQLite could not be loaded: Node ${node} needs the package ${name}. Install the packages again.`, {
      cause,
    })
  }
}
