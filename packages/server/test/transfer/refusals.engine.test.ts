/** What would do harm is refused, in a sentence, and nothing is changed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadSqlite } from '@parley/sqlite'
import { type PostgresServer, startPostgres } from '@parley/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chat, ONE, uuid } from '../../src/store/contract/records.contract.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { abandonMigration, migrateStore } from '../../src/transfer/migrate-store.ts'
import type { TransferProgress } from '../../src/transfer/progress.ts'
import { query } from '../fresh-databases.ts'
import { fillFile, rowsOfDatabase, rowsOfFile } from './both-stores.ts'

const Sqlite = loadSqlite()

describe('a move that must not be', () => {
  const root = mkdtempSync(join(tmpdir(), 'parley-refused-'))
  let server: PostgresServer
  let count = 0
  let dataFolder: string
  let file: string
  let to: string

  beforeAll(async () => {
    server = await startPostgres({ version: 18, settings: { fsync: 'off' } })
  })
  beforeEach(async () => {
    dataFolder = join(root, String(++count))
    file = join(dataFolder, 'parley.sqlite')
    to = await server.createDatabase(`refused_${count}`)
    fillFile(file, { messages: 300, seed: count })
  })
  afterAll(async () => {
    await server?.close()
    rmSync(root, { recursive: true, force: true })
  })

  const move = (options: Partial<Parameters<typeof migrateStore>[0]> = {}) =>
    migrateStore({ dataFolder, to, ...options })
  const inFile = (text: string, ...values: unknown[]) => {
    const db = new Sqlite(file)
    try {
      db.prepare(text).run(...values)
    } finally {
      db.close()
    }
  }
  /** Begins, and stops at a step. */
  const begun = async (until: TransferProgress['step'] = 'copying') => {
    class Enough extends TypeError {}
    const onProgress = ({ step }: TransferProgress) => {
      if (step === until) throw new Enough()
    }
    await expect(move({ onProgress })).rejects.toThrow(Enough)
  }
  /** Nothing is noted any more, and the store takes writes. */
  const isUntouched = async () => {
    const db = new Sqlite(file, { readonly: true })
    expect(db.prepare(`SELECT name FROM sqlite_master WHERE name LIKE 'transfer%'`).all()).toEqual([])
    expect(db.prepare(`SELECT name FROM store WHERE name LIKE 'transfer%'`).all()).toEqual([])
    db.close()
    const store = openSqliteStore(file)
    await store.log.prune({ operationsMs: 0, noncesMs: 0 })
    await store.close()
  }

  it('a database that holds something else', async () => {
    const store = await openPostgresStore(to)
    await chat(store, uuid(1), 1)
    await store.close()
    await expect(move()).rejects.toThrow(/is not empty: it has identities, .*conversations.* Name one that is\./)
    await isUntouched()
  })

  it('a database that a server is connected to', async () => {
    const store = await openPostgresStore(to)
    await store.apps.all()
    await expect(move()).rejects.toThrow(/A Parley server is connected to postgres:/)
    await store.close()
    await isUntouched()
  })

  it('a folder without a store, an address that is none, a database that is away', async () => {
    await expect(move({ dataFolder: join(root, 'nowhere') })).rejects.toThrow(/^There is no store .*nowhere/)
    await expect(move({ to: 'mysql://x' })).rejects.toThrow(/begins with postgres:/)
    await expect(move({ to: 'postgres://postgres@127.0.0.1:1/x' })).rejects.toThrow(/cannot be used: .*ECONNREFUSED/)
    await isUntouched()
  })

  it('a file of another version', async () => {
    inFile('PRAGMA user_version = 1')
    await expect(move()).rejects.toThrow(/has schema 1, not \d+\. Start this version of the server on it once/)
    inFile('PRAGMA user_version = 99')
    await expect(move()).rejects.toThrow(/has schema 99, not \d+\. Use the version that serves it/)
  })

  it('a database of a newer version', async () => {
    await (await openPostgresStore(to)).close()
    await query(to, 'UPDATE parley.schema SET version = 99')
    await expect(move()).rejects.toThrow(/written by a newer Parley/)
    await isUntouched()
  })

  it('a database of an earlier version, whose servers could not write any more', async () => {
    await (await openPostgresStore(to)).close()
    await query(to, 'UPDATE parley.schema SET version = 1')
    await expect(move()).rejects.toThrow(/has the tables of an earlier Parley \(schema 1, not \d+\)/)
    expect((await query(to, 'SELECT version FROM parley.schema'))[0]!.version).toBe(1)
    await isUntouched()
  })

  it('a file that was moved already, to another database; and a database that is served, from another file', async () => {
    await move()
    const other = await server.createDatabase(`other_${count}`)
    await expect(move({ to: other })).rejects.toThrow(/The store was moved to .*, and .*other_\d+ is not that database/)
    await expect(abandonMigration({ dataFolder, to })).rejects.toThrow(/that is not taken back/)
    const another = join(root, `another ${count}`)
    fillFile(join(another, 'parley.sqlite'), { messages: 10 })
    await expect(move({ dataFolder: another })).rejects.toThrow(/is served already/)
  })

  it('two targets at once, two sources at once, two commands at once', async () => {
    await begun()
    const other = await server.createDatabase(`other_${count}`)
    await expect(move({ to: other })).rejects.toThrow(
      /is being moved to .*refused_\d+\. Go on with that, or take it back/,
    )
    const another = join(root, `another ${count}`)
    fillFile(join(another, 'parley.sqlite'), { messages: 10 })
    await expect(move({ dataFolder: another })).rejects.toThrow(/holds what another transfer brought/)
    const twice = await Promise.allSettled([move(), move()])
    expect(twice.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(String(twice.find(({ status }) => status === 'rejected'))).toBeDefined()
    expect(await rowsOfDatabase(to)).toEqual(rowsOfFile(file))
  })

  it('a row that a disk spoilt is not carried over', async () => {
    inFile(`UPDATE messages SET parts = '[]', sum = 1 WHERE position = 1 AND app = 2`)
    await expect(move()).rejects.toThrow(/The store is damaged: messages \[2,".*",1\] is not what was written/)
  })

  it('abandoned, the file is as before and the database is empty; it may begin anew', async () => {
    const before = rowsOfFile(file)
    await begun()
    await expect(openPostgresStore(to)).rejects.toThrow(/still being filled/)
    await abandonMigration({ dataFolder, to })
    await isUntouched()
    expect((await query(to, `SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = 'parley'`))[0]!.n).toBe(0)
    await move()
    expect(await rowsOfDatabase(to)).toEqual(before)
  })

  const tampering: Record<string, [string, RegExp]> = {
    'one that is missing': [
      `DELETE FROM parley.participants
       WHERE (app, conversation, user_id) = (SELECT app, conversation, user_id FROM parley.participants LIMIT 1)`,
      /participants \[[\s\S]*\] is missing in PostgreSQL/,
    ],
    'one too many': [
      `INSERT INTO parley.used_nonces VALUES ('zzz', 1)`,
      /used_nonces \["zzz"\] is in PostgreSQL alone/,
    ],
    'one that differs in one letter': [
      `UPDATE parley.identities SET metadata = replace(metadata::text, '}', ' }')::json WHERE app = 7 AND user_id LIKE 'user 3 %'`,
      /identities \[7,"user 3 [\s\S]*"\] is another one/,
    ],
    'a message that is not found by its id': [
      'DELETE FROM parley.message_ids WHERE id = (SELECT id FROM parley.messages LIMIT 1)',
      /messages \[[\s\S]*\] is another one/,
    ],
  }
  it.each(Object.entries(tampering))(
    'of all rows, %s is found, and nothing is switched',
    async (_name, [text, found]) => {
      await begun('comparing')
      await query(to, text)
      await expect(move()).rejects.toThrow(found)
      const store = openSqliteStore(file)
      expect(await store.apps.byKey(ONE)).toBeDefined()
      await store.close()
    },
  )
})
