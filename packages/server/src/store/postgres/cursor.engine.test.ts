/**
 * The cursor under late committers, with real sessions. Three transactions take their numbers, write and end in every
 * possible order, each by a commit or a rollback, while a listener reads after every step. Nothing committed may ever be
 * skipped by whoever keeps the cursor of an answer.
 */
import { type PostgresServer, postgresVersions, startPostgres } from '@parley/testkit'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alice, chat, commit, ONE, uuid } from '../contract/records.contract.ts'
import type { Store } from '../store.ts'
import { openPostgresStore } from './postgres-store.ts'

const THREE = [1, 2, 3] as const
type Step = { readonly who: number; readonly does: 'take a number' | 'write' | 'end' }
const STEPS = ['take a number', 'write', 'end'] as const

/** Every order in which three transactions can go through their three steps: 1,680. */
function interleavings(done: readonly number[] = [0, 0, 0]): Step[][] {
  if (done.every((count) => count === STEPS.length)) return [[]]
  return THREE.flatMap((who, index) => {
    const count = done[index]!
    if (count === STEPS.length) return []
    const next = done.map((value, at) => value + Number(at === index))
    return interleavings(next).map((rest) => [{ who, does: STEPS[count]! }, ...rest])
  })
}

/** Which of the three name the same order but for who is who; the first is enough. */
const isFirstOfItsKind = (steps: readonly Step[]): boolean => {
  const order = [...new Set(steps.map(({ who }) => who))]
  return order.every((who, index) => who === index + 1)
}

describe.each(postgresVersions)('the cursor on PostgreSQL %i', (version) => {
  let server: PostgresServer
  let store: Store
  const sessions: pg.Client[] = []
  /** The sequence that each of the three conversations has reached by what was committed. */
  const heads = new Map<number, number>()

  beforeAll(async () => {
    server = await startPostgres({ version, settings: { fsync: 'off', autovacuum: 'off' } })
    const url = await server.createDatabase('test')
    store = await openPostgresStore(url)
    for (const _ of THREE) {
      const session = new pg.Client(url)
      await session.connect()
      sessions.push(session)
    }
    for (const who of THREE) {
      await chat(store, uuid(who), 1, { inbox: who })
      heads.set(who, 4)
    }
  })
  afterAll(async () => {
    for (const session of sessions) await session.end()
    await store?.close()
    await server?.close()
  })

  it('20 a late committer is never skipped, in any interleaving of three transactions', async () => {
    const all = interleavings().filter(isFirstOfItsKind)
    expect(all).toHaveLength(280)
    let late = 0
    for (const [index, steps] of all.entries()) {
      late += await play(steps, new Set())
      // Which of them roll back goes round, so that each order is seen with another set.
      const some = (index % 7) + 1
      late += await play(steps, new Set(THREE.filter((who) => (some >> (who - 1)) & 1)))
    }
    // The fault bit: somebody committed a lower number after a higher one had been read.
    expect(late).toBeGreaterThan(100)
  })

  /** Plays one order. Answers how many commits became visible below a number that the listener had seen. */
  async function play(steps: readonly Step[], rolledBack: ReadonlySet<number>): Promise<number> {
    // Keeps the cursor of each answer, as a device does that hears of nothing else.
    let { cursor } = await store.streams.moved(ONE, alice, await store.log.lastCursor())
    const heard = new Map<number, number>()
    const numbers = new Map<number, number>()
    const committed = new Set<number>()
    let late = 0
    let highestSeen = 0
    for (const { who, does } of steps) {
      const session = sessions[who - 1]!
      if (does === 'take a number') {
        await session.query('BEGIN')
        const { rows } = await session.query('SELECT pg_current_xact_id()::text::bigint AS number')
        numbers.set(who, Number(rows[0].number))
      } else if (does === 'write') {
        await session.query(
          `WITH writer AS (
             INSERT INTO parley.writers SELECT gen_random_uuid(), 1, false, pg_current_xact_id()::text::bigint, 0, 0)
           UPDATE parley.conversations SET moved = pg_current_xact_id()::text::bigint, head_sequence = head_sequence + 1
           WHERE app = $1 AND id = $2`,
          [ONE, uuid(who)],
        )
      } else if (rolledBack.has(who)) {
        await session.query('ROLLBACK')
      } else {
        await session.query('COMMIT')
        heads.set(who, heads.get(who)! + 1)
        committed.add(who)
        if (numbers.get(who)! < highestSeen) late++
      }
      const answer = await store.streams.moved(ONE, alice, cursor)
      expect(answer.cursor).toBeGreaterThanOrEqual(cursor)
      cursor = answer.cursor
      for (const { id, sequence } of answer.conversations) {
        const of = THREE.find((one) => uuid(one) === id)!
        heard.set(of, sequence)
        highestSeen = Math.max(highestSeen, numbers.get(of) ?? 0)
      }
      for (const one of committed) {
        const where = `${JSON.stringify(steps)} at ${who} ${does}`
        expect(heard.get(one), where).toBe(heads.get(one))
      }
    }
    // All is over: a last look moves the cursor to the end, and after it there is nothing more.
    const last = await store.streams.moved(ONE, alice, cursor)
    expect((await store.streams.moved(ONE, alice, last.cursor)).conversations).toEqual([])
    expect(last.cursor).toBe(await store.log.lastCursor())
    return late
  }

  it('20 the cursor that a commit calls settled leaves out nothing that was under way', async () => {
    const [session] = sessions
    await session!.query('BEGIN')
    await session!.query(
      `UPDATE parley.conversations SET moved = pg_current_xact_id()::text::bigint WHERE app = $1 AND id = $2`,
      [ONE, uuid(1)],
    )
    const { settled, cursor } = await store.log.commit({
      ...{ conversations: [], participants: [], messages: [], purged: [], people: [], sessions: [], operations: [] },
      nonces: [{ hash: `late ${version}`, forgetAt: 0 }],
      cursor: 0,
      at: 0,
    })
    expect(settled).toBeLessThan(cursor)
    await session!.query('COMMIT')
    expect((await store.streams.moved(ONE, alice, settled)).conversations).toMatchObject([{ id: uuid(1) }])
    expect((await store.streams.moved(ONE, alice, cursor)).conversations).toEqual([])
  })

  it('20 a number that was taken and rolled back is not given to listeners: a crash may give it out again', async () => {
    const before = await commit(store, {})
    const [session] = sessions
    await session!.query('BEGIN')
    await session!.query('SELECT pg_current_xact_id()')
    await session!.query('ROLLBACK')
    expect(await store.log.lastCursor()).toBe(before)
    expect((await store.streams.moved(ONE, alice, 0)).cursor).toBe(before)
  })
})
