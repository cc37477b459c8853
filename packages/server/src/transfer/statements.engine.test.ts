/** What catching up reads, as PostgreSQL says it itself: as much as has changed, however much there is. */
import { type PostgresServer, postgresVersions, startPostgres } from '@parley/testkit'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectionConfig } from '../store/postgres/database.ts'
import { migrate } from '../store/postgres/migrate.ts'
import { deleteRows, digestsOf } from './statements.ts'
import { tableOf } from './tables.ts'

const CHANGED = 300

interface PlanNode {
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Join Filter'?: number
  readonly Plans?: readonly PlanNode[]
}

/** Rows that went through any step, those that were looked at in vain included. */
function rowsOf(node: PlanNode): number {
  const inVain = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Join Filter'] ?? 0)
  const own = (node['Actual Rows'] + inVain) * node['Actual Loops']
  return (node.Plans ?? []).reduce((sum, plan) => sum + rowsOf(plan), own)
}

describe.each(postgresVersions)('catching up on PostgreSQL %i', (version) => {
  let server: PostgresServer
  let client: pg.Client
  beforeAll(async () => {
    server = await startPostgres({ version, settings: { fsync: 'off', autovacuum: 'off' } })
    const url = await server.createDatabase('test')
    await migrate(url)
    client = new pg.Client(connectionConfig(url))
    await client.connect()
    await client.query(CROWD)
  })
  afterAll(async () => {
    await client?.end()
    await server?.close()
  })

  /** Planned once, for any rows, as the command does it. */
  async function rowsRead(statement: string, keys: readonly object[]): Promise<number> {
    await client.query('BEGIN')
    try {
      await client.query(`PREPARE asked (json) AS ${statement}`)
      const { rows } = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked ('${JSON.stringify(keys)}')`)
      return rowsOf(rows[0]['QUERY PLAN'][0].Plan)
    } finally {
      await client.query('ROLLBACK')
      await client.query('DEALLOCATE ALL')
    }
  }

  const messages = Array.from({ length: CHANGED }, (_, n) => ({ app: 1, conversation: CHAT, position: n * 6 + 1 }))
  const others = Array.from({ length: CHANGED }, (_, n) => ({ app: 1, user_id: `p${n * 30 + 1}` }))

  it.each([
    ['messages are compared', digestsOf(tableOf('messages')), messages],
    ['messages are carried over', deleteRows(tableOf('messages')), messages],
    ['people are compared', digestsOf(tableOf('identities')), others],
    ['people are carried over', deleteRows(tableOf('identities')), others],
  ])('%s by their keys', async (_what, statement, keys) => {
    expect(await rowsRead(statement, keys)).toBeLessThan(10 * CHANGED)
  })
})

const CHAT = '00000000-0000-4000-8000-00000000000c'

/** 14,000 messages, 2,000 of them in one conversation, and 10,000 people, of whom the planner knows nothing. */
const CROWD = `
  INSERT INTO parley.messages
    SELECT 1, '${CHAT}', n, md5('m' || n)::uuid, 'p1', n, '[]', null, n + 1, n + 1, n FROM generate_series(1, 2000) n;
  INSERT INTO parley.messages
    SELECT 1 + n % 3, md5('c' || n % 120)::uuid, n, md5('o' || n)::uuid, 'p1', n, '[]', null, n + 1, n + 1, n
    FROM generate_series(1, 12000) n;
  INSERT INTO parley.message_ids SELECT app, id, conversation, position FROM parley.messages;
  INSERT INTO parley.identities
    SELECT 1, 'p' || n, null, null, null, null, null, null, null, '{}', n, null, 0, 0, 1 FROM generate_series(1, 10000) n;`
