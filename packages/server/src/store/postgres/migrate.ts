import { type Client, default as pg } from 'pg'
import { StoreOpenError } from '../store.ts'
import { COMMIT_LOCK } from './commit-function.ts'
import { NUMBERS_ABOVE } from './cursor.ts'
import { connectionConfig } from './database.ts'
import { functions } from './functions.ts'
import { migrations } from './migrations.ts'

/** One process migrates at a time; others wait for it, and find nothing left to do. */
const MIGRATION_LOCK = 7_261_000
/** How long to wait for another process that migrates, and for commits that are under way. */
const LOCK_TIMEOUT_MS = 60_000
const OLDEST = 150_000

/** Versions of the schema; 0 is an empty database. */
export interface Migrated {
  readonly from: number
  readonly to: number
}

/**
 * Brings a database to this server's schema: all missing steps in one transaction, so that they happen together or not
 * at all, and whoever is killed in the middle leaves nothing behind. With `rehearse` the transaction is rolled back when
 * everything worked: what would happen, on the real rows, without it happening.
 * @throws StoreOpenError if the database cannot be used; the sentence says why
 */
export async function migrate(url: string, options: { readonly rehearse?: boolean } = {}): Promise<Migrated> {
  const client = new pg.Client(connectionConfig(url))
  // Whatever breaks the connection is told by the statement under way.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await mustBeUsable(client)
    return await bringUpToDate(client, options.rehearse ?? false)
  } catch (error) {
    if (error instanceof StoreOpenError) throw error
    throw new StoreOpenError(`The database ${shownUrl(url)} cannot be used: ${(error as Error).message}.`, {
      cause: error,
    })
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function mustBeUsable(client: Client): Promise<void> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() AS is_standby`,
  )
  const { version, encoding, is_standby } = rows[0]
  if (version < OLDEST) {
    throw new StoreOpenError(`Parley needs PostgreSQL 15 or newer, and this is ${Math.floor(version / 10_000)}.`)
  }
  if (encoding !== 'UTF8') {
    throw new StoreOpenError(
      `Parley needs a database in UTF8, and this one is in ${encoding}. Make one with: createdb -E UTF8`,
    )
  }
  if (is_standby)
    throw new StoreOpenError('This PostgreSQL is a standby, which cannot be written to. Name the primary.')
}

async function bringUpToDate(client: Client, isRehearsal: boolean): Promise<Migrated> {
  await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`)
  await client.query('BEGIN')
  await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK])
  await client.query('CREATE SCHEMA IF NOT EXISTS parley')
  await client.query('CREATE TABLE IF NOT EXISTS parley.schema (version integer NOT NULL)')
  const from: number = (await client.query('SELECT version FROM parley.schema')).rows[0]?.version ?? 0
  const to = migrations.length
  if (from > to) {
    throw new StoreOpenError(
      `The store was written by a newer Parley (schema ${from}, this one knows ${to}). ` +
        'Start that version again, or restore a backup made before the upgrade.',
    )
  }
  // Waits for commits that are under way, of a process that died a moment ago for instance: nothing appears later that
  // was not there when this process began. From here to the end nobody commits: an old process finds the new version.
  await client.query('SELECT pg_advisory_xact_lock($1)', [COMMIT_LOCK])
  if (from < to) {
    for (const step of migrations.slice(from)) await client.query(step)
    await client.query(functions)
    if (from === 0) await client.query('INSERT INTO parley.schema VALUES ($1)', [to])
    else await client.query('UPDATE parley.schema SET version = $1', [to])
  }
  await renumberIfMoved(client)
  await client.query(isRehearsal ? 'ROLLBACK' : 'COMMIT')
  return { from, to }
}

/**
 * Rows bear numbers of transactions of the PostgreSQL they were written to. In another one, to which a dump was restored,
 * those numbers are still to come, and a change would be taken for an old one. So it becomes another log: a new epoch, by
 * which every device compares everything, and numbers that begin anew.
 */
async function renumberIfMoved(client: Client): Promise<void> {
  const { rowCount } = await client.query(
    `SELECT 1 FROM parley.writers WHERE moved >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + ${NUMBERS_ABOVE} LIMIT 1`,
  )
  if (rowCount === 0) return
  // Above 0, which is the cursor of who has heard of nothing yet, and below any number that is given out.
  await client.query('UPDATE parley.conversations SET moved = 1')
  await client.query('UPDATE parley.identities SET inbox_moved = 1 WHERE inbox_moved > 0')
  await client.query('DELETE FROM parley.writers')
  await client.query('DELETE FROM parley.moves')
  await client.query(`UPDATE parley.store SET value = '1' WHERE name = 'moves_after'`)
  await client.query(`UPDATE parley.store SET value = gen_random_uuid() WHERE name = 'epoch'`)
}

/** An address without its password. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return 'that was named'
  const shown = new URL(url)
  shown.password = ''
  shown.search = ''
  return shown.href
}
