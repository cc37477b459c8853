import type { UserId, Uuid } from '@parley/protocol'
import type { Statement } from '@parley/sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { changeFrames } from '../src/edge/native/encode.ts'
import { type Database, openDatabase } from '../src/store/sqlite/database.ts'
import { sqliteStoreOver } from '../src/store/sqlite/sqlite-store.ts'
import { APP, LaneWorld, Somebody } from './lane-world.ts'

/** What was asked of the database: statements run, values bound to them in characters, rows they answered with. */
interface Cost {
  statements: number
  bound: number
  answered: number
}

/** A store whose statements are counted. */
function countedStore() {
  const cost: Cost = { statements: 0, bound: 0, answered: 0 }
  const open = openDatabase(':memory:')
  const counted = (statement: Statement): Statement =>
    new Proxy(statement, {
      get(target, name) {
        const method = (target as unknown as Record<PropertyKey, unknown>)[name]
        if (typeof method !== 'function') return method
        return (...values: unknown[]) => {
          const answer = method.apply(target, values)
          if (name === 'pluck') return counted(answer)
          cost.statements++
          cost.bound += JSON.stringify(values).length
          if (name === 'all') cost.answered += (answer as unknown[]).length
          if (name === 'get' && answer !== undefined) cost.answered++
          return answer
        }
      },
    })
  const db: Database = { ...open, sql: (text) => counted(open.sql(text)) }
  const store = sqliteStoreOver(db)
  return { store, cost, db: open }
}

interface Setting {
  readonly messages: number
  readonly participants: number
  readonly conversations: number
}

const BODY = 'x'.repeat(200)
const USUAL: Setting = { messages: 10, participants: 2, conversations: 10 }
let isOpen: Database | undefined
afterEach(() => isOpen?.close())

/** A conversation as large as that, in a store with so many others, and somebody in it. */
async function chatOf({ messages, participants, conversations }: Setting) {
  const { store, cost, db } = countedStore()
  isOpen = db
  const before = new LaneWorld({ store, maxParticipants: 1_000 })
  const { alice: founder } = (await before.people('alice')) as { alice: Somebody }
  const others = Array.from({ length: participants - 1 }, (_, index) => `person ${index}`)
  const id = await founder.starts(others)
  fill(db, id, messages, conversations)
  const world = new LaneWorld({ store, maxParticipants: 1_000 })
  return { world, alice: new Somebody(world, 'alice'), id, cost, db }
}

/** Messages in the conversation, and other conversations of the same two people. */
function fill(db: Database, id: Uuid, messages: number, conversations: number): void {
  const upTo = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)'
  db.sql(
    `${upTo} INSERT INTO messages
     SELECT 1, ?, i, 'message ' || i, 'alice', 1, '[]', NULL, i + 9, i + 9, 1, NULL FROM n`,
  ).run(messages, id)
  db.sql('UPDATE conversations SET head_position = ?, head_sequence = ?, sum = NULL').run(messages, messages + 9)
  db.sql(
    `${upTo} INSERT INTO conversations
     SELECT 1, 'other ' || i, 1, 'alice', NULL, '{}', NULL, 1, 1, 3, 0, 1, 1, 1, NULL FROM n`,
  ).run(conversations)
  for (const person of ['alice', 'person 0']) {
    db.sql(
      `${upTo} INSERT INTO participants
       SELECT 1, 'other ' || i, ?, 'joined', 1, 1, '[]', '[]', '[]', '[]', NULL, 2, i + 1, 1, NULL FROM n`,
    ).run(conversations, person)
  }
}

/** What one more message costs, and what is told of it to everybody. */
async function costOf(ask: Ask, setting: Setting) {
  const { world, alice, id, cost } = await chatOf(setting)
  await ask(alice, id, 1)
  world.committed.length = 0
  Object.assign(cost, { statements: 0, bound: 0, answered: 0 })
  await ask(alice, id, 2)
  const moves = world.committed.flatMap((committed) =>
    committed.moves.map((move) => ({ committed, move, cursor: committed.settled })),
  )
  const frames = moves.flatMap(changeFrames)
  return {
    ...cost,
    told: frames.length,
    rows: frames.flatMap(({ rows }) => rows).length,
    bytes: JSON.stringify(frames).length,
  }
}

type Ask = (alice: Somebody, id: Uuid, time: number) => Promise<unknown>

const operations: Record<string, Ask> = {
  'send-message': (alice, id) => alice.sends(id, BODY),
  'mark-messages': (alice, id, time) => alice.reads(id, time),
}

describe.each(Object.entries(operations))('what %s costs', (_name, ask) => {
  it.each([
    ['messages', { ...USUAL, messages: 100_000 }],
    ['participants', { ...USUAL, participants: 1_000 }],
    ['conversations', { ...USUAL, conversations: 10_000 }],
  ])('does not grow with the number of %s', async (_what, large) => {
    const small = await costOf(ask, USUAL)
    const grown = await costOf(ask, large)
    // Numbers have more digits, nothing else is more.
    expect(grown).toEqual({ ...small, bound: grown.bound, bytes: grown.bytes })
    expect(grown.bound - small.bound).toBeLessThan(60)
    expect(grown.bytes - small.bytes).toBeLessThan(60)
    expect(small.statements).toBeLessThanOrEqual(5)
    expect(small.told).toBe(1)
    expect(small.rows).toBe(1)
  })
})

it('a thousand messages of one batch are a thousand rows, one row of their conversation and one of the log', async () => {
  const { alice, id, cost } = await chatOf(USUAL)
  await alice.sends(id, BODY)
  Object.assign(cost, { statements: 0, bound: 0, answered: 0 })
  await Promise.all(Array.from({ length: 1_000 }, () => alice.sends(id, BODY)))
  expect(cost.statements).toBe(1_002)
})

it('a message is told to those who take part, whoever else there is', async () => {
  const { world, alice, id } = await chatOf({ ...USUAL, conversations: 20 })
  world.committed.length = 0
  await alice.sends(id)
  expect(world.committed.flatMap(({ moves }) => moves)).toMatchObject([{ audience: ['alice', 'person 0'] as UserId[] }])
  expect(await world.store.streams.audience(APP, id)).toHaveLength(2)
})
