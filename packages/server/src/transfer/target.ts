import { type Client, default as pg } from 'pg'
import { connectionConfig } from '../store/postgres/database.ts'
import { migrate, shownUrl } from '../store/postgres/migrate.ts'
import { migrations } from '../store/postgres/migrations.ts'
import { StoreOpenError } from '../store/store.ts'
import type { Sums } from './digests.ts'
import { keyText } from './digests.ts'
import { TransferRefused } from './refusal.ts'
import { deleteRows, digestsOf, digestsOfStretch, insertRows, type Stretch, sumsOfStretch } from './statements.ts'
import { type Key, type Table, type TableRow, tables } from './tables.ts'

/** What the database says of a transfer into it; servers open it when it is live. */
export interface TargetState {
  readonly id: string
  readonly state: 'filling' | 'live'
  /** The file it comes from, for people. */
  readonly from: string
  /** How far each table is: the key of the last row, null when all are copied. */
  readonly tables: Readonly<Record<string, { readonly after: Key | null; readonly rows: number }>>
  /** Up to which change everything noted is carried over. */
  readonly changes: number
}

/** Rows of tables that changed: their keys, and as they are now as far as they are there. */
export interface Replacement {
  readonly table: Table
  readonly keys: readonly Key[]
  readonly rows: readonly TableRow[]
}

/** One command at a time works on a database. */
const TRANSFER_LOCK = 7_261_002
/** A statement that takes longer hangs. */
const STATEMENT_MS = 120_000
const NAME = 'parley migrate-store'

/** The database that is filled. What was done and how far it is are committed together, so a cut anywhere leaves no doubt. */
export class Target {
  readonly url: string
  readonly #client: Client
  readonly #names = new Map<string, string>()
  /** By `performance.now()`: until when everything has to be done, while others wait for it. */
  deadline: number | undefined

  private constructor(url: string, client: Client) {
    this.url = url
    this.#client = client
  }

  /** @throws StoreOpenError if the database cannot be used */
  static async open(url: string): Promise<Target> {
    const client = new pg.Client({ ...connectionConfig(url), application_name: NAME, statement_timeout: STATEMENT_MS })
    // What breaks the connection is told by the statement under way.
    client.on('error', () => undefined)
    try {
      await client.connect()
      await mustNotBeOlder(client, url)
      await migrate(url)
      const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS is_mine', [TRANSFER_LOCK])
      if (!rows[0].is_mine) {
        throw new TransferRefused(
          `Another parley migrate-store is at work on ${shownUrl(url)}. Wait for it, or end it.`,
        )
      }
      return new Target(url, client)
    } catch (error) {
      void client.end().catch(() => undefined)
      if (error instanceof TransferRefused || error instanceof StoreOpenError) throw error
      const message = `The database ${shownUrl(url)} cannot be used: ${(error as Error).message}.`
      throw new StoreOpenError(message, { cause: error })
    }
  }

  /** At once: a server that does not listen is not said goodbye to. */
  close(): void {
    void this.#client.end().catch(() => undefined)
    const { connection } = this.#client as unknown as { connection?: { stream?: { destroy(): void } } }
    if (this.#isLate) connection?.stream?.destroy()
  }

  get #isLate(): boolean {
    return this.deadline !== undefined && performance.now() > this.deadline
  }

  async state(): Promise<TargetState | undefined> {
    const [row] = await this.#ask(`SELECT s.value FROM parley.store s WHERE s.name = 'transfer'`)
    return row && JSON.parse(row.value as string)
  }

  /** Which tables hold anything. */
  async filledTables(): Promise<string[]> {
    const all = [...tables.map(({ name }) => name), 'message_ids', 'writers']
    const [row] = await this.#ask(`SELECT ${all.map((name) => `EXISTS (SELECT FROM parley.${name}) AS ${name}`)}`)
    return all.filter((name) => row![name])
  }

  /** Whether servers, or other commands, of ours are connected to it. */
  async othersConnected(): Promise<number> {
    const [row] = await this.#ask(
      `SELECT count(*)::integer AS others FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'parley%'`,
    )
    return row!.others as number
  }

  /** Makes the database this transfer's: the log of the same epoch, with the same secret. */
  claim(state: TargetState, of: { readonly epoch: string; readonly secret: string }): Promise<void> {
    return this.#atOnce(async () => {
      for (const [name, value] of Object.entries(of)) await this.#put(name, value)
      await this.#putState(state)
    })
  }

  insert(table: Table, rows: readonly TableRow[], state: TargetState): Promise<void> {
    return this.#atOnce(async () => {
      if (rows.length > 0) await this.#fill(table, rows)
      await this.#putState(state)
    })
  }

  replace(replacements: readonly Replacement[], state: TargetState): Promise<void> {
    return this.#atOnce(async () => {
      // First whatever was: a key that one row gave up may be another's by now.
      for (const { table, keys } of replacements) await this.#ask(deleteRows(table), [keysAsJson(table, keys)])
      for (const { table, rows } of replacements) if (rows.length > 0) await this.#fill(table, rows)
      await this.#putState(state)
    })
  }

  async sums(table: Table, after: Key | undefined, upTo: Key | undefined): Promise<Sums> {
    const [row] = await this.#ask(sumsOfStretch(table, stretch(after, upTo)), [...(after ?? []), ...(upTo ?? [])])
    return row as unknown as Sums
  }

  async digestsBetween(table: Table, after: Key | undefined, upTo: Key | undefined): Promise<Map<string, string>> {
    const text = digestsOfStretch(table, stretch(after, upTo))
    return asDigests(table, await this.#ask(text, [...(after ?? []), ...(upTo ?? [])]))
  }

  async digests(table: Table, keys: readonly Key[]): Promise<Map<string, string>> {
    return asDigests(table, await this.#ask(digestsOf(table), [keysAsJson(table, keys)]))
  }

  async count(table: string): Promise<number> {
    const [row] = await this.#ask(`SELECT count(*) AS count FROM parley.${table}`)
    return row!.count as number
  }

  /**
   * The log goes on from the source's last cursor: whoever keeps it has heard of everything, and every number that is given
   * out from now on lies above it.
   */
  continueFrom(id: string, cursor: number): Promise<void> {
    return this.#atOnce(async () => {
      await this.#ask(
        `UPDATE parley.store SET value = greatest(0, $1::bigint + 1 - pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
         WHERE name = 'numbers_above'`,
        [cursor],
      )
      await this.#ask(`UPDATE parley.store SET value = $1::bigint WHERE name = 'moves_after'`, [cursor])
      await this.#ask(
        `INSERT INTO parley.writers (id, batch, fenced, moved, settled, at) VALUES ($1, 0, true, $2, $2, $3)
         ON CONFLICT (id) DO UPDATE SET moved = excluded.moved, settled = excluded.settled, at = excluded.at`,
        [id, cursor, Date.now()],
      )
      await this.#ask(
        `SELECT setval(pg_get_serial_sequence('parley.apps', 'key'), (SELECT coalesce(max(a.key), 0) + 1 FROM parley.apps a), false)`,
      )
    })
  }

  /** Every table anew: the planner has seen none of it. */
  async analyze(): Promise<void> {
    await this.#ask('ANALYZE')
  }

  async live(id: string): Promise<void> {
    await this.#ask(LIVE, [id])
  }

  /** Takes everything away again that a transfer which is not over brought. */
  async empty(): Promise<void> {
    await this.#ask('DROP SCHEMA parley CASCADE')
  }

  async #fill(table: Table, rows: readonly TableRow[]): Promise<void> {
    try {
      await this.#ask(insertRows(table), [JSON.stringify(rows)])
    } catch (error) {
      // A row that PostgreSQL cannot hold: trying again would not help.
      if (!/^22/.test((error as { code?: string }).code ?? '')) throw error
      throw new TransferRefused(`Rows of ${table.name} cannot be kept in PostgreSQL: ${(error as Error).message}.`, {
        cause: error,
      })
    }
  }

  #putState(state: TargetState): Promise<unknown> {
    return this.#put('transfer', JSON.stringify(state))
  }

  #put(name: string, value: string): Promise<unknown> {
    return this.#ask(
      'INSERT INTO parley.store VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      [name, value],
    )
  }

  async #atOnce(work: () => Promise<void>): Promise<void> {
    await this.#ask('BEGIN')
    try {
      await work()
      await this.#ask('COMMIT')
    } catch (error) {
      if (!this.#isLate) await this.#ask('ROLLBACK').catch(() => undefined)
      throw error
    }
  }

  async #ask(text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    const name = this.#names.get(text) ?? `t${this.#names.size}`
    this.#names.set(text, name)
    const left = this.deadline === undefined ? STATEMENT_MS : this.deadline - performance.now()
    // The types of the driver do not know that a single question may have a time limit.
    const query = { name, text, values: values as unknown[], query_timeout: Math.max(1, left) }
    return (await this.#client.query(query)).rows
  }
}

/** A server of an earlier version may live on it, which could not write any more once its tables are new. */
async function mustNotBeOlder(client: Client, url: string): Promise<void> {
  const { rows } = await client.query(`SELECT to_regclass('parley.schema') IS NOT NULL AS is_there`)
  if (!rows[0].is_there) return
  const version: number = (await client.query('SELECT version FROM parley.schema')).rows[0]?.version ?? 0
  if (version === 0 || version >= migrations.length) return
  throw new TransferRefused(
    `${shownUrl(url)} has the tables of an earlier Parley (schema ${version}, not ${migrations.length}). Name an empty database.`,
  )
}

const LIVE = `UPDATE parley.store SET value = (value::jsonb || '{"state": "live"}')::text
  WHERE name = 'transfer' AND value::jsonb ->> 'id' = $1`

/** The same from a server that goes over: from now on anybody may serve the database. */
export async function openForAll(url: string, id: string): Promise<void> {
  const client = new pg.Client({ ...connectionConfig(url), application_name: NAME, query_timeout: 2_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query(LIVE, [id])
  } finally {
    void client.end().catch(() => undefined)
  }
}

const stretch = (after: Key | undefined, upTo: Key | undefined): Stretch => ({
  isFromStart: after === undefined,
  isToEnd: upTo === undefined,
})

const asDigests = (table: Table, rows: readonly Record<string, unknown>[]): Map<string, string> =>
  new Map(rows.map((row) => [keyText(table.key.map(({ name }) => row[name]) as never), row.digest as string]))

const keysAsJson = (table: Table, keys: readonly Key[]): string =>
  JSON.stringify(keys.map((key) => Object.fromEntries(table.key.map(({ name }, index) => [name, key[index]]))))
