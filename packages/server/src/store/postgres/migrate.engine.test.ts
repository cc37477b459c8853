import { type ParleyServer, type PostgresServer, postgresVersions, startParley, startPostgres } from '@parley/testkit'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { query } from '../../../test/fresh-databases.ts'
import { LaneWorld, Somebody } from '../../../test/lane-world.ts'
import { openStore } from '../../open-store.ts'
import { alice, chat, commit, ONE, uuid } from '../contract/records.contract.ts'
import { NOTHING } from '../store.ts'
import { migrate } from './migrate.ts'
import { migrations } from './migrations.ts'
import { openPostgresStore } from './postgres-store.ts'

const LATEST = migrations.length

describe.each(postgresVersions)('migrations on PostgreSQL %i', (version) => {
  let server: PostgresServer
  let made = 0
  const empty = () => server.createDatabase(`empty_${++made}`)
  beforeAll(async () => {
    server = await startPostgres({ version, settings: { fsync: 'off' } })
  })
  afterAll(() => server?.close())

  const schemaOf = async (url: string) =>
    (await query(url, 'SELECT version FROM parley.schema')).map((row) => row.version)
  const tablesOf = (url: string) =>
    query(url, `SELECT tablename FROM pg_tables WHERE schemaname = 'parley' ORDER BY tablename`)

  it('24 an empty database is brought up to date once, however many do it at once', async () => {
    const url = await empty()
    const done = await Promise.all([migrate(url), migrate(url), migrate(url), migrate(url)])
    expect(done.map(({ from }) => from).sort()).toEqual([0, LATEST, LATEST, LATEST])
    expect(await schemaOf(url)).toEqual([LATEST])
    expect(await migrate(url)).toEqual({ from: LATEST, to: LATEST })
  })

  it('24 three servers start at once and one is killed in the middle: the others serve, and nothing is half done', async () => {
    const url = await empty()
    await query(url, 'CREATE SCHEMA parley')
    // Whoever migrates comes to a table of this name, and waits.
    const obstacle = new pg.Client(url)
    await obstacle.connect()
    await obstacle.query('BEGIN')
    await obstacle.query('CREATE TABLE parley.messages (nothing text)')
    const starts = Array.from({ length: 3 }, () => startParley({ dataFolder: url }).catch(() => undefined))
    const inTheMiddle = await until(async () => {
      const waiting = await query(
        url,
        `SELECT application_name AS name, wait_event FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'parley %' AND wait_event_type = 'Lock'`,
      )
      const inStep = waiting.filter((row) => row.wait_event !== 'advisory')
      return waiting.length === 3 && inStep.length === 1 ? Number(String(inStep[0]!.name).split(' ')[1]) : undefined
    })
    process.kill(inTheMiddle, 'SIGKILL')
    await obstacle.query('ROLLBACK')
    await obstacle.end()
    const servers = (await Promise.all(starts)).filter((one): one is ParleyServer => one !== undefined)
    try {
      expect(servers).toHaveLength(2)
      for (const { url: address } of servers) expect((await fetch(`${address}/healthz`)).ok).toBe(true)
      expect(await schemaOf(url)).toEqual([LATEST])
      const whole = await empty()
      await migrate(whole)
      expect(await tablesOf(url)).toEqual(await tablesOf(whole))
    } finally {
      for (const one of servers) await one.close()
    }
  })

  it('a rehearsal says what would be done, and does nothing', async () => {
    const url = await empty()
    expect(await migrate(url, { rehearse: true })).toEqual({ from: 0, to: LATEST })
    expect(await tablesOf(url)).toEqual([])
    await migrate(url)
    expect(await migrate(url, { rehearse: true })).toEqual({ from: LATEST, to: LATEST })
  })

  it('24 a database of an earlier version is brought up to date: what it remembers answers repeats as it did', async () => {
    const earlier = 5
    const url = await ofVersion(earlier)
    const done = { app: ONE, userId: alice, id: uuid(1), name: 'delete-message', at: 1 }
    await query(url, `INSERT INTO parley.operations VALUES ($1, $2, $3, 'delete-message', 1)`, [ONE, alice, done.id])
    expect(await migrate(url, { rehearse: true })).toEqual({ from: earlier, to: LATEST })
    expect(await schemaOf(url)).toEqual([earlier])
    const store = await openPostgresStore(url)
    const found = { ...done, id: uuid(2), answer: { effect: uuid(9), result: {} } }
    await commit(store, { operations: [found] })
    const { operations } = await store.log.load({ ...NOTHING, operations: [done, found] })
    expect(operations.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toStrictEqual([done, found])
    await store.close()
  })

  it('a step that fails leaves everything as it was, with a sentence', async () => {
    const url = await empty()
    await query(url, 'CREATE SCHEMA parley')
    await query(url, 'CREATE TABLE parley.operations (mine text)')
    await expect(migrate(url)).rejects.toMatchObject({
      code: 'store_unusable',
      message: expect.stringMatching(
        /^The database postgres:\/\/.* cannot be used: relation "operations" already exists\.$/,
      ),
    })
    expect(await tablesOf(url)).toEqual([{ tablename: 'operations' }])
  })

  it('24 9 a newer schema is refused with a sentence, and nothing is written', async () => {
    const url = await empty()
    await migrate(url)
    await query(url, 'UPDATE parley.schema SET version = 99')
    await expect(migrate(url)).rejects.toMatchObject({
      code: 'store_unusable',
      message: expect.stringMatching(/^The store was written by a newer Parley \(schema 99, this one knows \d+\)\. /),
    })
    expect(await schemaOf(url)).toEqual([99])
  })

  it('a database restored into another server is another log: a new epoch, and no change is taken for an old one', async () => {
    const url = await empty()
    const store = await openPostgresStore(url)
    await chat(store, uuid(1), 1)
    await store.close()
    // As it looks to a server that has counted less far.
    const future = 4_000_000_000
    await query(url, 'UPDATE parley.writers SET moved = $1', [future])
    await query(url, 'UPDATE parley.conversations SET moved = $1', [future])
    const restored = await openPostgresStore(url)
    expect(restored.epoch).not.toBe(store.epoch)
    const { cursor, conversations } = await restored.streams.moved(ONE, alice, 0)
    expect(cursor).toBeLessThan(future)
    expect(conversations).toEqual([{ id: uuid(1), sequence: 4 }])
    const first = await chat(restored, uuid(2), 1, { inbox: 2 })
    const second = await chat(restored, uuid(3), 1, { inbox: 3 })
    const after = async (one: number) =>
      (await restored.streams.moved(ONE, alice, one)).conversations.map(({ id }) => id)
    expect(await after(first - 1)).toEqual([uuid(2), uuid(3)])
    expect(await after(first)).toEqual([uuid(3)])
    expect(await after(second)).toEqual([])
    await restored.close()
    expect((await openAgain(url)).epoch).toBe(restored.epoch)
  })

  it('messages are sent on the terms of a conversation that was there before it had any', async () => {
    const before = migrations.findIndex((step) => step.includes('ADD COLUMN terms'))
    const url = await ofVersion(before)
    await query(
      url,
      `INSERT INTO parley.conversations VALUES ($1, $2, 1, 'alice', NULL, '{}', NULL, 1, 1, 3, 0, 1, 1, 1, 7)`,
      [ONE, uuid(1)],
    )
    for (const [index, name] of ['alice', 'ben'].entries()) {
      await query(
        url,
        `INSERT INTO parley.participants VALUES ($1, $2, $3, 'joined', $4, 1, '[]', '[]', '[]', '[]', NULL, $5, 1, 1)`,
        [ONE, uuid(1), name, index + 1, index + 2],
      )
    }
    expect(await migrate(url, { rehearse: true })).toEqual({ from: before, to: LATEST })
    const stores = [await openPostgresStore(url), await openPostgresStore(url)]
    const lanes = stores.map((store) => new LaneWorld({ store }))
    await lanes[0]!.people('alice', 'ben')
    const sides = lanes.map((world, index) => new Somebody(world, index === 0 ? 'alice' : 'ben'))
    for (let n = 0; n < 3; n++) for (const side of sides) await side.sends(uuid(1))
    const { conversations } = await stores[0]!.log.load({
      ...NOTHING,
      conversations: [{ app: ONE, key: uuid(1) }],
    })
    expect(conversations).toMatchObject([{ headSequence: 9, headPosition: 6, revision: 13, terms: 0 }])
    for (const store of stores) await store.close()
  })

  it('28 what moved before the list of it was made of arrays is found after', async () => {
    const before = migrations.findIndex((step) => step.includes('moves RENAME'))
    const url = await ofVersion(before)
    for (const [n, sequence] of [7, 9, 11].entries()) {
      await query(
        url,
        `INSERT INTO parley.conversations VALUES ($1, $2, 1, 'alice', NULL, '{}', NULL, 1, 1, $3, 0, 1, 1, 1, 7)`,
        [ONE, uuid(n + 1), sequence],
      )
    }
    await query(
      url,
      `INSERT INTO parley.identities VALUES (1, 'ben', null, null, null, null, null, null, null, '{}', 1, null, 4, 2, 1)`,
    )
    const named = (...numbers: number[]) => JSON.stringify(numbers.map((n) => ({ app: ONE, id: uuid(n) })))
    const moved = [
      [2, named(1, 2), JSON.stringify([{ app: ONE, userId: 'ben' }])],
      [3, null, JSON.stringify([{ app: ONE, userId: 'ben' }])],
      [4, named(2, 3), null],
    ]
    for (const one of moved) await query(url, 'INSERT INTO parley.moves VALUES ($1, 1, $2, $3)', one)
    const store = await openPostgresStore(url)
    const after = async (cursor: number) =>
      (await store.streams.movedAnywhere(cursor, 10)).heads.map(
        (head) => `${head.stream === 'inbox' ? head.userId : head.id.slice(-1)} ${head.sequence}`,
      )
    expect((await after(1)).sort()).toEqual(['1 7', '2 9', '3 11', 'ben 4'])
    expect(await after(2)).toHaveLength(3)
    expect((await after(3)).sort()).toEqual(['2 9', '3 11'])
    await store.close()
  })

  /** A database as an earlier server left it. */
  async function ofVersion(version: number): Promise<string> {
    const url = await empty()
    await query(url, 'CREATE SCHEMA parley')
    await query(url, 'CREATE TABLE parley.schema (version integer NOT NULL)')
    for (const step of migrations.slice(0, version)) await query(url, step)
    await query(url, 'INSERT INTO parley.schema VALUES ($1)', [version])
    return url
  }

  async function openAgain(url: string) {
    const store = await openPostgresStore(url)
    await store.close()
    return store
  }

  it('tables are divided into as many parts as the database says when it is made, into 4 if it says nothing', async () => {
    const partsOf = async (url: string) =>
      (await tablesOf(url)).map((row) => String(row.tablename)).filter((name) => /^messages_\d+$/.test(name)).length
    const [usual, many, none] = [await empty(), await empty(), await empty()]
    const choose = (url: string, number: string) =>
      query(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET parley.partitions = '${number}'`)
    await openAgain(usual)
    expect(await partsOf(usual)).toBe(4)
    await choose(many, '16')
    await openAgain(many)
    expect(await partsOf(many)).toBe(16)
    // Too late for it: what is there stays where it is.
    await choose(usual, '16')
    await openAgain(usual)
    expect(await partsOf(usual)).toBe(4)
    for (const wrong of ['0', '65', '-1', '4.5', 'some']) {
      await choose(none, wrong)
      await expect(openPostgresStore(none)).rejects.toMatchObject({
        code: 'store_unusable',
        message: expect.stringContaining(
          `cannot be used: its setting parley.partitions is ${wrong}, and not a whole number from 1 to 64.`,
        ),
      })
    }
    expect(await tablesOf(none)).toEqual([])
  })

  it('9 what cannot be a store is told in one sentence: no server, no database, another encoding, no address', async () => {
    await query(server.url(), `CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`)
    const wrong = {
      'postgres://postgres:secret@127.0.0.1:1/parley':
        /^The database postgres:\/\/postgres@127\.0\.0\.1:1\/parley cannot be used: .*ECONNREFUSED/,
      [server.url('absent')]: /database "absent" does not exist\.$/,
      [server.url('latin')]: /^Parley needs a database in UTF8, and this one is in LATIN1\./,
      'mysql://127.0.0.1/parley': /^A store's address begins with postgres:\/\//,
    }
    for (const [store, sentence] of Object.entries(wrong)) {
      await expect(openStore({ store })).rejects.toMatchObject({
        code: 'store_unusable',
        message: expect.stringMatching(sentence),
      })
    }
  })
})

async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > deadline) throw new Error('It did not come to that within 30 s.')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
