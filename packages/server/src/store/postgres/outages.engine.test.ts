/** What callers are told while the database is away, and what becomes of commits that were under way. */
import { type PostgresServer, startPostgres, startTcpProxy, type TcpProxy } from '@parley/testkit'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { query } from '../../../test/fresh-databases.ts'
import { LaneWorld, newId } from '../../../test/lane-world.ts'
import { alice, ben, chat, commit, conversation, message, ONE, person, uuid } from '../contract/records.contract.ts'
import { CommitUnknown, NOTHING, type Store, StoreOutage, type Writes } from '../store.ts'
import { COMMIT, COMMIT_PARAMETERS } from './commit-function.ts'
import { migrations } from './migrations.ts'
import { openPostgresStore } from './postgres-store.ts'

/** The most that anybody waits for a database that does not answer. */
const GIVE_UP_MS = 3_000

const NONE: Writes = {
  ...{ conversations: [], participants: [], messages: [], purged: [], people: [], sessions: [], nonces: [] },
  operations: [],
  cursor: 0,
  at: 0,
}

let server: PostgresServer
let made = 0
let direct: string
let proxy: TcpProxy
let store: Store

beforeAll(async () => {
  server = await startPostgres({ version: 18, settings: { fsync: 'off' } })
})
afterAll(() => server?.close())

/** Each store is reached through a proxy that may misbehave. */
beforeEach(async () => {
  direct = await server.createDatabase(`test_${++made}`)
  proxy = await startTcpProxy({ target: { port: server.port } })
  store = await openPostgresStore(direct.replace(`:${server.port}/`, `:${proxy.port}/`))
})
afterEach(async () => {
  await proxy?.calm()
  await store?.close()
  await proxy?.close()
})

async function timed<T>(work: Promise<T>): Promise<{ readonly ms: number; readonly error: unknown }> {
  const startedAt = performance.now()
  const error = await work.then(
    () => undefined,
    (reason) => reason,
  )
  return { ms: performance.now() - startedAt, error }
}

describe('a database that does not answer', () => {
  it('17 frozen: every question is given up in time with an outage, and answered again afterwards', async () => {
    await chat(store, uuid(1), 3)
    const questions = {
      lastCursor: () => store.log.lastCursor(),
      load: () => store.log.load({ ...NOTHING, people: [{ app: ONE, key: alice }] }),
      moved: () => store.streams.moved(ONE, alice, 0),
      conversation: () => store.streams.conversation(ONE, uuid(1), alice, 0, 9),
      list: () => store.lists.conversations(ONE, alice, { sortBy: 'created_at', from: null, limit: 9 }),
      session: () => store.apps.session('h'),
      commit: () => store.log.commit({ ...NONE, people: [person(ben, 9)] }),
    }
    server.pause()
    try {
      const answers = await Promise.all(Object.values(questions).map((ask) => timed(ask() as Promise<unknown>)))
      for (const { ms, error } of answers) {
        expect(error).toBeInstanceOf(StoreOutage)
        expect(ms).toBeLessThan(GIVE_UP_MS)
      }
    } finally {
      server.resume()
    }
    for (const ask of Object.values(questions)) await ask()
  })

  it('a crowd is not taken on: beyond a bound the answer is an outage at once', async () => {
    proxy.stall()
    const crowd = Array.from({ length: 1_200 }, () => timed(store.apps.session('h')))
    const quick = (await Promise.all(crowd)).filter(({ ms }) => ms < 1_000)
    expect(quick.length).toBeGreaterThanOrEqual(150)
    for (const { error } of quick) expect(error).toBeInstanceOf(StoreOutage)
  })

  it('connections cut under way: what only reads is asked again, nobody notices', async () => {
    await chat(store, uuid(1), 3)
    for (let n = 0; n < 5; n++) {
      const asked = Array.from({ length: 8 }, () => store.streams.moved(ONE, alice, 0))
      proxy.cut()
      for (const { conversations } of await Promise.all(asked)) expect(conversations).toHaveLength(1)
    }
  })
})

describe('a commit under way when the database goes away', () => {
  const send = () =>
    store.log.commit({
      ...NONE,
      conversations: [conversation(uuid(1), { headSequence: 5, headPosition: 2 })],
      messages: [message(uuid(1), 2)],
    })
  const isThere = async () => (await query(direct, 'SELECT 1 FROM parley.messages WHERE position = 2')).length === 1

  it('17 its answer is lost: it is called unknown in time, and its fate is where it stands', async () => {
    await chat(store, uuid(1), 1)
    proxy.stall('down')
    const { ms, error } = await timed(send())
    expect(error).toBeInstanceOf(CommitUnknown)
    expect(ms).toBeLessThan(GIVE_UP_MS)
    await expect((error as CommitUnknown).fate()).rejects.toBeInstanceOf(StoreOutage)
    await proxy.calm()
    const fate = await (error as CommitUnknown).fate()
    expect(await isThere()).toBe(true)
    expect(await (error as CommitUnknown).fate()).toEqual(fate)
    expect((await store.streams.moved(ONE, alice, fate!.cursor - 1)).conversations).toHaveLength(1)
    expect((await store.streams.moved(ONE, alice, fate!.cursor)).conversations).toHaveLength(0)
  })

  it('17 where its messages came to lie is part of its fate', async () => {
    await chat(store, uuid(1), 1)
    const { conversations } = await store.log.load({ ...NOTHING, conversations: [{ app: ONE, key: uuid(1) }] })
    const { revision = 0, terms = 0 } = conversations[0]!
    const basis = {
      conversations: [{ app: ONE, key: uuid(1), revision, terms, change: 'messages' as const }],
      people: [],
    }
    const sends = (id: number): Writes => ({
      ...NONE,
      basis,
      conversations: [conversation(uuid(1), { headSequence: 5, headPosition: 2 })],
      messages: [message(uuid(1), 2, { id: uuid(id) })],
    })
    await store.log.commit(sends(81))
    proxy.stall('down')
    const { error } = await timed(store.log.commit(sends(82)))
    await proxy.calm()
    const fate = await (error as CommitUnknown).fate()
    expect(fate).toMatchObject({ shifted: [{ key: uuid(1), sequences: 1, positions: 1, revision: revision + 2 }] })
    expect(await store.lists.message(ONE, uuid(82))).toMatchObject({ position: 3 })
    // The next one by the same name is shifted no more.
    await commit(store, { messages: [message(uuid(1), 4)] })
    expect(await (error as CommitUnknown).fate()).toEqual(fate)
  })

  it('17 it never arrives, or too late: once its fate is known it never happens', async () => {
    await chat(store, uuid(1), 1)
    proxy.stall('up')
    const { error } = await timed(send())
    expect(error).toBeInstanceOf(CommitUnknown)
    // Whether it arrives before the question or after it, both tell the same.
    await proxy.calm()
    const fate = await (error as CommitUnknown).fate()
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await isThere()).toBe(fate !== undefined)
  })

  it('17 a commit that was given up for lost is fenced off, however late it comes', async () => {
    const writer = '00000000-0000-4000-8000-00000000000a'
    await query(direct, 'INSERT INTO parley.writers VALUES ($1, 0, false, 0, 0, 0)', [writer])
    const settle = () => query(direct, 'SELECT moved FROM parley.settle($1, $2)', [writer, 1])
    const nothing = Array.from({ length: COMMIT_PARAMETERS - 4 }, () => null)
    const commitAs = (batch: number) => query(direct, COMMIT, [migrations.length, writer, batch, 0, ...nothing])
    expect(await settle()).toEqual([{ moved: null }])
    await expect(commitAs(1)).rejects.toMatchObject({ code: 'PA003' })
    expect(await settle()).toEqual([{ moved: null }])
    await commitAs(2)
    await expect(commitAs(2)).rejects.toMatchObject({ code: 'PA003' })
  })

  it('17 cut short, it is made known at once: callers hear of success, or of nothing at all', async () => {
    await chat(store, uuid(1), 0)
    let cuts = 0
    for (let position = 1; position <= 40; position++) {
      const sent = store.log.commit({
        ...NONE,
        conversations: [conversation(uuid(1), { headSequence: 3 + position, headPosition: position })],
        messages: [message(uuid(1), position)],
      })
      await new Promise((resolve) => setTimeout(resolve, position % 8))
      cuts += proxy.cut()
      await sent
    }
    expect(cuts).toBeGreaterThan(5)
    const page = await store.streams.messages(ONE, uuid(1), alice, null, 99)
    expect(page!.messages.map(({ position }) => position)).toEqual(Array.from({ length: 40 }, (_, n) => 40 - n))
  })

  it('OPR-2 the lane tells of it as soon as its fate is known, before anything newer', async () => {
    const world = new LaneWorld({ store })
    const people = await world.people('alice', 'ben')
    const id = await people.alice.starts(['ben'])
    await people.alice.sends(id)
    const told = world.committed.length
    proxy.stall('down')
    const lost = newId()
    const input = { id: lost, conversation: id, parts: [{ mime_type: 'text/plain', body: 'lost?' }] }
    expect(await people.alice.ask('send-message', input)).toMatchObject({ refusal: { id: 'service_unavailable' } })
    expect(world.committed.length).toBe(told)
    await proxy.calm()
    await people.ben.sends(id)
    const positions = world.committed
      .slice(told)
      .flatMap(({ moves }) =>
        moves.flatMap(({ rows }) =>
          rows.flatMap((row) => ('type' in row && row.type === 'message' ? [row.record] : [])),
        ),
      )
    expect(positions.map(({ position }) => position)).toEqual([2, 3])
    expect(positions[0]!.id).toBe(lost)
    const cursors = world.committed.map(({ cursor }) => cursor)
    expect(cursors).toEqual([...cursors].sort((a, b) => a - b))
    expect(await people.alice.ask('send-message', input)).toMatchObject({ hasChanged: false, result: { position: 2 } })
  })
})

describe('commits that meet', () => {
  it('21 the loser of a deadlock tries again by itself', async () => {
    await chat(store, uuid(1), 1)
    const other = new pg.Client(direct)
    await other.connect()
    await other.query('BEGIN')
    await other.query(`SELECT 1 FROM parley.identities WHERE user_id = 'alice' FOR UPDATE`)
    const mine = store.log.commit({
      ...NONE,
      conversations: [conversation(uuid(1), { headSequence: 5, headPosition: 2 })],
      messages: [message(uuid(1), 2)],
      people: [person(alice, 2)],
    })
    await new Promise((resolve) => setTimeout(resolve, 300))
    // The wrong way round, as no commit of ours does it.
    await other.query('SELECT 1 FROM parley.conversations FOR UPDATE')
    await other.query('COMMIT')
    await mine
    await other.end()
    expect(server.lines.filter((line) => line.includes('deadlock detected'))).not.toEqual([])
    expect((await store.lists.message(ONE, message(uuid(1), 2).id))?.position).toBe(2)
  })

  it('21 many at once on the same few conversations and people: none is lost, and none waits in a circle', async () => {
    const ids = [uuid(1), uuid(2), uuid(3)]
    for (const [index, id] of ids.entries()) await chat(store, id, 0, { inbox: index + 1 })
    const work = Array.from({ length: 60 }, (_, n) => {
      // Each in an order of its own; the store has its own.
      const mine = n % 2 === 0 ? ids : [...ids].reverse()
      return store.log.commit({
        ...NONE,
        conversations: mine.map((id) => conversation(id, { headSequence: 10 + n, headPosition: 0 })),
        people: (n % 3 === 0 ? [alice, ben] : [ben, alice]).map((userId) => person(userId, 10 + n)),
      })
    })
    await Promise.all(work)
    const [row] = await query(direct, 'SELECT sum(revision) AS changes FROM parley.conversations')
    expect(Number(row!.changes)).toBe(3 + 180)
  })

  it('24 a process of an older schema commits nothing any more, and says what to do', async () => {
    await commit(store, { people: [person(ben)] })
    await query(direct, 'UPDATE parley.schema SET version = version + 1')
    try {
      await expect(commit(store, { people: [person(alice)] })).rejects.toMatchObject({
        name: 'StoreOutage',
        message: expect.stringContaining('newer Parley'),
      })
      await expect(openPostgresStore(direct)).rejects.toMatchObject({
        code: 'store_unusable',
        message: expect.stringContaining('newer Parley'),
      })
      expect(await query(direct, 'SELECT user_id FROM parley.identities')).toEqual([{ user_id: 'ben' }])
    } finally {
      await query(direct, 'UPDATE parley.schema SET version = version - 1')
    }
  })
})
