/** What the statements read, counted by PostgreSQL itself, in tables large enough for it to matter. */
import type { UserId } from '@parley/protocol'
import { type PostgresServer, postgresVersions, startPostgres } from '@parley/testkit'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { query } from '../../../test/fresh-databases.ts'
import {
  alice,
  ben,
  cleo,
  commit,
  conversation,
  message,
  ONE,
  participant,
  person,
  TWO,
  uuid,
} from '../contract/records.contract.ts'
import { chatOfEverything, picture } from '../contract/whole-app.contract.ts'
import type { Store } from '../store.ts'
import type { Database } from './database.ts'
import { PARTITIONS } from './migrations.ts'
import { movedAnywhere } from './moved-anywhere.ts'
import { openPostgresStore } from './postgres-store.ts'

/** Tables of a few rows each, read whole because nothing is quicker. */
const SMALL = ['store', 'schema', 'writers', 'apps']

interface Counts {
  readonly scans: readonly string[]
  /** Rows that were read by way of an index. */
  readonly rows: number
}

describe.each(postgresVersions)('statements on PostgreSQL %i', (version) => {
  let server: PostgresServer
  let url: string
  beforeAll(async () => {
    server = await startPostgres({ version, settings: { fsync: 'off', autovacuum: 'off' } })
    url = await server.createDatabase('test')
    const store = await openPostgresStore(url)
    await chatOfEverything(store, ONE, 'one')
    await chatOfEverything(store, TWO, 'two')
    await store.close()
    await query(url, CROWD)
  })
  afterAll(() => server?.close())

  /** What `work` makes the database read. A session tells what it counted when it ends. */
  async function counted(work: (store: Store) => Promise<unknown>): Promise<Counts> {
    const before = await counts()
    const store = await openPostgresStore(url)
    try {
      await work(store)
    } finally {
      await store.close()
    }
    // The last one may still be going.
    let after = await counts()
    for (let quiet = 0; quiet < 3; quiet++) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      const next = await counts()
      if (JSON.stringify([...next]) !== JSON.stringify([...after])) quiet = 0
      after = next
    }
    const grown = [...after].map(([table, now]) => ({
      table,
      scans: now.scans - (before.get(table)?.scans ?? 0),
      rows: now.rows - (before.get(table)?.rows ?? 0),
    }))
    return {
      scans: grown.flatMap(({ table, scans }) => (scans > 0 && !SMALL.includes(table) ? [table] : [])),
      rows: grown.reduce((sum, { rows }) => sum + rows, 0),
    }
  }

  async function counts(): Promise<Map<string, { readonly scans: number; readonly rows: number }>> {
    const rows = await query(
      url,
      `SELECT t.relname, t.seq_scan, coalesce(sum(i.idx_tup_read), 0) AS read FROM pg_stat_user_tables t
       LEFT JOIN pg_stat_user_indexes i ON i.relid = t.relid GROUP BY t.relname, t.seq_scan ORDER BY t.relname`,
    )
    return new Map(rows.map((row) => [row.relname!, { scans: Number(row.seq_scan), rows: Number(row.read) }]))
  }

  it('the instrument works: what reads a table from end to end is noticed', async () => {
    const { scans } = await counted(() => query(url, 'SELECT count(parts) FROM parley.messages WHERE sent_at = 5'))
    expect(scans).toHaveLength(PARTITIONS.usual)
    const { rows } = await counted(() =>
      query(url, 'SET enable_seqscan = off; SELECT max(created_at) FROM parley.identities WHERE app > 0'),
    )
    expect(rows).toBeGreaterThan(4_000)
  })

  it('what grows with every message is not sampled for statistics that no plan asks for', async () => {
    // The database was analyzed, as it analyzes itself.
    const known = await query(url, `SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'parley'`)
    const tables = known.map((row) => String(row.tablename))
    expect(tables).toContain('conversations')
    expect(tables.filter((name) => /^(messages|message_ids|moves|operations)(_\d+)?$/.test(name))).toEqual([])
  })

  it('none of sending, receipts, catching up, paging, lists and signing in reads a table from end to end', async () => {
    const { scans, rows } = await counted(async (store) => {
      await picture(store)
      await commit(store, {
        people: [person('dana' as UserId), person(ben, 5)],
        conversations: [
          conversation(uuid(1), { sequence: 9, headSequence: 9, headPosition: 4 }),
          conversation(uuid(2), {}, { distinctKey: 'cd' }),
        ],
        participants: [participant(uuid(2), alice, { inboxSequence: 2 }), participant(uuid(1), ben, { order: 2 })],
        messages: [
          message(uuid(1), 4, { sequence: 8 }),
          message(uuid(1), 1, { sequence: 9, firstSequence: 4, isNew: false, deletedAt: 1 }),
        ],
        nonces: [{ hash: 'n', forgetAt: 5 }],
        operations: [{ app: ONE, userId: ben, id: uuid(71), name: 'x', at: 5 }],
      })
      await commit(store, { purged: [{ app: TWO, key: uuid(1) }] })
      const { settled } = await store.streams.movedAnywhere(await store.log.lastCursor(), 100)
      await commit(store, { people: [person(ben, 6)] })
      expect((await store.streams.movedAnywhere(settled, 100)).heads).toHaveLength(1)
      await store.streams.conversationForAll(ONE, uuid(1), 3, 10)
      await store.log.prune({ operationsMs: 10, noncesMs: 10 })
      for (const sortBy of ['last_message', 'created_at'] as const) {
        await store.lists.conversations(ONE, alice, { sortBy, from: uuid(1), limit: 5 })
      }
      await store.apps.byId(uuid(1))
      await store.apps.provider(uuid(1))
      await store.apps.providersOf(ONE)
      await store.apps.key('k')
      await store.apps.keysOf(uuid(1))
      await store.apps.session('h')
      await store.apps.endedSince(1_900_000_000_000)
      await store.apps.endSessionsOf(ONE, cleo, 1)
      await store.apps.liveSessionsOf(ONE, cleo)
    })
    expect(scans).toEqual([])
    // There are more than a hundred thousand rows; these are the handful that were asked for, many times over.
    expect(rows).toBeLessThan(4_000)
  })

  it('28 a look into the store brings each stream that moved, and not each move', async () => {
    const [commits, busy, limit] = [600, 50, 5_000]
    const above = 10 ** 12
    await query(
      url,
      `INSERT INTO parley.moves (moved, at, apps, conversations)
       SELECT ${above} + n, 1, array_fill(1, ARRAY[${busy}]), (SELECT array_agg(md5('c' || k)::uuid) FROM generate_series(1, ${busy}) k)
       FROM generate_series(1, ${commits}) n`,
    )
    const client = new pg.Client(url)
    await client.connect()
    let bytes = 0
    const ask = async (statement: string, values?: readonly unknown[]) => {
      const { rows } = await client.query(statement, values as unknown[])
      bytes += JSON.stringify(rows).length
      return rows
    }
    const found: number[] = []
    for (let after: number | null = above; after !== null; ) {
      const { heads, next } = await movedAnywhere({ ask } as unknown as Database, after, limit)
      found.push(heads.length)
      after = next === null ? null : Number(next)
    }
    await client.end()
    await query(url, 'DELETE FROM parley.moves WHERE moved > $1', [above])
    // The last page but one is full: only the next one, with nothing on it, tells that it was the last.
    expect(found).toEqual([...Array.from({ length: (commits * busy) / limit }, () => busy), 0])
    expect(bytes).toBeLessThan(found.length * (busy * 300 + 300))
  })

  const long = uuid(0xfff)
  const reader = 'reader' as UserId
  /** A question about a conversation of 20,000 messages, and how many rows the answer is made of. */
  const questions: Record<string, [(store: Store) => Promise<unknown>, number]> = {
    'its last changes': [({ streams }) => streams.conversation(ONE, long, reader, 20_002 - 10, 50), 10],
    'changes from its middle': [({ streams }) => streams.conversation(ONE, long, reader, 9_000, 50), 50],
    'its last changes, written out': [
      ({ streams }) => streams.writtenConversations(ONE, reader, [{ id: long, after: 20_002 - 10 }], 50),
      10,
    ],
    'changes from its middle, written out': [
      ({ streams }) => streams.writtenConversations(ONE, reader, [{ id: long, after: 9_000 }], 50),
      50,
    ],
    'its newest messages': [({ streams }) => streams.messages(ONE, long, reader, null, 50), 50],
    'older messages': [({ streams }) => streams.messages(ONE, long, reader, 9_000, 50), 50],
    'a list of its messages': [({ lists }) => lists.messages(ONE, long, reader, { from: null, limit: 50 }), 50],
    'its view': [({ lists }) => lists.conversation(ONE, long, reader), 1],
    'messages since a time': [
      ({ lists }) => lists.messagesSince(ONE, long, reader, 15_000, { above: 0, limit: 50 }),
      50,
    ],
    'somebody’s part in it': [({ streams }) => streams.conversation(ONE, long, alice, 0, 50), 0],
    'who hears of it': [({ streams }) => streams.audience(ONE, long), 1],
  }
  it.each(Object.entries(questions))(
    'what is read for %s does not depend on the length',
    async (_name, [ask, size]) => {
      const { scans, rows } = await counted(ask)
      expect(scans).toEqual([])
      // Finding a place by halving, opening the store, and a little for each row.
      expect(rows).toBeLessThan(60 + 4 * size)
    },
  )
})

/** 5,000 people, 20,000 conversations of three, a message in each; and one conversation of 20,000 messages, all read. */
const CROWD = `
  INSERT INTO parley.identities
    SELECT 1, 'p' || n, null, null, null, null, null, null, null, '{}', n, null, 0, 0, 1 FROM generate_series(1, 5000) n;
  INSERT INTO parley.conversations
    SELECT 1, md5('c' || n)::uuid, n, 'p1', null, '{}', null, 1, n, 5, 1, n, 1, n, 1 FROM generate_series(1, 20000) n;
  INSERT INTO parley.participants
    SELECT 1, md5('c' || n)::uuid, 'p' || (n * 7 + k * 13) % 5000 + 1, 'joined', k, n, '[]', '[]', '[]', '[]', null, k + 1, n, n
    FROM generate_series(1, 20000) n, generate_series(1, 3) k;
  INSERT INTO parley.messages
    SELECT 1, md5('c' || n)::uuid, 1, md5('m' || n)::uuid, 'p1', n, '[]', null, 5, 5, n FROM generate_series(1, 20000) n;
  INSERT INTO parley.message_ids SELECT app, id, conversation, position FROM parley.messages WHERE sent_at < 100000;
  INSERT INTO parley.sessions
    SELECT md5('s' || n)::uuid, 's' || n, 1, 'p' || n, n, n, CASE WHEN n % 2 = 0 THEN n END FROM generate_series(1, 5000) n;
  INSERT INTO parley.used_nonces SELECT 'x' || n, 1000000 + n FROM generate_series(1, 5000) n;
  INSERT INTO parley.operations SELECT 1, 'p' || n, md5('o' || n)::uuid, 'x', 1000000 + n FROM generate_series(1, 5000) n;
  INSERT INTO parley.identities VALUES (1, 'reader', null, null, null, null, null, null, null, '{}', 1, null, 0, 0, 1);
  INSERT INTO parley.conversations VALUES
    (1, '00000000-0000-4000-8000-000000000fff', 1, 'reader', null, '{}', null, 1, 1, 20002, 20000, 1, 1, 1, 1);
  INSERT INTO parley.participants VALUES
    (1, '00000000-0000-4000-8000-000000000fff', 'reader', 'joined', 1, 1, '[]', '[]', '[1,20000]', '[]', null, 2, 1, 1);
  INSERT INTO parley.messages
    SELECT 1, '00000000-0000-4000-8000-000000000fff', n, md5('l' || n)::uuid, 'p1', n, '[]', null, n + 2, n + 2, n
    FROM generate_series(1, 20000) n;
  ANALYZE;`
