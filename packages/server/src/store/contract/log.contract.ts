/** What a store keeps of commits, and what it gives back to whoever decides. */
import type { UserId } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { NOTHING, type Store, type Writes } from '../store.ts'
import {
  alice,
  ben,
  chat,
  cleo,
  commit,
  conversation,
  EMPTY,
  message,
  ONE,
  participant,
  person,
  session,
  T,
  TWO,
  uuid,
} from './records.contract.ts'
import { sameTerms } from './same-terms.contract.ts'
import { severalWriters } from './several-writers.contract.ts'
import { picture } from './whole-app.contract.ts'

export function logContract(store: () => Store, writers: 'one' | 'many'): void {
  describe('the log', () => {
    it('begins at cursor 0 and stands at the cursor of the last commit', async () => {
      expect(await store().log.lastCursor()).toBe(0)
      const first = await commit(store(), {})
      const second = await commit(store(), { people: [person(alice)] })
      expect(second).toBeGreaterThan(first)
      if (writers === 'one') expect([first, second]).toEqual([1, 2])
      expect(await store().log.lastCursor()).toBe(second)
    })

    it('gives back what was committed, to the last bit', async () => {
      const parts = [
        { mime_type: 'text/plain', body: 'Ḽơᶉëᶆ 🂡 \u202e\u0007 "\\/ \ufeff' },
        { mime_type: 'image/png', body: 'AAECAw==', encoding: 'base64' as const },
      ]
      const metadata = { title: 'Ünï', deep: { a: { b: '' } }, constructor: 'x' }
      const whole = conversation(uuid(1), { headSequence: 9, headPosition: 5 }, { metadata, distinctKey: 'ab' })
      const one = participant(uuid(1), alice, {
        state: 'removed',
        absent: [1, 2],
        delivered: [1, 4],
        read: [1, 2, 4, 4],
        hidden: [3, 3],
        lastPosition: 4,
        inboxSequence: 7,
      })
      const sent = message(uuid(1), 5, { parts })
      const somebody = person(alice, 7, ONE, {
        displayName: 'Alice 😀',
        avatarUrl: 'https://a',
        firstName: 'A',
        lastName: 'L',
        emailAddress: 'a@b',
        phoneNumber: '+1',
        publicKey: 'k',
        metadata: { level: '1' },
        suspendedAt: 5,
      })
      const remembered = { app: ONE, userId: alice, id: uuid(8), name: 'delete-message', at: T }
      await commit(store(), {
        conversations: [whole],
        participants: [one],
        messages: [sent],
        people: [somebody],
        operations: [remembered],
        nonces: [{ hash: 'n1', forgetAt: T }],
        sessions: [{ session: session(uuid(9)), tokenHash: 'h1' }],
      })
      const loaded = await store().log.load({
        conversations: [{ app: ONE, key: uuid(1) }],
        distinctKeys: [{ app: ONE, key: 'ab' }],
        messages: [{ app: ONE, key: sent.id }],
        people: [{ app: ONE, key: alice }],
        operations: [remembered],
        nonces: ['n1', 'n2'],
        sessions: [uuid(9)],
      })
      const { app: _app, conversation: _of, ...record } = one
      const { isNew: _new, ...stored } = sent
      const { isInboxMoved: _moved, ...known } = somebody
      const revised = writers === 'many' ? { revision: 1 } : {}
      const terms = writers === 'many' ? { terms: 1 } : {}
      expect(loaded).toEqual({
        conversations: [{ ...whole, participants: [record], ...revised, ...terms }],
        messages: [stored],
        people: [{ ...known, ...revised }],
        operations: [remembered],
        nonces: ['n1'],
        sessions: [session(uuid(9))],
      })
    })

    it('keeps names that mean something to a database, each for itself', async () => {
      const names = [
        "a.b*c~d'e f/😀",
        'A',
        'a',
        'ä',
        'a\u0308',
        '%',
        '_',
        '\\',
        '"',
        '{1,2}',
        'NULL',
        '$1',
        ' ',
        '--',
      ] as UserId[]
      await commit(store(), {
        people: names.map((name) => person(name, 1, ONE, { displayName: name, metadata: { [name]: name } })),
        conversations: [
          conversation(
            uuid(1),
            { headSequence: 99, headPosition: names.length },
            { distinctKey: names.join(), metadata: { name: names[0]! } },
          ),
        ],
        participants: names.map((name, index) => participant(uuid(1), name, { order: index + 1 })),
        messages: names.map((name, index) => message(uuid(1), index + 1, { sender: name })),
      })
      const loaded = await store().log.load({
        ...NOTHING,
        people: names.map((key) => ({ app: ONE, key })),
        distinctKeys: [{ app: ONE, key: names.join() }],
      })
      expect(loaded.people).toHaveLength(names.length)
      for (const { profile } of loaded.people) {
        expect(profile).toMatchObject({ displayName: profile.userId, metadata: { [profile.userId]: profile.userId } })
      }
      expect(loaded.conversations[0]?.participants.map(({ userId }) => userId).sort()).toEqual([...names].sort())
      expect(await store().streams.audience(ONE, uuid(1))).toEqual(names)
      for (const name of names) {
        expect((await store().lists.profile(ONE, name))?.userId).toBe(name)
        expect((await store().lists.conversation(ONE, uuid(1), name))?.unreadCount).toBe(names.length - 1)
      }
    })

    it('knows nothing of what is not there', async () => {
      const loaded = await store().log.load({
        conversations: [{ app: ONE, key: uuid(1) }],
        distinctKeys: [{ app: ONE, key: 'ab' }],
        messages: [{ app: ONE, key: uuid(2) }],
        people: [{ app: ONE, key: alice }],
        operations: [{ app: ONE, userId: alice, id: uuid(3) }],
        nonces: ['n'],
        sessions: [uuid(4)],
      })
      expect(Object.values(loaded).flat()).toEqual([])
    })

    it('CNV-1 finds a distinct conversation by its key as long as it bears it', async () => {
      const wanted = { ...NOTHING, distinctKeys: [{ app: ONE, key: 'ab' }] }
      await commit(store(), { conversations: [conversation(uuid(1), {}, { distinctKey: 'ab' })] })
      expect((await store().log.load(wanted)).conversations.map(({ record }) => record.id)).toEqual([uuid(1)])
      await commit(store(), { conversations: [conversation(uuid(1), { sequence: 2 })] })
      expect((await store().log.load(wanted)).conversations).toEqual([])
      await commit(store(), { conversations: [conversation(uuid(2), {}, { distinctKey: 'ab' })] })
      expect((await store().log.load(wanted)).conversations.map(({ record }) => record.id)).toEqual([uuid(2)])
    })

    it('replaces a row by the newer one of the same key', async () => {
      await chat(store(), uuid(1), 2)
      await commit(store(), {
        conversations: [conversation(uuid(1), { sequence: 6, headPosition: 2 }, { metadata: { a: 'b' } })],
        participants: [participant(uuid(1), ben, { order: 2, sequence: 7, read: [1, 2] })],
        messages: [message(uuid(1), 1, { sequence: 8, firstSequence: 4, parts: [], deletedAt: T, isNew: false })],
        people: [person(ben, 1, ONE, { displayName: 'Ben' })],
      })
      const view = await store().lists.conversation(ONE, uuid(1), ben)
      expect(view).toMatchObject({ record: { metadata: { a: 'b' } }, own: { read: [1, 2] }, totalCount: 1 })
      expect(view?.participants[1]?.profile.displayName).toBe('Ben')
      expect(view?.participants).toHaveLength(2)
      expect(await store().lists.message(ONE, message(uuid(1), 1).id)).toMatchObject({ deletedAt: T, firstSequence: 4 })
    })

    /** Each would be fine but for one thing. */
    const impossible: Record<string, Partial<Writes>> = {
      'a message id that is taken': { messages: [message(uuid(1), 4), message(uuid(1), 5, { id: uuid(1001) })] },
      'a nonce that was used': { nonces: [{ hash: 'used', forgetAt: T }] },
      'an operation that is remembered': {
        operations: [{ app: ONE, userId: alice, id: uuid(5), name: 'delete-message', at: T }],
      },
      'a session id that is taken': { sessions: [{ session: session(uuid(6)), tokenHash: 'other' }] },
      'a distinct key that is taken': { conversations: [conversation(uuid(2), {}, { distinctKey: 'ab' })] },
    }
    it.each(Object.entries(impossible))('STR-6 %s: nothing of the commit happens', async (name, writes) => {
      await chat(store(), uuid(1), 3)
      await commit(store(), {
        conversations: [conversation(uuid(3), {}, { distinctKey: 'ab' })],
        nonces: [{ hash: 'used', forgetAt: T }],
        operations: [{ app: ONE, userId: alice, id: uuid(5), name: 'delete-message', at: T }],
        sessions: [{ session: session(uuid(6)), tokenHash: 'h' }],
      })
      const before = await picture(store())
      const rest: Partial<Writes> = {
        people: [person(cleo, 3), person(alice, 9)],
        conversations: [conversation(uuid(1), { headSequence: 99, headPosition: 9 }), ...(writes.conversations ?? [])],
        participants: [participant(uuid(1), ben, { state: 'left' }), participant(uuid(1), cleo, { order: 3 })],
        nonces: [{ hash: 'fresh', forgetAt: T }, ...(writes.nonces ?? [])],
        purged: [{ app: ONE, key: uuid(3) }],
        sessions: [{ session: session(uuid(7)), tokenHash: 'h7' }, ...(writes.sessions ?? [])],
      }
      const failed = commit(store(), { messages: [message(uuid(1), 4)], ...writes, ...rest })
      await expect(failed).rejects.toMatchObject(name.includes('message') ? { name: 'MessageExists' } : {})
      expect(await picture(store())).toEqual(before)
    })

    if (writers === 'one') {
      it.each([0, 1, 3])(
        'STR-1 a commit that does not follow the last one is stale: cursor %i after 1',
        async (cursor) => {
          await chat(store(), uuid(1), 1)
          const before = await picture(store())
          const writes = { ...EMPTY, at: T, cursor, people: [person(ben, 7)], nonces: [{ hash: 'fresh', forgetAt: T }] }
          await expect(store().log.commit(writes)).rejects.toMatchObject({ name: 'Stale' })
          expect(await picture(store())).toEqual(before)
        },
      )
    } else {
      describe('several writers', () => severalWriters(() => store()))
      describe('several writers on the same terms', () => sameTerms(() => store()))
    }

    it('CNV-3 deletes the messages of a purged conversation, and of no other', async () => {
      await chat(store(), uuid(1), 3)
      await chat(store(), uuid(2), 3, { inbox: 2 })
      await commit(store(), {
        purged: [{ app: ONE, key: uuid(1) }],
        conversations: [conversation(uuid(1), { sequence: 7, headPosition: 3 }, { deletedAt: T })],
      })
      expect(await store().lists.message(ONE, message(uuid(1), 2).id)).toBeUndefined()
      expect(await store().lists.message(ONE, message(uuid(2), 2).id)).toBeDefined()
      const page = await store().streams.conversation(ONE, uuid(1), alice, 0, 50)
      expect(page?.rows.map((row) => row.type)).toEqual(['participant', 'participant', 'conversation'])
    })

    it('OPR-1 forgets operations and nonces that are old enough, and only those', async () => {
      const operation = (n: number, at: number) => ({ app: ONE, userId: alice, id: uuid(n), name: 'x', at })
      await commit(store(), {
        operations: [operation(1, 10), operation(2, 20)],
        nonces: [
          { hash: 'old', forgetAt: 10 },
          { hash: 'new', forgetAt: 20 },
        ],
      })
      await store().log.prune({ operationsMs: 15, noncesMs: 15 })
      const loaded = await store().log.load({
        ...NOTHING,
        operations: [operation(1, 0), operation(2, 0)],
        nonces: ['old', 'new'],
      })
      expect(loaded.operations.map(({ id }) => id)).toEqual([uuid(2)])
      expect(loaded.nonces).toEqual(['new'])
    })

    it('OPR-1 remembers what an operation was answered, of those that have an answer', async () => {
      const done = { app: ONE, userId: alice, id: uuid(1), name: 'delete-message', at: T }
      const result = {
        conversation: `layer:///conversations/${uuid(9)}`,
        outcome: 'found',
        odd: ['"\\\u2028', null, 1],
      }
      const found = { ...done, id: uuid(2), name: 'create-conversation', answer: { effect: uuid(9), result } }
      await commit(store(), { operations: [done, found] })
      const { operations } = await store().log.load({ ...NOTHING, operations: [found, done] })
      const sorted = [...operations].sort((a, b) => (a.id < b.id ? -1 : 1))
      expect(sorted).toStrictEqual([done, found])
    })

    it('OPR-1 remembers an operation for whoever asked, and for nobody else', async () => {
      const operation = { app: ONE, userId: alice, id: uuid(1), name: 'x', at: T }
      await commit(store(), { operations: [operation] })
      const others = [
        { ...operation, userId: ben },
        { ...operation, app: TWO },
      ]
      expect((await store().log.load({ ...NOTHING, operations: others })).operations).toEqual([])
      await commit(store(), { operations: others })
      expect((await store().log.load({ ...NOTHING, operations: [operation, ...others] })).operations).toHaveLength(3)
    })
  })
}
