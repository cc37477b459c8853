/** Conversations that wait for one writer, so that whoever was late once is not late for ever. */
import { type PostgresServer, startPostgres } from '@parley/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { query } from '../../../test/fresh-databases.ts'
import { LaneWorld, Somebody } from '../../../test/lane-world.ts'
import { Tally } from '../../observability/tally.ts'
import { alice, ben, chat, commit, conversation, message, ONE, uuid } from '../contract/records.contract.ts'
import { NOTHING, type Store } from '../store.ts'
import { openPostgresStore } from './postgres-store.ts'

let server: PostgresServer
let made = 0
let url: string
let here: Store
let there: Store

beforeAll(async () => {
  server = await startPostgres({ version: 15, settings: { fsync: 'off' } })
})
afterAll(() => server?.close())
beforeEach(async () => {
  url = await server.createDatabase(`test_${++made}`)
  here = await openPostgresStore(url)
  there = await openPostgresStore(url)
  await chat(here, uuid(1), 1)
})
afterEach(async () => {
  await here?.close()
  await there?.close()
})

const item = { app: ONE, key: uuid(1) }
const nextMessage = (position: number) => ({
  conversations: [conversation(uuid(1), { headSequence: 3 + position, headPosition: position })],
  messages: [message(uuid(1), position)],
})

async function written(store: Store, position: number) {
  const { conversations } = await store.log.load({ ...NOTHING, conversations: [item] })
  const basis = { conversations: [{ ...item, revision: conversations[0]!.revision! }], people: [] }
  const none = { participants: [], purged: [], people: [], sessions: [], nonces: [], operations: [] }
  return { ...none, ...nextMessage(position), basis, cursor: 0, at: 1 }
}

async function somebodyWaits(): Promise<void> {
  const waiting = () => query(url, `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`)
  await expect.poll(async () => (await waiting()).length, { timeout: 5_000 }).toBe(1)
}

it('LOG-2 a commit of somebody else waits, and finds that it is late', async () => {
  const late = await written(there, 2)
  let refused: Promise<unknown> | undefined
  await here.log.holding!([item, item], async (held) => {
    expect(held.revisions).toEqual([{ ...item, revision: 1 }])
    refused = there.log.commit(late).then(
      () => 'committed',
      (error: Error) => error.name,
    )
    await somebodyWaits()
    await held.commit(await written(here, 2))
  })
  expect(await refused).toBe('Stale')
  expect((await there.streams.messages(ONE, uuid(1), alice, null, 9))?.messages).toHaveLength(2)
})

it('LOG-2 who gives up, and whose commit is refused, holds nothing any more', async () => {
  const late = await written(here, 2)
  await here.log.holding!([item], async () => undefined)
  await expect(here.log.holding!([item], () => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug')
  await commit(there, nextMessage(2))
  await here.log.holding!([item], async (held) => {
    await expect(held.commit(late)).rejects.toMatchObject({ name: 'Stale', outdated: { conversations: [item] } })
    await commit(there, nextMessage(3))
    await held.commit(await written(here, 4))
  })
  expect((await there.streams.messages(ONE, uuid(1), ben, null, 9))?.messages).toHaveLength(4)
  expect(await query(url, `SELECT 1 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'`)).toEqual([])
})

it.each([
  { how: 'and read', isRead: true },
  { how: 'and only send: nobody is late', isRead: false },
])('LOG-2 two lanes that write to the same conversations all the time $how: nobody is put off', async ({ isRead }) => {
  const tallies = [new Tally(), new Tally()] as const
  const lanes = [
    new LaneWorld({ store: here, tally: tallies[0] }),
    new LaneWorld({ store: there, tally: tallies[1] }),
  ] as const
  const sides = [new Somebody(lanes[0], 'alice'), new Somebody(lanes[1], 'ben')] as const
  const chats = [uuid(1), ...(await Promise.all(Array.from({ length: 9 }, () => sides[0].starts(['ben']))))]
  const talk = async (somebody: Somebody) => {
    for (let n = 0; n < 20; n++) {
      const sent = await Promise.all(chats.map((id) => somebody.sends(id, `${n}`)))
      const there = await Promise.all(sent.map(({ id }) => here.lists.message(ONE, id)))
      expect(there.map((message) => message?.position)).toEqual(sent.map(({ position }) => position))
      if (isRead) await Promise.all(chats.map((id, index) => somebody.reads(id, sent[index]!.position)))
    }
  }
  await Promise.all(sides.map(talk))
  if (!isRead) expect(tallies.map(({ staleBatches }) => staleBatches)).toEqual([0, 0])
  for (const id of chats.slice(1)) {
    const positions = (await lanes[1].messages(id)).map(({ position }) => position)
    expect(positions.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
  }
  expect(lanes.flatMap(({ logged }) => logged)).toEqual([])
})
