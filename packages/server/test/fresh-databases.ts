import { randomUUID } from 'node:crypto'
import type { PostgresServer } from '@parley/testkit'
import pg from 'pg'
import { openPostgresStore } from '../src/store/postgres/postgres-store.ts'
import type { Store } from '../src/store/store.ts'

interface Kept {
  readonly url: string
  readonly store: Store
}

/**
 * Stores on a PostgreSQL server for tests, each as if its database had just been made. One that was given back is emptied
 * and used again: that is much quicker than another.
 */
export class FreshDatabases {
  readonly #server: PostgresServer
  readonly #all: Kept[] = []
  readonly #free: Kept[] = []

  constructor(server: PostgresServer) {
    this.#server = server
  }

  /** A store on a database of its own, given back when it is closed. */
  async open(): Promise<Store> {
    const kept = this.#free.pop() ?? (await this.#another())
    const epoch = randomUUID()
    await query(kept.url, EMPTY)
    await query(kept.url, `UPDATE parley.store SET value = $1 WHERE name = 'epoch'`, [epoch])
    await query(kept.url, `UPDATE parley.store SET value = $1 WHERE name = 'secret'`, [epoch + randomUUID()])
    let isClosed = false
    return {
      ...kept.store,
      epoch,
      close: async () => {
        if (!isClosed) this.#free.push(kept)
        isClosed = true
      },
    }
  }

  async close(): Promise<void> {
    for (const { store } of this.#all) await store.close()
  }

  async #another(): Promise<Kept> {
    const url = await this.#server.createDatabase(`test_${this.#all.length + 1}`)
    const kept = { url, store: await openPostgresStore(url) }
    this.#all.push(kept)
    return kept
  }
}

const TABLES =
  'writers, apps, providers, provider_keys, identities, sessions, used_nonces, conversations, participants, messages, message_ids, operations, purges, moves'

const EMPTY = `DO $$ BEGIN
  ${TABLES.split(', ')
    .map((table) => `DELETE FROM parley.${table};`)
    .join('\n  ')}
END $$`

/** One statement on a connection of its own. */
export async function query(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Record<string, never>[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query(text, values as unknown[])).rows
  } finally {
    await client.end()
  }
}
