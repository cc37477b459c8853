import { describe, expect, it } from 'vitest'
import type { MovedHead, MovedPage } from '../../model/moved.ts'
import type { Store } from '../store.ts'
import {
  alice,
  ben,
  chat,
  cleo,
  commit,
  conversation,
  ONE,
  participant,
  person,
  T,
  TWO,
  uuid,
} from './records.contract.ts'

export function movedContract(store: () => Store): void {
  describe('streams that moved', () => {
    it('CON-2 names all of somebody’s streams without a cursor, and after one only those that moved', async () => {
      const first = await chat(store(), uuid(1), 1)
      const second = await chat(store(), uuid(2), 2, { inbox: 2 })
      expect(await store().streams.moved(ONE, ben, 0)).toEqual({
        cursor: second,
        inbox: 2,
        isInboxMoved: true,
        conversations: [
          { id: uuid(2), sequence: 5 },
          { id: uuid(1), sequence: 4 },
        ],
      })
      expect((await store().streams.moved(ONE, ben, first)).conversations).toEqual([{ id: uuid(2), sequence: 5 }])
      expect(await store().streams.moved(ONE, ben, second)).toMatchObject({ isInboxMoved: false, conversations: [] })
    })

    it('STR-3 a private change moves the inbox and not the conversation', async () => {
      const cursor = await chat(store(), uuid(1), 1)
      await commit(store(), {
        participants: [participant(uuid(1), ben, { order: 2, sequence: 3, inboxSequence: 2, hidden: [1, 1] })],
        people: [person(ben, 2)],
      })
      expect(await store().streams.moved(ONE, ben, cursor)).toMatchObject({ inbox: 2, isInboxMoved: true })
      expect((await store().streams.moved(ONE, ben, cursor)).conversations).toEqual([])
      expect(await store().streams.moved(ONE, alice, cursor)).toMatchObject({ inbox: 1, isInboxMoved: false })
    })

    it('STR-3 a changed profile does not move the inbox', async () => {
      const cursor = await chat(store(), uuid(1), 1)
      await commit(store(), { people: [{ ...person(ben, 1, ONE, { displayName: 'B' }), isInboxMoved: false }] })
      expect(await store().streams.moved(ONE, ben, cursor)).toMatchObject({ isInboxMoved: false, inbox: 1 })
    })

    it.each([
      ['joined', true],
      ['hidden', true],
      ['left', false],
      ['removed', false],
    ] as const)('CNV-6 the conversation of somebody who is %s: named %s', async (state, isNamed) => {
      await chat(store(), uuid(1), 1)
      await commit(store(), { participants: [participant(uuid(1), ben, { state, order: 2, sequence: 5 })] })
      const { conversations } = await store().streams.moved(ONE, ben, 0)
      expect(conversations).toHaveLength(isNamed ? 1 : 0)
      expect(await store().streams.audience(ONE, uuid(1))).toEqual(isNamed ? [alice, ben] : [alice])
      expect(await store().lists.conversationsOf(ONE, ben)).toEqual(isNamed ? [uuid(1)] : [])
    })

    it('says of somebody unknown that nothing moved', async () => {
      const cursor = await chat(store(), uuid(1), 1)
      expect(await store().streams.moved(ONE, cleo, 0)).toEqual({
        cursor,
        inbox: 0,
        isInboxMoved: false,
        conversations: [],
      })
    })
  })

  describe('streams that moved, of anybody', () => {
    const names = (heads: readonly MovedHead[]) =>
      heads.map((head) => `${head.app} ${head.stream === 'inbox' ? head.userId : head.id.slice(-1)}`).sort()

    it('28 names every stream that moved after a cursor, how far it is, and who hears of it', async () => {
      const first = await chat(store(), uuid(1), 1)
      const second = await chat(store(), uuid(2), 2, { inbox: 2 })
      const { heads, next, settled } = await store().streams.movedAnywhere(first, 10)
      expect(names(heads)).toEqual([`${ONE} 2`, `${ONE} alice`, `${ONE} ben`])
      expect(heads).toContainEqual({
        ...{ app: ONE, stream: 'conversation', id: uuid(2), sequence: 5, audience: [alice, ben] },
      })
      expect(heads).toContainEqual({ app: ONE, stream: 'inbox', userId: ben, sequence: 2 })
      expect([next, settled]).toEqual([null, second])
      expect(await store().streams.movedAnywhere(second, 10)).toEqual({ heads: [], next: null, settled: second })
    })

    it('28 page by page, names each of them, and tears no commit apart', async () => {
      for (let n = 1; n <= 6; n++) await chat(store(), uuid(n), 1, { inbox: n })
      for (const limit of [1, 2, 3, 7]) {
        const seen: string[] = []
        for (let after: number | null = 0; after !== null; ) {
          const page: MovedPage = await store().streams.movedAnywhere(after, limit)
          seen.push(...names(page.heads))
          after = page.next
        }
        expect(new Set(seen)).toEqual(new Set([1, 2, 3, 4, 5, 6, 'alice', 'ben'].map((name) => `${ONE} ${name}`)))
      }
    })

    it('28 names a stream once, however often it moved', async () => {
      const cursor = await chat(store(), uuid(1), 1)
      for (let sequence = 5; sequence < 25; sequence++) {
        const heads = { headSequence: sequence, headPosition: 1, lastMessageAt: T }
        await commit(store(), { conversations: [conversation(uuid(1), heads), conversation(uuid(2), heads)] })
        await commit(store(), { people: [person(ben, sequence)] })
      }
      const { heads, next } = await store().streams.movedAnywhere(cursor, 1_000)
      expect(names(heads)).toEqual([`${ONE} 1`, `${ONE} 2`, `${ONE} ben`])
      expect(heads.map(({ sequence }) => sequence)).toEqual([24, 24, 24])
      expect(next).toBe(null)
    })

    it('28 tells of the end of a conversation to those who were in it', async () => {
      const cursor = await chat(store(), uuid(1), 1)
      await commit(store(), {
        conversations: [conversation(uuid(1), { sequence: 5, headPosition: 1 }, { deletedAt: T })],
      })
      const { heads } = await store().streams.movedAnywhere(cursor, 10)
      expect(heads).toMatchObject([{ id: uuid(1), audience: [alice, ben] }])
    })

    it('28 a conversation’s rows are read in nobody’s name as in that of somebody who is in it', async () => {
      await chat(store(), uuid(1), 4)
      for (const after of [0, 2, 5]) {
        const page = await store().streams.conversation(ONE, uuid(1), alice, after, 3)
        expect(await store().streams.conversationForAll(ONE, uuid(1), after, 3)).toEqual({
          ...page,
          audience: [alice, ben],
        })
      }
      expect(await store().streams.conversationForAll(TWO, uuid(1), 0, 3)).toBeUndefined()
    })
  })
}
