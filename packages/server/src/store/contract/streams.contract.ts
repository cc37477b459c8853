/** What is in a stream after a sequence, and the pages of a conversation. */
import { identityId, type UserId, type Uuid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import type { ConversationPage, Store, StreamRow, WrittenPage } from '../store.ts'
import {
  alice,
  ben,
  chat,
  cleo,
  commit,
  conversation,
  message,
  ONE,
  participant,
  person,
  positions,
  T,
  uuid,
} from './records.contract.ts'

export function streamsContract(store: () => Store): void {
  describe('a conversation’s stream', () => {
    it('STR-2 gives new and changed rows merged in order of sequence', async () => {
      await chat(store(), uuid(1), 4)
      await commit(store(), {
        messages: [message(uuid(1), 2, { sequence: 8, firstSequence: 5, deletedAt: T, isNew: false })],
        participants: [participant(uuid(1), ben, { order: 2, sequence: 9, read: [1, 4] })],
        conversations: [conversation(uuid(1), { sequence: 1, headSequence: 11, headPosition: 5 })],
      })
      await commit(store(), {
        messages: [
          message(uuid(1), 5, { sequence: 10 }),
          message(uuid(1), 1, { sequence: 11, firstSequence: 4, deletedAt: T, isNew: false }),
        ],
      })
      const all = await store().streams.conversation(ONE, uuid(1), ben, 0, 50)
      expect(all).toMatchObject({ sequence: 11, more: false })
      expect(sequences(all!.rows)).toEqual([1, 2, 6, 7, 8, 9, 10, 11])
      expect(sequences((await store().streams.conversation(ONE, uuid(1), ben, 7, 50))!.rows)).toEqual([8, 9, 10, 11])
      expect(await store().streams.conversation(ONE, uuid(1), ben, 11, 50)).toEqual({
        rows: [],
        sequence: 11,
        more: false,
      })
    })

    it('CON-7 read page by page from anywhere, gives every row above that once and in order', async () => {
      const chance = sequenceOf(7)
      const rowAt = new Map<number, string>()
      const known: { position: number; first: number }[] = []
      await chat(store(), uuid(1), 0)
      rowAt.set(1, 'c').set(2, 'alice').set(3, 'ben')
      const latest = new Map([...rowAt].map(([sequence, row]) => [row, sequence]))
      for (let sequence = 4; sequence <= 120; sequence++) {
        const isNew = known.length === 0 || chance() < 0.5
        const heads = { sequence: 1, headSequence: sequence, headPosition: known.length + Number(isNew) }
        const target = isNew
          ? { position: known.length + 1, first: sequence }
          : known[Math.floor(chance() * known.length)]!
        if (isNew) known.push(target)
        latest.set(`m${target.position}`, sequence)
        await commit(store(), {
          conversations: [conversation(uuid(1), heads)],
          messages: [message(uuid(1), target.position, { sequence, firstSequence: target.first, isNew })],
        })
      }
      // At the end only changes, none of them of what is new.
      for (let sequence = 121; sequence <= 125; sequence++) {
        const { position, first } = known[sequence - 121]!
        latest.set(`m${position}`, sequence)
        await commit(store(), {
          conversations: [conversation(uuid(1), { sequence: 1, headSequence: sequence, headPosition: known.length })],
          messages: [message(uuid(1), position, { sequence, firstSequence: first, isNew: false })],
        })
      }
      const expected = [...latest.values()].sort((a, b) => a - b)
      const room = new Uint8Array(new SharedArrayBuffer(5_000))
      for (const limit of [1, 2, 7, 250]) {
        for (const after of [0, 1, 3, 4, 50, 119, 120, 122, 125]) {
          const seen: number[] = []
          let from = after
          for (;;) {
            const page = (await store().streams.conversation(ONE, uuid(1), ben, from, limit))!
            expect(page.rows.length).toBeLessThanOrEqual(limit)
            const written = (
              await store().streams.writtenConversations(ONE, ben, [{ id: uuid(1), after: from }], limit, room)
            )[0]!
            expect([written.sequence, written.more, readOut(written)]).toEqual([page.sequence, page.more, asRead(page)])
            seen.push(...sequences(page.rows))
            if (page.more) expect(page.sequence).toBe(page.rows[page.rows.length - 1]!.record.sequence)
            expect(page.sequence).toBeGreaterThanOrEqual(from + (page.more ? 1 : 0))
            from = page.sequence
            if (!page.more) break
          }
          expect(from).toBe(125)
          expect(seen).toEqual(expected.filter((sequence) => sequence > after))
        }
      }
    })

    it('STR-3 whatever a user id is made of, messages of theirs are written out as they are', async () => {
      await chat(store(), uuid(1), 1)
      const senders = ['two\nlines', '\n[1]\n', '\n', '😀 "quoted" \\ é', "!~'()"] as UserId[]
      const messages = senders.map((sender, nth) => message(uuid(1), nth + 2, { sender }))
      const heads = { sequence: 1, headSequence: 9, headPosition: 6 }
      await commit(store(), { conversations: [conversation(uuid(1), heads)], messages })
      const page = (await store().streams.conversation(ONE, uuid(1), alice, 0, 20))!
      expect(page.rows.flatMap((row) => (row.type === 'message' ? [row.record.sender] : []))).toEqual([
        alice,
        ...senders,
      ])
      const [written] = await store().streams.writtenConversations(ONE, alice, [{ id: uuid(1), after: 0 }], 20)
      const sent = readOut(written!).flatMap((row) =>
        'sender' in (row as object) ? [(row as { sender: string }).sender] : [],
      )
      expect(sent).toEqual([alice, ...senders].map(identityId))
    })

    it('STR-3 several conversations in one look are what each is by itself, in the order asked for', async () => {
      const sizes = [3, 200, 0, 200, 200, 5]
      for (const [index, size] of sizes.entries()) await chat(store(), uuid(index + 1), size, { inbox: index + 1 })
      await commit(store(), {
        conversations: [conversation(uuid(2), { sequence: 1, headSequence: 204, headPosition: 200 })],
        messages: [message(uuid(2), 7, { sequence: 204, firstSequence: 10, isNew: false, deletedAt: T, parts: [] })],
      })
      const places = [1, 2, 9, 3, 4, 5, 6].map((n) => ({ id: uuid(n), after: n === 4 ? 100 : 0 }))
      let asked = places
      const seen: unknown[] = []
      let looks = 0
      while (asked.length > 0) {
        const pages = await store().streams.writtenConversations(ONE, ben, asked, 250)
        expect(pages.length).toBeGreaterThan(0)
        looks++
        for (const page of pages) seen.push(page && [page.sequence, page.more, readOut(page)])
        asked = asked.slice(pages.length)
      }
      const alone = await Promise.all(
        places.map(({ id, after }) => store().streams.conversation(ONE, id, ben, after, 250)),
      )
      expect(seen).toEqual(alone.map((page) => page && [page.sequence, page.more, asRead(page)]))
      expect(looks).toBeLessThan(places.length)
    })

    it.each(['left', 'removed'] as const)('CON-9 is closed to somebody who has %s, as to a stranger', async (state) => {
      await chat(store(), uuid(1), 1)
      await commit(store(), { participants: [participant(uuid(1), ben, { state, order: 2 })], people: [person(cleo)] })
      for (const [id, viewer] of [
        [uuid(1), ben],
        [uuid(1), cleo],
        [uuid(2), alice],
      ] as const) {
        expect(await store().streams.conversation(ONE, id, viewer, 0, 10)).toBeUndefined()
        expect(await store().streams.writtenConversations(ONE, viewer, [{ id, after: 0 }], 10)).toEqual([undefined])
      }
    })

    it('STR-3 carries each participant with the profile of now', async () => {
      await chat(store(), uuid(1), 0)
      await commit(store(), { people: [person(ben, 1, ONE, { displayName: 'Benjamin' })] })
      const page = await store().streams.conversation(ONE, uuid(1), alice, 2, 10)
      expect(page?.rows).toMatchObject([{ type: 'participant', profile: { userId: ben, displayName: 'Benjamin' } }])
    })
  })

  describe('an inbox', () => {
    it('STR-3 gives one membership per conversation, by inbox sequence, page by page', async () => {
      for (let n = 1; n <= 5; n++) await chat(store(), uuid(n), 0, { inbox: n })
      await commit(store(), {
        participants: [participant(uuid(2), ben, { state: 'left', order: 2, inboxSequence: 6 })],
        people: [person(ben, 6)],
      })
      const seen: Uuid[] = []
      let after = 0
      for (;;) {
        const page = await store().streams.inbox(ONE, ben, after, 2)
        seen.push(...page.rows.map((row) => row.conversation))
        after = page.sequence
        if (!page.more) break
      }
      expect(seen).toEqual([uuid(1), uuid(3), uuid(4), uuid(5), uuid(2)])
      expect(after).toBe(6)
      expect(await store().streams.inbox(ONE, ben, 6, 2)).toEqual({ rows: [], sequence: 6, more: false })
    })

    it('is empty for somebody unknown', async () => {
      expect(await store().streams.inbox(ONE, cleo, 0, 2)).toEqual({ rows: [], sequence: 0, more: false })
    })
  })

  describe('a page of messages', () => {
    it('CON-8 gives the newest first, and goes on below a position', async () => {
      await chat(store(), uuid(1), 5)
      const newest = await store().streams.messages(ONE, uuid(1), ben, null, 2)
      expect(newest).toMatchObject({ sequence: 8, headPosition: 5, more: true })
      expect(positions(newest!.messages)).toEqual([5, 4])
      expect(newest!.participants.map(({ record }) => record.userId)).toEqual([alice, ben])
      const older = await store().streams.messages(ONE, uuid(1), ben, 4, 3)
      expect(positions(older!.messages)).toEqual([3, 2, 1])
      expect(older).toMatchObject({ more: false, participants: [] })
    })

    it('CON-8 includes tombstones, whose positions are theirs for ever', async () => {
      await chat(store(), uuid(1), 3)
      await commit(store(), {
        messages: [message(uuid(1), 2, { sequence: 7, firstSequence: 5, parts: [], deletedAt: T, isNew: false })],
      })
      const page = await store().streams.messages(ONE, uuid(1), ben, null, 9)
      expect(page!.messages.map(({ deletedAt }) => deletedAt)).toEqual([null, T, null])
    })

    it('CNV-6 ends for somebody removed at their last position; CNV-5 is closed to somebody who left', async () => {
      await chat(store(), uuid(1), 5)
      const gone = { state: 'removed', order: 2, sequence: 9, lastPosition: 3 } as const
      await commit(store(), { participants: [participant(uuid(1), ben, gone)] })
      expect(positions((await store().streams.messages(ONE, uuid(1), ben, null, 9))!.messages)).toEqual([3, 2, 1])
      expect(positions((await store().streams.messages(ONE, uuid(1), ben, 5, 9))!.messages)).toEqual([3, 2, 1])
      await commit(store(), { participants: [participant(uuid(1), ben, { ...gone, state: 'left' })] })
      expect(await store().streams.messages(ONE, uuid(1), ben, null, 9)).toBeUndefined()
      expect(await store().streams.messages(ONE, uuid(1), cleo, null, 9)).toBeUndefined()
      expect(await store().streams.messages(ONE, uuid(2), alice, null, 9)).toBeUndefined()
    })

    it('CNV-6 shows somebody removed nothing that changed since', async () => {
      await chat(store(), uuid(1), 3)
      await commit(store(), {
        participants: [participant(uuid(1), ben, { state: 'removed', order: 2, sequence: 7, lastPosition: 3 })],
        conversations: [conversation(uuid(1), { headSequence: 7, headPosition: 3 }, { metadata: { title: 'Before' } })],
      })
      const then = await store().streams.messages(ONE, uuid(1), ben, null, 9)
      expect(then).toMatchObject({ sequence: 7, headPosition: 3, conversation: { metadata: { title: 'Before' } } })
      expect(then!.participants.map(({ record }) => record.userId)).toEqual([alice, ben])
      await commit(store(), {
        people: [person(cleo, 1)],
        conversations: [
          conversation(uuid(1), { sequence: 8, headSequence: 11, headPosition: 4 }, { metadata: { title: 'Secret' } }),
        ],
        participants: [
          participant(uuid(1), alice, { sequence: 9, read: [1, 3] }),
          participant(uuid(1), cleo, { order: 3, sequence: 10 }),
        ],
        messages: [message(uuid(1), 4, { sequence: 11 })],
      })
      const now = await store().streams.messages(ONE, uuid(1), ben, null, 9)
      expect(now).toMatchObject({ sequence: 7, headPosition: 3, conversation: { metadata: {}, sequence: 7 } })
      expect(now!.participants.map(({ record }) => record.userId)).toEqual([ben])
    })
  })
}

const sequences = (rows: readonly StreamRow[]) => rows.map((row) => row.record.sequence)

/** Numbers from 0 to below 1, the same ones for the same seed. */
function sequenceOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

/** A page that was written out, read again. */
const readOut = ({ rows }: WrittenPage) =>
  rows.flatMap((row) => (row.type === 'messages' ? (JSON.parse(`[${Buffer.from(row.bytes)}]`) as unknown[]) : [row]))

/** What reading it again has to bring. */
const asRead = ({ rows }: ConversationPage) =>
  rows.map((row) => {
    if (row.type !== 'message') return row
    const { sequence, id, position, sender, sentAt, parts, deletedAt } = row.record
    return {
      ...{ type: 'message', sequence, id: `layer:///messages/${id}`, position, parts },
      sender: `layer:///identities/${encodeURIComponent(sender)}`,
      sent_at: new Date(sentAt).toISOString(),
      deleted_at: deletedAt === null ? null : new Date(deletedAt).toISOString(),
    }
  })
