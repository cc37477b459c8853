/**
 * Damage to the store's file that no single row shows: trees that lead nowhere or past what is there, indexes that miss
 * rows, a schema that is another. A server that went on would not find messages that are there. Rows look after
 * themselves, see `row-sums.ts`.
 */
import type { Database } from '@parley/sqlite'
import { migrations } from './migrations.ts'
import { RESTORE } from './row-sums.ts'
import { TRANSFER_PREFIX } from './transfer-mark.ts'

/** Stores up to this size are looked through before anything is served: some 5 ms for each megabyte. */
export const CHECKED_AT_START_BYTES = 64 * 1024 * 1024

/** What is damaged, and what to do about it; undefined if nothing is. */
export function findDamage(connection: Database, file: string): string | undefined {
  const found = whatIsWrong(connection)
  return found === undefined ? undefined : `The store ${file} is damaged (${found}). ${RESTORE}`
}

export const sizeOf = (connection: Database): number =>
  (connection.pragma('page_count', { simple: true }) as number) *
  (connection.pragma('page_size', { simple: true }) as number)

function whatIsWrong(connection: Database): string | undefined {
  if (schemaOf(connection) !== ownSchema(connection)) return 'its schema was changed'
  const verdict = connection.pragma('integrity_check(1)', { simple: true }) as string
  return verdict === 'ok' ? undefined : verdict.replaceAll(/\s+/g, ' ')
}

function schemaOf(connection: Database): string {
  const rows = connection
    .prepare(
      `SELECT type, name, tbl_name, sql FROM sqlite_master
       WHERE name NOT LIKE 'sqlite_stat%' AND name NOT GLOB '${TRANSFER_PREFIX}*' ORDER BY name`,
    )
    .raw()
    .all()
  return JSON.stringify(rows)
}

/** The schema as the migrations make it. */
function ownSchema(connection: Database): string {
  const Sqlite = connection.constructor as new (file: string) => Database
  const fresh = new Sqlite(':memory:')
  try {
    for (const step of migrations) fresh.exec(step)
    return schemaOf(fresh)
  } finally {
    fresh.close()
  }
}
