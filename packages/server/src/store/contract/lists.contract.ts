/** What is asked for in pages, by whoever may see it. */
import type { UserId, Uuid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { newProfile } from '../../model/profile.ts'
import type { Store } from '../store.ts'
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

export function listsContract(store: () => Store): void {
  describe('lists', () => {
    it('RCT-5 counts unread, visible and last messages from one viewer’s side', async () => {
      await chat(store(), uuid(1), 6)
      await commit(store(), {
        conversations: [conversation(uuid(1), { headSequence: 12, headPosition: 7 })],
        messages: [
          message(uuid(1), 7, { sender: ben, sequence: 10 }),
          message(uuid(1), 6, { sequence: 11, firstSequence: 9, parts: [], deletedAt: T, isNew: false }),
        ],
        participants: [participant(uuid(1), ben, { order: 2, sequence: 12, read: [1, 2], hidden: [1, 1, 4, 4] })],
      })
      expect(await store().lists.conversation(ONE, uuid(1), ben)).toMatchObject({
        unreadCount: 2,
        totalCount: 4,
        lastMessage: { position: 7 },
        headPosition: 7,
        own: { userId: ben },
      })
      expect(await store().lists.conversation(ONE, uuid(1), alice)).toMatchObject({ unreadCount: 1, totalCount: 6 })
    })

    it('CNV-4 the last message is the newest that is neither deleted nor hidden, however far down', async () => {
      await chat(store(), uuid(1), 150)
      await commit(store(), {
        participants: [participant(uuid(1), ben, { order: 2, sequence: 154, hidden: [3, 150] })],
      })
      expect(await store().lists.conversation(ONE, uuid(1), ben)).toMatchObject({ lastMessage: { position: 2 } })
      await commit(store(), {
        participants: [participant(uuid(1), ben, { order: 2, sequence: 154, hidden: [1, 150] })],
      })
      expect(await store().lists.conversation(ONE, uuid(1), ben)).toMatchObject({ lastMessage: null, totalCount: 0 })
    })

    it('CNV-6 counts for somebody removed only up to their last position', async () => {
      await chat(store(), uuid(1), 5)
      const gone = { state: 'removed', order: 2, sequence: 9, lastPosition: 3, read: [1, 1] } as const
      await commit(store(), { participants: [participant(uuid(1), ben, gone)] })
      expect(await store().lists.conversation(ONE, uuid(1), ben)).toMatchObject({
        unreadCount: 2,
        totalCount: 3,
        lastMessage: { position: 3 },
      })
    })

    it('lists conversations newest first by either time, page by page', async () => {
      for (let n = 1; n <= 4; n++) {
        await commit(store(), {
          people: [person(alice, n)],
          conversations: [conversation(uuid(n), { lastMessageAt: T - n }, { createdAt: T + (n === 3 ? 1 : n) })],
          participants: [participant(uuid(n), alice, { inboxSequence: n })],
        })
      }
      const pages = async (sortBy: 'created_at' | 'last_message') => {
        const ids: Uuid[] = []
        for (;;) {
          const page = await store().lists.conversations(ONE, alice, {
            sortBy,
            from: ids[ids.length - 1] ?? null,
            limit: 3,
          })
          expect(page.total).toBe(4)
          ids.push(...page.items.map(({ record }) => record.id))
          if (page.items.length < 3) return ids
        }
      }
      expect(await pages('last_message')).toEqual([uuid(1), uuid(2), uuid(3), uuid(4)])
      expect(await pages('created_at')).toEqual([uuid(4), uuid(2), uuid(3), uuid(1)])
    })

    it.each([
      ['joined', 1],
      ['removed', 1],
      ['hidden', 0],
      ['left', 0],
    ] as const)('CNV-4 CNV-5 CNV-6 a conversation one has %s is listed %i times', async (state, count) => {
      await chat(store(), uuid(1), 1)
      await commit(store(), { participants: [participant(uuid(1), ben, { state, order: 2 })] })
      const page = { sortBy: 'created_at', from: null, limit: 9 } as const
      expect(await store().lists.conversations(ONE, ben, page)).toMatchObject({ total: count })
      expect((await store().lists.conversation(ONE, uuid(1), ben)) !== undefined).toBe(state !== 'left')
      expect((await store().lists.messages(ONE, uuid(1), ben, page)) !== undefined).toBe(state !== 'left')
    })

    it('CNV-3 a deleted conversation is in no list', async () => {
      await chat(store(), uuid(1), 1)
      await commit(store(), { conversations: [conversation(uuid(1), { headPosition: 1 }, { deletedAt: T })] })
      const page = { sortBy: 'created_at', from: null, limit: 9 } as const
      expect(await store().lists.conversations(ONE, ben, page)).toEqual({ total: 0, items: [] })
      expect(await store().lists.conversation(ONE, uuid(1), ben)).toBeUndefined()
      expect(await store().lists.messages(ONE, uuid(1), ben, page)).toBeUndefined()
      expect(await store().streams.audience(ONE, uuid(1))).toEqual([])
    })

    it('lists the messages a viewer can see, newest first, with their total', async () => {
      await chat(store(), uuid(1), 6)
      await commit(store(), {
        messages: [message(uuid(1), 5, { sequence: 10, firstSequence: 8, parts: [], deletedAt: T, isNew: false })],
        participants: [participant(uuid(1), ben, { order: 2, sequence: 3, hidden: [2, 2] })],
      })
      const first = await store().lists.messages(ONE, uuid(1), ben, { from: null, limit: 2 })
      expect(first!.total).toBe(4)
      expect(positions(first!.items)).toEqual([6, 4])
      const second = await store().lists.messages(ONE, uuid(1), ben, { from: first!.items[1]!.id, limit: 9 })
      expect(positions(second!.items)).toEqual([3, 1])
      expect(await store().lists.messages(ONE, uuid(1), cleo, { from: null, limit: 2 })).toBeUndefined()
    })

    it('finds a message, a profile, and who ever shared a conversation', async () => {
      await chat(store(), uuid(1), 1)
      await commit(store(), {
        people: [person(cleo, 1, ONE, { createdAt: T + 9 }), person('dana' as UserId)],
        conversations: [conversation(uuid(2))],
        participants: [
          participant(uuid(2), alice, { inboxSequence: 2 }),
          participant(uuid(2), cleo, { state: 'left', order: 2 }),
        ],
      })
      expect(await store().lists.message(ONE, message(uuid(1), 1).id)).toMatchObject({ position: 1 })
      expect(await store().lists.message(ONE, uuid(77))).toBeUndefined()
      expect(await store().lists.profile(ONE, alice)).toEqual(newProfile(alice, T))
      expect(await store().lists.profile(ONE, 'nobody' as UserId)).toBeUndefined()
      const all = await store().lists.acquaintances(ONE, alice, { from: null, limit: 9 })
      expect([all.total, all.items.map(({ userId }) => userId)]).toEqual([2, [cleo, ben]])
      const rest = await store().lists.acquaintances(ONE, alice, { from: cleo, limit: 9 })
      expect(rest.items.map(({ userId }) => userId)).toEqual([ben])
      expect(await store().lists.areAcquainted(ONE, alice, cleo)).toBe(true)
      expect(await store().lists.areAcquainted(ONE, ben, cleo)).toBe(false)
    })

    it('finds what changed since a time: what was sent, what was deleted, and where one stood', async () => {
      await chat(store(), uuid(1), 5)
      await commit(store(), {
        messages: [
          message(uuid(1), 1, { sequence: 9, firstSequence: 4, deletedAt: T + 50, changedAt: T + 50, isNew: false }),
        ],
        participants: [participant(uuid(1), ben, { order: 2, hidden: [5, 5] })],
      })
      expect(await store().lists.movedSince(ONE, ben, T)).toMatchObject([
        { id: uuid(1), deletedAt: null, own: { userId: ben } },
      ])
      const since = (sinceMs: number, above: number, limit: number, viewer = ben) =>
        store().lists.messagesSince(ONE, uuid(1), viewer, sinceMs, { above, limit })
      expect(positions(await since(T + 4, 0, 99))).toEqual([1, 4])
      expect(positions(await since(T + 4, 1, 99))).toEqual([4])
      expect(positions(await since(T, 0, 3))).toEqual([1, 2, 3])
      expect(positions(await since(T, 3, 3))).toEqual([4])
      expect(await since(T + 60, 0, 99)).toEqual([])
      expect(await since(0, 0, 99, cleo)).toEqual([])
      expect(await store().lists.movedSince(ONE, ben, T + 2_000)).toEqual([])
      expect(await store().lists.movedSince(ONE, cleo, 0)).toEqual([])
    })

    it('CNV-3 a conversation deleted for all is among those that moved, with nothing in it', async () => {
      await chat(store(), uuid(1), 2)
      await commit(store(), {
        purged: [{ app: ONE, key: uuid(1) }],
        conversations: [conversation(uuid(1), { sequence: 6, headPosition: 2 }, { deletedAt: T + 9 })],
      })
      expect(await store().lists.movedSince(ONE, ben, 0)).toMatchObject([{ id: uuid(1), deletedAt: T + 9 }])
      expect(await store().lists.messagesSince(ONE, uuid(1), ben, 0, { above: 0, limit: 9 })).toEqual([])
    })
  })
}
