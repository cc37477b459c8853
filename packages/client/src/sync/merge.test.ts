import type {
  ChangeFrame,
  ConversationId,
  ConversationRow,
  IdentityId,
  MembershipRow,
  MessageId,
  MessageRow,
  ParticipantRow,
  PositionSet,
  Row,
  RowsFrame,
  StreamId,
} from '@parley/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../replica/memory/index.ts'
import type { Replica, StoredStream } from '../replica/replica.ts'
import { type Merge, mergeChange, mergeHeads, mergePage, mergePull } from './merge.ts'
import { readStoredHeads, readStoredRows } from './stored-rows.ts'
import { isBehind } from './streams.ts'

let replica: Replica
beforeEach(async () => {
  replica = await createMemoryStorage().open('app')
})

describe('a change', () => {
  it('CON-5 a receiver at the sequence before applies it and is at the sequence after', async () => {
    await begin()
    expect(await change(5, 6, [message(6, 3)])).toBe('apply')
    expect(await stored()).toMatchObject({ sequence: 6, head: 6 })
    expect(await positions()).toEqual([1, 2, 3])
  })

  it('CON-5 a receiver that has it already ignores it', async () => {
    await begin()
    expect(await change(4, 5, [message(5, 2, 'twice')])).toBe('ignore')
    expect(await change(2, 3, [message(3, 1, 'older')])).toBe('ignore')
    expect(await bodies()).toEqual(['message 1', 'message 2'])
  })

  it('CON-5 a receiver that is behind notes the head and nothing else', async () => {
    await begin()
    expect(await change(7, 8, [message(8, 4)])).toBe('gap')
    expect(await stored()).toMatchObject({ sequence: 5, head: 8 })
    expect(isBehind((await stored())!)).toBe(true)
    expect(await positions()).toEqual([1, 2])
    expect(await cursor()).toBe('8')
  })

  it('CON-11 a row of a kind that only a newer server knows is passed over, and the others are taken', async () => {
    await begin()
    const reaction = { type: 'reaction', sequence: 7, heart: true } as never
    expect(await change(5, 7, [message(6, 3), reaction])).toBe('apply')
    expect(await positions()).toEqual([1, 2, 3])
    expect(await stored()).toMatchObject({ sequence: 7, head: 7 })
  })

  it('CON-5 a head that was heard of is never lowered', async () => {
    await begin()
    await change(7, 8, [])
    await change(6, 7, [])
    expect(await stored()).toMatchObject({ sequence: 5, head: 8 })
  })

  it('CON-5 a receiver that pulled past its beginning takes the rest', async () => {
    await begin()
    expect(await change(4, 7, [message(5, 2), message(6, 3), message(7, 4)])).toBe('apply')
    expect(await positions()).toEqual([1, 2, 3, 4])
    expect(await stored()).toMatchObject({ sequence: 7 })
  })

  it('CON-5 without a copy of the stream it is a head that was heard of', async () => {
    expect(await change(4, 5, [message(5, 2)])).toBe('gap')
    expect(await stored()).toEqual({ stream: c1, sequence: 0, head: 5, oldest: null, complete: false })
    expect(await positions()).toEqual([])
  })

  it('CON-5 the first change of a stream is the whole of it', async () => {
    expect(await change(0, 4, [conversation(1), participant(2, alice), participant(3, bob), message(4, 1)])).toBe(
      'apply',
    )
    expect(await stored()).toEqual({ stream: c1, sequence: 4, head: 4, oldest: 1, complete: true })
    expect(await replica.count('participants', { prefix: [c1] })).toBe(2)
  })

  it('CON-6 its cursor is committed with its rows', async () => {
    await begin()
    await change(5, 6, [message(6, 3)])
    expect(await cursor()).toBe('6')
  })

  it('CON-3 while heads are on their way its cursor is held back', async () => {
    await begin()
    const before = await cursor()
    await change(5, 6, [message(6, 3)], { storesCursor: false })
    await change(8, 9, [message(9, 4)], { storesCursor: false })
    expect(await cursor()).toBe(before)
  })

  it('STR-6 everything of it is one list of writes, the stream included', async () => {
    const frame = changeFrame(c1, 0, 2, [conversation(1), participant(2, alice)])
    const merge = mergeChange(await readStoredRows(replica, c1, frame.rows), frame, { storesCursor: true })
    expect(merge.outcome).toBe('apply')
    const tables = merge.outcome === 'apply' ? merge.writes.map((write) => write.table) : []
    expect(tables).toEqual(['conversations', 'participants', 'meta', 'streams'])
  })
})

describe('rows', () => {
  beforeEach(() => begin())

  it('STR-5 a row applied twice changes nothing', async () => {
    const before = await everything()
    await pull(5, [message(5, 2), participant(3, bob)], { after: 0 })
    await page(null, [conversation(1), participant(2, alice), message(5, 2), message(4, 1)], { sequence: 5 })
    expect(await everything()).toEqual(before)
  })

  it.each<[string, Row, Row, () => Promise<unknown>]>([
    ['conversation', conversation(9, { metadata: { name: 'new' } }), conversation(1), () => row('conversations', c1)],
    ['participant', participant(9, bob, [1, 2]), participant(3, bob), () => row('participants', c1, bob)],
    ['message', message(9, 1, 'edited'), message(4, 1), () => row('messages', c1, 1)],
  ])('STR-5 an older %s row after a newer one changes nothing', async (_type, newer, older, read) => {
    await pull(9, [newer], { after: 5 })
    const before = await read()
    await page(null, [older], { sequence: 5 })
    expect(await read()).toEqual(before)
    expect(before).toMatchObject({ sequence: 9 })
  })

  it('STR-5 a deletion that comes before the page with the message is kept', async () => {
    await change(5, 20, [message(20, 30)])
    await forgetOlderThan(30)
    await change(20, 21, [deletedMessage(21, 2)])
    await page(30, [message(5, 2), message(4, 1)], { sequence: 20, more: false })
    expect(await bodies()).toEqual(['message 1', null, 'message 30'])
  })

  it('a deleted message leaves a row without parts, and its id still leads to its position', async () => {
    await change(5, 6, [deletedMessage(6, 2)])
    expect(await row('messages', c1, 2)).toMatchObject({ parts: [], deleted_at: at, sequence: 6 })
    expect(await row('positions', 'm2')).toEqual({ id: 'm2', conversation: c1, position: 2 })
  })

  it('every message id leads to its position', async () => {
    await change(5, 6, [message(6, 3)])
    expect(await replica.scan('positions')).toEqual(
      [1, 2, 3].map((position) => ({ id: `m${position}`, conversation: c1, position })),
    )
  })

  it('rows of one conversation leave others alone', async () => {
    await change(0, 4, [conversation(1, { id: c2 }), participant(2, alice), message(3, 1, 'other')], { stream: c2 })
    await change(4, 5, [conversation(5, { id: c2, deleted_at: at })], { stream: c2 })
    expect(await positions()).toEqual([1, 2])
    expect(await replica.count('participants', { prefix: [c1] })).toBe(2)
    expect(await replica.scan('messages', { prefix: [c2] })).toEqual([])
  })
})

describe('a pull', () => {
  it('CON-7 each frame moves the stream on to its sequence', async () => {
    await begin()
    await change(40, 41, [])
    expect(await pull(20, [message(20, 3)], { after: 5, more: true })).toBe('apply')
    expect(await stored()).toMatchObject({ sequence: 20, head: 41 })
    expect(await pull(41, [message(41, 4)], { after: 20 })).toBe('apply')
    expect(await stored()).toMatchObject({ sequence: 41, head: 41 })
  })

  it('an answer that goes on from beyond the copy is a gap', async () => {
    await begin()
    expect(await pull(20, [message(20, 9)], { after: 10 })).toBe('gap')
    expect(await stored()).toMatchObject({ sequence: 5, head: 20 })
    expect(await positions()).toEqual([1, 2])
  })

  it('an answer that brings nothing new is ignored', async () => {
    await begin()
    expect(await pull(5, [], { after: 5 })).toBe('ignore')
    expect(await pull(4, [message(4, 1)], { after: 3 })).toBe('ignore')
  })

  it('a stream that is pulled from its beginning is complete at its end', async () => {
    await pull(2, [conversation(1), participant(2, alice)], { after: 0, more: true })
    expect(await stored()).toMatchObject({ oldest: null, complete: false })
    await pull(3, [message(3, 1)], { after: 2 })
    expect(await stored()).toMatchObject({ sequence: 3, oldest: 1, complete: true })
  })

  it('a stream that began with a page is not made complete by a pull', async () => {
    await begin({ oldest: 2, complete: false })
    await pull(9, [message(9, 3)], { after: 5 })
    expect(await stored()).toMatchObject({ sequence: 9, oldest: 2, complete: false })
  })

  it('CON-9 an empty answer at sequence 0 ends a stream of which there is nothing', async () => {
    await change(4, 5, [])
    expect(await pull(0, [], { after: 0 })).toBe('apply')
    expect(await stored()).toBeUndefined()
  })

  it('CON-9 an empty answer at sequence 0 leaves a copy as it is and asks for no more', async () => {
    await begin()
    await inbox(1, [membership(1, 'removed', { last_position: 2 })])
    await change(8, 9, [])
    expect(await pull(0, [], { after: 5 })).toBe('apply')
    expect(await stored()).toMatchObject({ sequence: 5, head: 5 })
    expect(await positions()).toEqual([1, 2])
  })

  it('CON-9 an empty answer from before one joined leaves the stream behind', async () => {
    await inbox(1, [membership(1, 'joined')])
    expect(await page(null, [], { sequence: 0 })).toBe('ignore')
    expect(isBehind((await stored())!)).toBe(true)
  })
})

describe('a page', () => {
  const newest = [conversation(1), participant(2, alice), message(30, 20), message(29, 19)]

  it('CON-8 the first one is a copy that a pull may go on from', async () => {
    expect(await page(null, newest, { sequence: 33, more: true })).toBe('apply')
    expect(await stored()).toEqual({ stream: c1, sequence: 33, head: 33, oldest: 19, complete: false, began: 33 })
  })

  it('CON-8 the first one is complete if there is no older message', async () => {
    await page(null, newest, { sequence: 33, more: false })
    expect(await stored()).toMatchObject({ oldest: 1, complete: true })
  })

  it('an empty conversation is complete', async () => {
    await page(null, [conversation(1), participant(2, alice)], { sequence: 2, more: false })
    expect(await stored()).toEqual({ stream: c1, sequence: 2, head: 2, oldest: 1, complete: true, began: 2 })
  })

  it('CON-8 older ones extend the history and do not move the sequence', async () => {
    await page(null, newest, { sequence: 33, more: true })
    await page(19, [message(28, 18), message(27, 17)], { sequence: 40, more: true })
    expect(await stored()).toMatchObject({ sequence: 33, head: 40, oldest: 17, complete: false })
    await page(17, [message(26, 16)], { sequence: 40, more: false })
    expect(await stored()).toMatchObject({ sequence: 33, oldest: 1, complete: true })
    expect(await positions()).toEqual([16, 17, 18, 19, 20])
  })

  it('one that does not join what is there does not extend the history', async () => {
    await page(null, newest, { sequence: 33, more: true })
    await page(10, [message(12, 9)], { sequence: 33, more: false })
    expect(await stored()).toMatchObject({ oldest: 19, complete: false })
  })

  it('one that overlaps what is there never makes the history shorter', async () => {
    await page(null, newest, { sequence: 33, more: true })
    await page(null, [message(30, 20)], { sequence: 34, more: true })
    expect(await stored()).toMatchObject({ sequence: 33, head: 34, oldest: 19 })
    await page(17, [], { sequence: 34, more: false })
    await page(19, [message(28, 18)], { sequence: 34, more: false })
    await page(19, [message(28, 18)], { sequence: 34, more: true })
    expect(await stored()).toMatchObject({ oldest: 1, complete: true })
  })

  it('an older one for a copy that is gone is ignored', async () => {
    expect(await page(19, [message(28, 18)], { sequence: 40, more: true })).toBe('ignore')
    expect(await everything()).toEqual({})
  })

  it('SYNC-2 one that is older than the copy is ignored: what was deleted between the two would be back for good', async () => {
    await page(null, newest, { sequence: 33, more: true })
    const gone = message(28, 18)
    expect(await page(null, [...newest.slice(0, 3), gone], { sequence: 32, more: false })).toBe('ignore')
    expect(await page(19, [gone], { sequence: 32, more: false })).toBe('ignore')
    expect(await stored()).toMatchObject({ sequence: 33, oldest: 19, complete: false })
    expect(await positions()).toEqual([19, 20])
  })

  it('SYNC-2 one that is older than changes that came since is as good as any', async () => {
    await page(null, newest, { sequence: 33, more: true })
    await change(33, 35, [message(34, 18), message(35, 21)])
    expect(await page(19, [message(28, 18), message(27, 17)], { sequence: 33, more: false })).toBe('apply')
    expect(await stored()).toMatchObject({ sequence: 35, oldest: 1, complete: true })
    expect((await replica.scan('messages')).map(({ position, sequence }) => [position, sequence])).toEqual([
      ...[
        [17, 27],
        [18, 34],
        [19, 29],
        [20, 30],
        [21, 35],
      ],
    ])
  })
})

describe('deletion for all', () => {
  beforeEach(() => begin())
  const tombstone = conversation(6, { deleted_at: at, metadata: {} })

  it('CNV-3 removes every row of the conversation but its tombstone', async () => {
    await change(5, 6, [tombstone])
    expect(await everything()).toEqual({
      meta: [{ name: 'cursor', value: '6' }],
      streams: [{ stream: c1, sequence: 6, head: 6, oldest: 1, complete: true }],
      conversations: [tombstone],
    })
  })

  it('CNV-3 rows that come late do not bring it back', async () => {
    await change(5, 6, [tombstone])
    const before = await everything()
    await page(null, [conversation(1), participant(2, alice), message(5, 2)], { sequence: 5 })
    await page(2, [message(4, 1)], { sequence: 5 })
    expect(await everything()).toEqual(before)
  })

  it('CNV-3 in a page it is the same', async () => {
    await page(null, [tombstone], { sequence: 6, more: false })
    expect(await replica.scan('conversations')).toEqual([tombstone])
    expect(await positions()).toEqual([])
    expect(await replica.scan('positions')).toEqual([])
  })
})

describe('a membership', () => {
  beforeEach(() => begin())

  it('CNV-5 left: nothing of the conversation stays', async () => {
    await inbox(1, [membership(1, 'left', { hidden: [1, 2] })])
    expect(Object.keys(await everything())).toEqual(['meta', 'streams', 'memberships'])
    expect(await stored()).toBeUndefined()
  })

  it('CNV-5 left: what is still on its way is not stored', async () => {
    await inbox(1, [membership(1, 'left')])
    const before = await everything()
    expect(await change(5, 6, [participant(6, alice)])).toBe('ignore')
    expect(await change(0, 3, [conversation(1), participant(2, alice)])).toBe('ignore')
    expect(await page(null, [conversation(1), message(4, 1)], { sequence: 5 })).toBe('ignore')
    expect(await pull(6, [message(6, 3)], { after: 5 })).toBe('ignore')
    await heads([[c1, 9]])
    expect(await everything()).toEqual(before)
  })

  it('joined again after leaving, the conversation is fetched anew', async () => {
    await inbox(1, [membership(1, 'left', { hidden: [1, 2] })])
    await inbox(2, [membership(2, 'joined', { hidden: [1, 2] })])
    expect(await stored()).toEqual({ stream: c1, sequence: 0, head: 1, oldest: null, complete: false })
    await page(null, [conversation(1), participant(9, alice), message(8, 3), message(5, 2)], {
      sequence: 9,
      more: false,
    })
    expect(await positions()).toEqual([3])
    expect(await stored()).toMatchObject({ sequence: 9, complete: true })
  })

  it('joined again and hidden before we heard of it, it is fetched: its head was passed over while it was left', async () => {
    await inbox(1, [membership(1, 'left', { hidden: [1, 2] })])
    await heads([[c1, 9]])
    await inbox(2, [membership(2, 'hidden', { hidden: [1, 2] })])
    expect(await stored()).toEqual({ stream: c1, sequence: 0, head: 1, oldest: null, complete: false })
  })

  it('CNV-4 hidden: its messages go, and it is still followed', async () => {
    await inbox(1, [membership(1, 'hidden', { hidden: [1, 2] })])
    expect(await positions()).toEqual([])
    expect(await replica.scan('positions')).toEqual([])
    expect(await row('conversations', c1)).toBeDefined()
    expect(await change(5, 6, [message(6, 3)])).toBe('apply')
    expect(await positions()).toEqual([3])
  })

  it('hidden messages are not stored again', async () => {
    await inbox(1, [membership(1, 'joined', { hidden: [2, 2] })])
    expect(await positions()).toEqual([1])
    await page(null, [message(5, 2), message(4, 1)], { sequence: 5 })
    await pull(9, [deletedMessage(9, 2)], { after: 5 })
    expect(await positions()).toEqual([1])
  })

  it('CNV-6 removed: what was there stays', async () => {
    await inbox(1, [membership(1, 'removed', { last_position: 2 })])
    expect(await positions()).toEqual([1, 2])
    expect(await row('conversations', c1)).toBeDefined()
  })

  it('CNV-6 removed while away: what may still be read and is not here is fetched by pages', async () => {
    await inbox(1, [membership(1, 'removed', { last_position: 4 })])
    expect(await stored()).toEqual({ stream: c1, sequence: 0, head: 1, oldest: null, complete: false })
    expect(await positions()).toEqual([1, 2])
    // Asked for before the removal was known here.
    expect(await pull(0, [], { after: 5 })).toBe('ignore')
    expect(await page(null, [message(8, 4), message(7, 3)], { sequence: 9, more: true })).toBe('apply')
    expect(await page(3, [message(5, 2), message(4, 1)], { sequence: 9 })).toBe('apply')
    expect(await positions()).toEqual([1, 2, 3, 4])
    expect(await stored()).toMatchObject({ sequence: 9, head: 9, complete: true })
  })

  it('CNV-6 removed while away: what was deleted from my devices is not missed', async () => {
    await inbox(1, [membership(1, 'removed', { last_position: 4, hidden: [3, 4] })])
    expect(await stored()).toMatchObject({ sequence: 5 })
  })

  it('CNV-6 removed and joined again, the conversation is caught up from where it was', async () => {
    await inbox(1, [membership(1, 'removed', { last_position: 2 })])
    await inbox(2, [membership(2, 'joined')])
    expect(await stored()).toMatchObject({ sequence: 5 })
    expect(await change(9, 10, [participant(10, alice)])).toBe('gap')
    await pull(10, [message(8, 3), participant(10, alice)], { after: 5 })
    expect(await positions()).toEqual([1, 2, 3])
  })

  it('a new one makes its conversation known as behind', async () => {
    await inbox(1, [membership(1, 'joined', { conversation: c2 })])
    expect(await row('streams', c2)).toEqual({ stream: c2, sequence: 0, head: 1, oldest: null, complete: false })
  })

  it('a hidden conversation of which there is no copy is not fetched', async () => {
    await inbox(1, [membership(1, 'hidden', { conversation: c2 })])
    expect(await row('streams', c2)).toBeUndefined()
  })

  it('STR-5 an older one after a newer one changes nothing', async () => {
    await replica.commit([{ type: 'put', table: 'memberships', row: membership(7, 'joined') }], {
      durability: 'relaxed',
    })
    await inbox(3, [membership(3, 'left')])
    expect(await positions()).toEqual([1, 2])
    expect(await row('memberships', c1)).toMatchObject({ sequence: 7, state: 'joined' })
  })

  it('CON-5 the inbox has gaps like any stream', async () => {
    const outcome = await change(3, 4, [membership(4, 'left')], { stream: 'inbox' })
    expect(outcome).toBe('gap')
    expect(await row('streams', 'inbox')).toMatchObject({ sequence: 0, head: 4 })
    expect(await positions()).toEqual([1, 2])
  })
})

describe('heads', () => {
  it('CON-3 a stream that is not yet read is remembered as behind, with the cursor', async () => {
    await begin()
    await heads(
      [
        [c1, 9],
        [c2, 4],
        ['inbox', 2],
      ],
      '77',
    )
    expect(await stored()).toMatchObject({ sequence: 5, head: 9, complete: true })
    expect(await row('streams', c2)).toEqual({ stream: c2, sequence: 0, head: 4, oldest: null, complete: false })
    expect(await row('streams', 'inbox')).toMatchObject({ sequence: 0, head: 2 })
    expect(await cursor()).toBe('77')
  })

  it('CON-3 only the last frame brings a cursor', async () => {
    await heads([[c1, 9]], null)
    expect(await cursor()).toBeUndefined()
  })

  it('a head that is known already is no write', async () => {
    await begin()
    const frame = { type: 'heads', streams: [{ stream: c1, sequence: 5 }], cursor: null } as const
    expect(mergeHeads(await readStoredHeads(replica, frame), frame)).toEqual([])
  })
})

// What the tests speak in.

const at = '2026-11-22T10:00:00.000Z'
const c1 = 'layer:///conversations/c1' as ConversationId
const c2 = 'layer:///conversations/c2' as ConversationId
const alice = 'layer:///identities/alice' as IdentityId
const bob = 'layer:///identities/bob' as IdentityId

/** A whole copy of c1: alice and bob, two messages, at sequence 5. */
async function begin(stream: Partial<StoredStream> = {}): Promise<void> {
  const rows = [conversation(1), participant(2, alice), participant(3, bob), message(4, 1), message(5, 2)]
  await change(0, 5, rows)
  const row = { ...(await stored())!, ...stream }
  await replica.commit([{ type: 'put', table: 'streams', row }], { durability: 'relaxed' })
}

async function forgetOlderThan(position: number): Promise<void> {
  const row = { ...(await stored())!, oldest: position, complete: false }
  const keys = (await replica.scan('messages', { prefix: [c1], to: position - 1 })).map((old) => old.position)
  await replica.commit(
    [
      { type: 'put', table: 'streams', row },
      ...keys.map((key) => ({ type: 'delete', table: 'messages', key: [c1, key] }) as const),
    ],
    { durability: 'relaxed' },
  )
}

async function change(
  after: number,
  sequence: number,
  rows: readonly Row[],
  { stream = c1, storesCursor = true }: { stream?: StreamId; storesCursor?: boolean } = {},
): Promise<Merge['outcome']> {
  const frame = changeFrame(stream, after, sequence, rows)
  return commit(mergeChange(await readStoredRows(replica, stream, rows), frame, { storesCursor }))
}

const inbox = (sequence: number, rows: readonly MembershipRow[]) =>
  change(sequence - 1, sequence, rows, { stream: 'inbox' })

async function pull(
  sequence: number,
  rows: readonly Row[],
  { after, more = false }: { after: number; more?: boolean },
) {
  return commit(mergePull(await readStoredRows(replica, c1, rows), rowsFrame(sequence, rows, more), after))
}

async function page(
  before: number | null,
  rows: readonly Row[],
  { sequence, more = false }: { sequence: number; more?: boolean },
) {
  return commit(mergePage(await readStoredRows(replica, c1, rows), rowsFrame(sequence, rows, more), before))
}

async function heads(streams: readonly (readonly [StreamId, number])[], cursor: string | null = null): Promise<void> {
  const frame = { type: 'heads', streams: streams.map(([stream, sequence]) => ({ stream, sequence })), cursor } as const
  await replica.commit(mergeHeads(await readStoredHeads(replica, frame), frame), { durability: 'relaxed' })
}

async function commit(merge: Merge): Promise<Merge['outcome']> {
  if (merge.outcome !== 'ignore') await replica.commit(merge.writes, { durability: 'relaxed' })
  return merge.outcome
}

function changeFrame(stream: StreamId, after: number, sequence: number, rows: readonly Row[]): ChangeFrame {
  return { type: 'change', stream, after, sequence, cursor: String(sequence), rows }
}

function rowsFrame(sequence: number, rows: readonly Row[], more: boolean): RowsFrame {
  return { type: 'rows', id: 1, stream: c1, rows, after: 0, sequence, more, last: true }
}

const row = (table: Parameters<Replica['get']>[0], ...key: (string | number)[]) => replica.get(table, key)
const stored = () => replica.get('streams', [c1])
const cursor = async () => (await replica.get('meta', ['cursor']))?.value
const positions = async () => (await replica.scan('messages', { prefix: [c1] })).map((found) => found.position)
const bodies = async () =>
  (await replica.scan('messages', { prefix: [c1] })).map((found) => found.parts[0]?.body ?? null)

async function everything(): Promise<Record<string, unknown>> {
  const tables = ['meta', 'streams', 'conversations', 'participants', 'memberships', 'messages', 'positions'] as const
  const found = await Promise.all(tables.map(async (table) => [table, await replica.scan(table)] as const))
  return Object.fromEntries(found.filter(([, rows]) => rows.length > 0))
}

function conversation(sequence: number, other: Partial<ConversationRow> = {}): ConversationRow {
  return {
    type: 'conversation',
    sequence,
    id: c1,
    created_at: at,
    distinct: true,
    metadata: {},
    deleted_at: null,
    ...other,
  }
}

function participant(sequence: number, id: IdentityId, read: PositionSet = []): ParticipantRow {
  return {
    type: 'participant',
    sequence,
    identity: { id, user_id: id.slice(-3), display_name: null, avatar_url: null },
    state: 'active',
    joined_at: at,
    absent: [],
    delivered: read,
    read,
  }
}

function message(sequence: number, position: number, body = `message ${position}`): MessageRow {
  return {
    type: 'message',
    sequence,
    id: `m${position}` as MessageId,
    position,
    sender: bob,
    sent_at: at,
    parts: [{ mime_type: 'text/plain', body }],
    deleted_at: null,
  }
}

const deletedMessage = (sequence: number, position: number): MessageRow => ({
  ...message(sequence, position),
  parts: [],
  deleted_at: at,
})

function membership(
  sequence: number,
  state: MembershipRow['state'],
  other: Partial<MembershipRow> = {},
): MembershipRow {
  return { type: 'membership', sequence, conversation: c1, state, hidden: [], last_position: null, ...other }
}
