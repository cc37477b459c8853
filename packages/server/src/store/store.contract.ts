/** What every store keeps, whatever it is made of. An adapter's own test names it and says how to open it. */
import { identityId, type PositionSet, type UserId, type Uuid } from '@parley/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { MovedHead, MovedPage } from '../model/moved.ts'
import { newProfile } from '../model/profile.ts'
import type { AppKey, ConversationRecord, MessageRecord, ParticipantRecord, Profile, Session } from '../model/state.ts'
import {
  type Basis,
  type ConversationPage,
  type ConversationWrite,
  NOTHING,
  type Store,
  type StreamRow,
  type Writes,
  type WrittenPage,
} from './store.ts'

export const ONE = 1 as AppKey
export const TWO = 2 as AppKey
export const alice = 'alice' as UserId
export const ben = 'ben' as UserId
export const cleo = 'cleo' as UserId
const T = 1_800_000_000_000

/** A different UUID for each number, the same one each time. */
export const uuid = (n: number): Uuid => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}` as Uuid

const EMPTY: Omit<Writes, 'cursor' | 'at'> = {
  conversations: [],
  participants: [],
  messages: [],
  purged: [],
  people: [],
  sessions: [],
  nonces: [],
  operations: [],
}
type Changes = Partial<Omit<Writes, 'cursor' | 'at'>>

/** Commits one thing after another, as the write lane does. */
export async function commit(store: Store, writes: Changes): Promise<number> {
  const cursor = (await store.log.lastCursor()) + 1
  const basis = await basisOf(store, writes)
  const place = await store.log.commit({ ...EMPTY, basis, ...writes, cursor, at: T + 1_000 })
  expect(place.settled).toBeLessThan(place.cursor)
  return place.cursor
}

/** What a writer believes that has just looked. */
async function basisOf(store: Store, writes: Changes): Promise<Basis> {
  const touched = [
    ...(writes.conversations ?? []).map(({ app, record }) => ({ app, key: record.id })),
    ...[...(writes.participants ?? []), ...(writes.messages ?? [])].map((one) => ({
      app: one.app,
      key: one.conversation,
    })),
    ...(writes.purged ?? []),
  ]
  const conversations = [...new Map(touched.map((item) => [`${item.app} ${item.key}`, item])).values()]
  const people = (writes.people ?? []).map(({ app, profile }) => ({ app, key: profile.userId }))
  const loaded = await store.log.load({ ...NOTHING, conversations, people })
  return {
    conversations: conversations.map(({ app, key }) => {
      const found = loaded.conversations.find((one) => one.app === app && one.record.id === key)
      return { app, key, revision: found?.revision ?? 0 }
    }),
    people: people.map(({ app, key }) => {
      const found = loaded.people.find((one) => one.app === app && one.profile.userId === key)
      return { app, key, revision: found?.revision ?? 0 }
    }),
  }
}

export const person = (userId: UserId, inboxSequence = 0, app = ONE, profile: Partial<Profile> = {}) => ({
  app,
  profile: { ...newProfile(userId, T), ...profile },
  inboxSequence,
  isInboxMoved: inboxSequence > 0,
})

export function conversation(
  id: Uuid,
  heads: { sequence?: number; headSequence?: number; headPosition?: number; lastMessageAt?: number } = {},
  record: Partial<ConversationRecord> = {},
  app = ONE,
): ConversationWrite {
  const { sequence = 1, headSequence = sequence, headPosition = 0, lastMessageAt = T } = heads
  return {
    app,
    record: {
      id,
      createdAt: T,
      createdBy: alice,
      distinctKey: null,
      metadata: {},
      deletedAt: null,
      sequence,
      changedAt: T,
      ...record,
    },
    headSequence,
    headPosition,
    lastMessageAt,
  }
}

export function participant(
  conversation: Uuid,
  userId: UserId,
  record: Partial<ParticipantRecord> = {},
  app = ONE,
): Writes['participants'][number] {
  const none: PositionSet = []
  return {
    app,
    conversation,
    userId,
    state: 'joined',
    order: 1,
    joinedAt: T,
    absent: none,
    delivered: none,
    read: none,
    hidden: none,
    lastPosition: null,
    sequence: 2,
    inboxSequence: 1,
    changedAt: T,
    ...record,
  }
}

export function message(
  conversation: Uuid,
  position: number,
  record: Partial<MessageRecord> & { isNew?: boolean } = {},
  app = ONE,
): Writes['messages'][number] {
  const sequence = record.sequence ?? position + 3
  return {
    app,
    conversation,
    position,
    id: uuid(Number.parseInt(conversation.slice(-4), 16) * 1000 + position),
    sender: alice,
    sentAt: T + position,
    parts: [{ mime_type: 'text/plain', body: `message ${position}` }],
    deletedAt: null,
    firstSequence: sequence,
    changedAt: T + position,
    isNew: true,
    ...record,
    sequence,
  }
}

const session = (id: Uuid, over: Partial<Session> = {}): Session => ({
  id,
  app: ONE,
  userId: alice,
  createdAt: T,
  expiresAt: T + 1000,
  endedAt: null,
  ...over,
})

/** Alice (2) and Ben (3) with `count` messages (4 …) by Alice. */
export async function chat(
  store: Store,
  id: Uuid,
  count: number,
  { app = ONE, inbox = 1 }: { app?: AppKey; inbox?: number } = {},
): Promise<number> {
  const positions = Array.from({ length: count }, (_, index) => index + 1)
  return commit(store, {
    people: [person(alice, inbox, app), person(ben, inbox, app)],
    conversations: [
      conversation(id, { headSequence: 3 + count, headPosition: count, lastMessageAt: T + count }, {}, app),
    ],
    participants: [
      participant(id, alice, { inboxSequence: inbox }, app),
      participant(id, ben, { order: 2, sequence: 3, inboxSequence: inbox }, app),
    ],
    messages: positions.map((position) => message(id, position, {}, app)),
  })
}

const sequences = (rows: readonly StreamRow[]) => rows.map((row) => row.record.sequence)
const positions = (messages: readonly { position: number }[]) => messages.map(({ position }) => position)

/**
 * @param writers whether one process at a time may write, or many: then the store gives out cursors itself, compares what
 *   a commit rests on, and its cursors rise without being dense
 */
export function storeContract(open: () => Promise<Store>, writers: 'one' | 'many' = 'one'): void {
  let store: Store
  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => store.close())

  describe('the log', () => {
    it('begins at cursor 0 and stands at the cursor of the last commit', async () => {
      expect(await store.log.lastCursor()).toBe(0)
      const first = await commit(store, {})
      const second = await commit(store, { people: [person(alice)] })
      expect(second).toBeGreaterThan(first)
      if (writers === 'one') expect([first, second]).toEqual([1, 2])
      expect(await store.log.lastCursor()).toBe(second)
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
      await commit(store, {
        conversations: [whole],
        participants: [one],
        messages: [sent],
        people: [somebody],
        operations: [remembered],
        nonces: [{ hash: 'n1', forgetAt: T }],
        sessions: [{ session: session(uuid(9)), tokenHash: 'h1' }],
      })
      const loaded = await store.log.load({
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
      expect(loaded).toEqual({
        conversations: [{ ...whole, participants: [record], ...revised }],
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
      await commit(store, {
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
      const loaded = await store.log.load({
        ...NOTHING,
        people: names.map((key) => ({ app: ONE, key })),
        distinctKeys: [{ app: ONE, key: names.join() }],
      })
      expect(loaded.people).toHaveLength(names.length)
      for (const { profile } of loaded.people) {
        expect(profile).toMatchObject({ displayName: profile.userId, metadata: { [profile.userId]: profile.userId } })
      }
      expect(loaded.conversations[0]?.participants.map(({ userId }) => userId).sort()).toEqual([...names].sort())
      expect(await store.streams.audience(ONE, uuid(1))).toEqual(names)
      for (const name of names) {
        expect((await store.lists.profile(ONE, name))?.userId).toBe(name)
        expect((await store.lists.conversation(ONE, uuid(1), name))?.unreadCount).toBe(names.length - 1)
      }
    })

    it('knows nothing of what is not there', async () => {
      const loaded = await store.log.load({
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
      await commit(store, { conversations: [conversation(uuid(1), {}, { distinctKey: 'ab' })] })
      expect((await store.log.load(wanted)).conversations.map(({ record }) => record.id)).toEqual([uuid(1)])
      await commit(store, { conversations: [conversation(uuid(1), { sequence: 2 })] })
      expect((await store.log.load(wanted)).conversations).toEqual([])
      await commit(store, { conversations: [conversation(uuid(2), {}, { distinctKey: 'ab' })] })
      expect((await store.log.load(wanted)).conversations.map(({ record }) => record.id)).toEqual([uuid(2)])
    })

    it('replaces a row by the newer one of the same key', async () => {
      await chat(store, uuid(1), 2)
      await commit(store, {
        conversations: [conversation(uuid(1), { sequence: 6, headPosition: 2 }, { metadata: { a: 'b' } })],
        participants: [participant(uuid(1), ben, { order: 2, sequence: 7, read: [1, 2] })],
        messages: [message(uuid(1), 1, { sequence: 8, firstSequence: 4, parts: [], deletedAt: T, isNew: false })],
        people: [person(ben, 1, ONE, { displayName: 'Ben' })],
      })
      const view = await store.lists.conversation(ONE, uuid(1), ben)
      expect(view).toMatchObject({ record: { metadata: { a: 'b' } }, own: { read: [1, 2] }, totalCount: 1 })
      expect(view?.participants[1]?.profile.displayName).toBe('Ben')
      expect(view?.participants).toHaveLength(2)
      expect(await store.lists.message(ONE, message(uuid(1), 1).id)).toMatchObject({ deletedAt: T, firstSequence: 4 })
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
      await chat(store, uuid(1), 3)
      await commit(store, {
        conversations: [conversation(uuid(3), {}, { distinctKey: 'ab' })],
        nonces: [{ hash: 'used', forgetAt: T }],
        operations: [{ app: ONE, userId: alice, id: uuid(5), name: 'delete-message', at: T }],
        sessions: [{ session: session(uuid(6)), tokenHash: 'h' }],
      })
      const before = await picture(store)
      const rest: Partial<Writes> = {
        people: [person(cleo, 3), person(alice, 9)],
        conversations: [conversation(uuid(1), { headSequence: 99, headPosition: 9 }), ...(writes.conversations ?? [])],
        participants: [participant(uuid(1), ben, { state: 'left' }), participant(uuid(1), cleo, { order: 3 })],
        nonces: [{ hash: 'fresh', forgetAt: T }, ...(writes.nonces ?? [])],
        purged: [{ app: ONE, key: uuid(3) }],
        sessions: [{ session: session(uuid(7)), tokenHash: 'h7' }, ...(writes.sessions ?? [])],
      }
      const failed = commit(store, { messages: [message(uuid(1), 4)], ...writes, ...rest })
      await expect(failed).rejects.toMatchObject(name.includes('message') ? { name: 'MessageExists' } : {})
      expect(await picture(store)).toEqual(before)
    })

    if (writers === 'one') {
      it.each([0, 1, 3])(
        'STR-1 a commit that does not follow the last one is stale: cursor %i after 1',
        async (cursor) => {
          await chat(store, uuid(1), 1)
          const before = await picture(store)
          const writes = { ...EMPTY, at: T, cursor, people: [person(ben, 7)], nonces: [{ hash: 'fresh', forgetAt: T }] }
          await expect(store.log.commit(writes)).rejects.toMatchObject({ name: 'Stale' })
          expect(await picture(store)).toEqual(before)
        },
      )
    } else {
      describe('several writers', () => severalWriters(() => store))
    }

    it('CNV-3 deletes the messages of a purged conversation, and of no other', async () => {
      await chat(store, uuid(1), 3)
      await chat(store, uuid(2), 3, { inbox: 2 })
      await commit(store, {
        purged: [{ app: ONE, key: uuid(1) }],
        conversations: [conversation(uuid(1), { sequence: 7, headPosition: 3 }, { deletedAt: T })],
      })
      expect(await store.lists.message(ONE, message(uuid(1), 2).id)).toBeUndefined()
      expect(await store.lists.message(ONE, message(uuid(2), 2).id)).toBeDefined()
      const page = await store.streams.conversation(ONE, uuid(1), alice, 0, 50)
      expect(page?.rows.map((row) => row.type)).toEqual(['participant', 'participant', 'conversation'])
    })

    it('OPR-1 forgets operations and nonces that are old enough, and only those', async () => {
      const operation = (n: number, at: number) => ({ app: ONE, userId: alice, id: uuid(n), name: 'x', at })
      await commit(store, {
        operations: [operation(1, 10), operation(2, 20)],
        nonces: [
          { hash: 'old', forgetAt: 10 },
          { hash: 'new', forgetAt: 20 },
        ],
      })
      await store.log.prune({ operationsMs: 15, noncesMs: 15 })
      const loaded = await store.log.load({
        ...NOTHING,
        operations: [operation(1, 0), operation(2, 0)],
        nonces: ['old', 'new'],
      })
      expect(loaded.operations.map(({ id }) => id)).toEqual([uuid(2)])
      expect(loaded.nonces).toEqual(['new'])
    })

    it('OPR-1 remembers an operation for whoever asked, and for nobody else', async () => {
      const operation = { app: ONE, userId: alice, id: uuid(1), name: 'x', at: T }
      await commit(store, { operations: [operation] })
      const others = [
        { ...operation, userId: ben },
        { ...operation, app: TWO },
      ]
      expect((await store.log.load({ ...NOTHING, operations: others })).operations).toEqual([])
      await commit(store, { operations: others })
      expect((await store.log.load({ ...NOTHING, operations: [operation, ...others] })).operations).toHaveLength(3)
    })
  })

  describe('streams that moved', () => {
    it('CON-2 names all of somebody’s streams without a cursor, and after one only those that moved', async () => {
      const first = await chat(store, uuid(1), 1)
      const second = await chat(store, uuid(2), 2, { inbox: 2 })
      expect(await store.streams.moved(ONE, ben, 0)).toEqual({
        cursor: second,
        inbox: 2,
        isInboxMoved: true,
        conversations: [
          { id: uuid(2), sequence: 5 },
          { id: uuid(1), sequence: 4 },
        ],
      })
      expect((await store.streams.moved(ONE, ben, first)).conversations).toEqual([{ id: uuid(2), sequence: 5 }])
      expect(await store.streams.moved(ONE, ben, second)).toMatchObject({ isInboxMoved: false, conversations: [] })
    })

    it('STR-3 a private change moves the inbox and not the conversation', async () => {
      const cursor = await chat(store, uuid(1), 1)
      await commit(store, {
        participants: [participant(uuid(1), ben, { order: 2, sequence: 3, inboxSequence: 2, hidden: [1, 1] })],
        people: [person(ben, 2)],
      })
      expect(await store.streams.moved(ONE, ben, cursor)).toMatchObject({ inbox: 2, isInboxMoved: true })
      expect((await store.streams.moved(ONE, ben, cursor)).conversations).toEqual([])
      expect(await store.streams.moved(ONE, alice, cursor)).toMatchObject({ inbox: 1, isInboxMoved: false })
    })

    it('STR-3 a changed profile does not move the inbox', async () => {
      const cursor = await chat(store, uuid(1), 1)
      await commit(store, { people: [{ ...person(ben, 1, ONE, { displayName: 'B' }), isInboxMoved: false }] })
      expect(await store.streams.moved(ONE, ben, cursor)).toMatchObject({ isInboxMoved: false, inbox: 1 })
    })

    it.each([
      ['joined', true],
      ['hidden', true],
      ['left', false],
      ['removed', false],
    ] as const)('CNV-6 the conversation of somebody who is %s: named %s', async (state, isNamed) => {
      await chat(store, uuid(1), 1)
      await commit(store, { participants: [participant(uuid(1), ben, { state, order: 2, sequence: 5 })] })
      const { conversations } = await store.streams.moved(ONE, ben, 0)
      expect(conversations).toHaveLength(isNamed ? 1 : 0)
      expect(await store.streams.audience(ONE, uuid(1))).toEqual(isNamed ? [alice, ben] : [alice])
      expect(await store.lists.conversationsOf(ONE, ben)).toEqual(isNamed ? [uuid(1)] : [])
    })

    it('says of somebody unknown that nothing moved', async () => {
      const cursor = await chat(store, uuid(1), 1)
      expect(await store.streams.moved(ONE, cleo, 0)).toEqual({
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
      const first = await chat(store, uuid(1), 1)
      const second = await chat(store, uuid(2), 2, { inbox: 2 })
      const { heads, next, settled } = await store.streams.movedAnywhere(first, 10)
      expect(names(heads)).toEqual([`${ONE} 2`, `${ONE} alice`, `${ONE} ben`])
      expect(heads).toContainEqual({
        ...{ app: ONE, stream: 'conversation', id: uuid(2), sequence: 5, audience: [alice, ben] },
      })
      expect(heads).toContainEqual({ app: ONE, stream: 'inbox', userId: ben, sequence: 2 })
      expect([next, settled]).toEqual([null, second])
      expect(await store.streams.movedAnywhere(second, 10)).toEqual({ heads: [], next: null, settled: second })
    })

    it('28 page by page, names each of them, and tears no commit apart', async () => {
      for (let n = 1; n <= 6; n++) await chat(store, uuid(n), 1, { inbox: n })
      for (const limit of [1, 2, 3, 7]) {
        const seen: string[] = []
        for (let after: number | null = 0; after !== null; ) {
          const page: MovedPage = await store.streams.movedAnywhere(after, limit)
          seen.push(...names(page.heads))
          after = page.next
        }
        expect(new Set(seen)).toEqual(new Set([1, 2, 3, 4, 5, 6, 'alice', 'ben'].map((name) => `${ONE} ${name}`)))
      }
    })

    it('28 tells of the end of a conversation to those who were in it', async () => {
      const cursor = await chat(store, uuid(1), 1)
      await commit(store, {
        conversations: [conversation(uuid(1), { sequence: 5, headPosition: 1 }, { deletedAt: T })],
      })
      const { heads } = await store.streams.movedAnywhere(cursor, 10)
      expect(heads).toMatchObject([{ id: uuid(1), audience: [alice, ben] }])
    })

    it('28 a conversation’s rows are read in nobody’s name as in that of somebody who is in it', async () => {
      await chat(store, uuid(1), 4)
      for (const after of [0, 2, 5]) {
        const page = await store.streams.conversation(ONE, uuid(1), alice, after, 3)
        expect(await store.streams.conversationForAll(ONE, uuid(1), after, 3)).toEqual({
          ...page,
          audience: [alice, ben],
        })
      }
      expect(await store.streams.conversationForAll(TWO, uuid(1), 0, 3)).toBeUndefined()
    })
  })

  describe('a conversation’s stream', () => {
    it('STR-2 gives new and changed rows merged in order of sequence', async () => {
      await chat(store, uuid(1), 4)
      await commit(store, {
        messages: [message(uuid(1), 2, { sequence: 8, firstSequence: 5, deletedAt: T, isNew: false })],
        participants: [participant(uuid(1), ben, { order: 2, sequence: 9, read: [1, 4] })],
        conversations: [conversation(uuid(1), { sequence: 1, headSequence: 11, headPosition: 5 })],
      })
      await commit(store, {
        messages: [
          message(uuid(1), 5, { sequence: 10 }),
          message(uuid(1), 1, { sequence: 11, firstSequence: 4, deletedAt: T, isNew: false }),
        ],
      })
      const all = await store.streams.conversation(ONE, uuid(1), ben, 0, 50)
      expect(all).toMatchObject({ sequence: 11, more: false })
      expect(sequences(all!.rows)).toEqual([1, 2, 6, 7, 8, 9, 10, 11])
      expect(sequences((await store.streams.conversation(ONE, uuid(1), ben, 7, 50))!.rows)).toEqual([8, 9, 10, 11])
      expect(await store.streams.conversation(ONE, uuid(1), ben, 11, 50)).toEqual({
        rows: [],
        sequence: 11,
        more: false,
      })
    })

    it('CON-7 read page by page from anywhere, gives every row above that once and in order', async () => {
      const chance = sequenceOf(7)
      const rowAt = new Map<number, string>()
      const known: { position: number; first: number }[] = []
      await chat(store, uuid(1), 0)
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
        await commit(store, {
          conversations: [conversation(uuid(1), heads)],
          messages: [message(uuid(1), target.position, { sequence, firstSequence: target.first, isNew })],
        })
      }
      // At the end only changes, none of them of what is new.
      for (let sequence = 121; sequence <= 125; sequence++) {
        const { position, first } = known[sequence - 121]!
        latest.set(`m${position}`, sequence)
        await commit(store, {
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
            const page = (await store.streams.conversation(ONE, uuid(1), ben, from, limit))!
            expect(page.rows.length).toBeLessThanOrEqual(limit)
            const written = (
              await store.streams.writtenConversations(ONE, ben, [{ id: uuid(1), after: from }], limit, room)
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
      await chat(store, uuid(1), 1)
      const senders = ['two\nlines', '\n[1]\n', '\n', '😀 "quoted" \\ é', "!~'()"] as UserId[]
      const messages = senders.map((sender, nth) => message(uuid(1), nth + 2, { sender }))
      const heads = { sequence: 1, headSequence: 9, headPosition: 6 }
      await commit(store, { conversations: [conversation(uuid(1), heads)], messages })
      const page = (await store.streams.conversation(ONE, uuid(1), alice, 0, 20))!
      expect(page.rows.flatMap((row) => (row.type === 'message' ? [row.record.sender] : []))).toEqual([
        alice,
        ...senders,
      ])
      const [written] = await store.streams.writtenConversations(ONE, alice, [{ id: uuid(1), after: 0 }], 20)
      const sent = readOut(written!).flatMap((row) =>
        'sender' in (row as object) ? [(row as { sender: string }).sender] : [],
      )
      expect(sent).toEqual([alice, ...senders].map(identityId))
    })

    it('STR-3 several conversations in one look are what each is by itself, in the order asked for', async () => {
      const sizes = [3, 200, 0, 200, 200, 5]
      for (const [index, size] of sizes.entries()) await chat(store, uuid(index + 1), size, { inbox: index + 1 })
      await commit(store, {
        conversations: [conversation(uuid(2), { sequence: 1, headSequence: 204, headPosition: 200 })],
        messages: [message(uuid(2), 7, { sequence: 204, firstSequence: 10, isNew: false, deletedAt: T, parts: [] })],
      })
      const places = [1, 2, 9, 3, 4, 5, 6].map((n) => ({ id: uuid(n), after: n === 4 ? 100 : 0 }))
      let asked = places
      const seen: unknown[] = []
      let looks = 0
      while (asked.length > 0) {
        const pages = await store.streams.writtenConversations(ONE, ben, asked, 250)
        expect(pages.length).toBeGreaterThan(0)
        looks++
        for (const page of pages) seen.push(page && [page.sequence, page.more, readOut(page)])
        asked = asked.slice(pages.length)
      }
      const alone = await Promise.all(
        places.map(({ id, after }) => store.streams.conversation(ONE, id, ben, after, 250)),
      )
      expect(seen).toEqual(alone.map((page) => page && [page.sequence, page.more, asRead(page)]))
      expect(looks).toBeLessThan(places.length)
    })

    it.each(['left', 'removed'] as const)('CON-9 is closed to somebody who has %s, as to a stranger', async (state) => {
      await chat(store, uuid(1), 1)
      await commit(store, { participants: [participant(uuid(1), ben, { state, order: 2 })], people: [person(cleo)] })
      for (const [id, viewer] of [
        [uuid(1), ben],
        [uuid(1), cleo],
        [uuid(2), alice],
      ] as const) {
        expect(await store.streams.conversation(ONE, id, viewer, 0, 10)).toBeUndefined()
        expect(await store.streams.writtenConversations(ONE, viewer, [{ id, after: 0 }], 10)).toEqual([undefined])
      }
    })

    it('STR-3 carries each participant with the profile of now', async () => {
      await chat(store, uuid(1), 0)
      await commit(store, { people: [person(ben, 1, ONE, { displayName: 'Benjamin' })] })
      const page = await store.streams.conversation(ONE, uuid(1), alice, 2, 10)
      expect(page?.rows).toMatchObject([{ type: 'participant', profile: { userId: ben, displayName: 'Benjamin' } }])
    })
  })

  describe('an inbox', () => {
    it('STR-3 gives one membership per conversation, by inbox sequence, page by page', async () => {
      for (let n = 1; n <= 5; n++) await chat(store, uuid(n), 0, { inbox: n })
      await commit(store, {
        participants: [participant(uuid(2), ben, { state: 'left', order: 2, inboxSequence: 6 })],
        people: [person(ben, 6)],
      })
      const seen: Uuid[] = []
      let after = 0
      for (;;) {
        const page = await store.streams.inbox(ONE, ben, after, 2)
        seen.push(...page.rows.map((row) => row.conversation))
        after = page.sequence
        if (!page.more) break
      }
      expect(seen).toEqual([uuid(1), uuid(3), uuid(4), uuid(5), uuid(2)])
      expect(after).toBe(6)
      expect(await store.streams.inbox(ONE, ben, 6, 2)).toEqual({ rows: [], sequence: 6, more: false })
    })

    it('is empty for somebody unknown', async () => {
      expect(await store.streams.inbox(ONE, cleo, 0, 2)).toEqual({ rows: [], sequence: 0, more: false })
    })
  })

  describe('a page of messages', () => {
    it('CON-8 gives the newest first, and goes on below a position', async () => {
      await chat(store, uuid(1), 5)
      const newest = await store.streams.messages(ONE, uuid(1), ben, null, 2)
      expect(newest).toMatchObject({ sequence: 8, headPosition: 5, more: true })
      expect(positions(newest!.messages)).toEqual([5, 4])
      expect(newest!.participants.map(({ record }) => record.userId)).toEqual([alice, ben])
      const older = await store.streams.messages(ONE, uuid(1), ben, 4, 3)
      expect(positions(older!.messages)).toEqual([3, 2, 1])
      expect(older).toMatchObject({ more: false, participants: [] })
    })

    it('CON-8 includes tombstones, whose positions are theirs for ever', async () => {
      await chat(store, uuid(1), 3)
      await commit(store, {
        messages: [message(uuid(1), 2, { sequence: 7, firstSequence: 5, parts: [], deletedAt: T, isNew: false })],
      })
      const page = await store.streams.messages(ONE, uuid(1), ben, null, 9)
      expect(page!.messages.map(({ deletedAt }) => deletedAt)).toEqual([null, T, null])
    })

    it('CNV-6 ends for somebody removed at their last position; CNV-5 is closed to somebody who left', async () => {
      await chat(store, uuid(1), 5)
      const gone = { state: 'removed', order: 2, sequence: 9, lastPosition: 3 } as const
      await commit(store, { participants: [participant(uuid(1), ben, gone)] })
      expect(positions((await store.streams.messages(ONE, uuid(1), ben, null, 9))!.messages)).toEqual([3, 2, 1])
      expect(positions((await store.streams.messages(ONE, uuid(1), ben, 5, 9))!.messages)).toEqual([3, 2, 1])
      await commit(store, { participants: [participant(uuid(1), ben, { ...gone, state: 'left' })] })
      expect(await store.streams.messages(ONE, uuid(1), ben, null, 9)).toBeUndefined()
      expect(await store.streams.messages(ONE, uuid(1), cleo, null, 9)).toBeUndefined()
      expect(await store.streams.messages(ONE, uuid(2), alice, null, 9)).toBeUndefined()
    })

    it('CNV-6 shows somebody removed nothing that changed since', async () => {
      await chat(store, uuid(1), 3)
      await commit(store, {
        participants: [participant(uuid(1), ben, { state: 'removed', order: 2, sequence: 7, lastPosition: 3 })],
        conversations: [conversation(uuid(1), { headSequence: 7, headPosition: 3 }, { metadata: { title: 'Before' } })],
      })
      const then = await store.streams.messages(ONE, uuid(1), ben, null, 9)
      expect(then).toMatchObject({ sequence: 7, headPosition: 3, conversation: { metadata: { title: 'Before' } } })
      expect(then!.participants.map(({ record }) => record.userId)).toEqual([alice, ben])
      await commit(store, {
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
      const now = await store.streams.messages(ONE, uuid(1), ben, null, 9)
      expect(now).toMatchObject({ sequence: 7, headPosition: 3, conversation: { metadata: {}, sequence: 7 } })
      expect(now!.participants.map(({ record }) => record.userId)).toEqual([ben])
    })
  })

  describe('lists', () => {
    it('RCT-5 counts unread, visible and last messages from one viewer’s side', async () => {
      await chat(store, uuid(1), 6)
      await commit(store, {
        conversations: [conversation(uuid(1), { headSequence: 12, headPosition: 7 })],
        messages: [
          message(uuid(1), 7, { sender: ben, sequence: 10 }),
          message(uuid(1), 6, { sequence: 11, firstSequence: 9, parts: [], deletedAt: T, isNew: false }),
        ],
        participants: [participant(uuid(1), ben, { order: 2, sequence: 12, read: [1, 2], hidden: [1, 1, 4, 4] })],
      })
      expect(await store.lists.conversation(ONE, uuid(1), ben)).toMatchObject({
        unreadCount: 2,
        totalCount: 4,
        lastMessage: { position: 7 },
        headPosition: 7,
        own: { userId: ben },
      })
      expect(await store.lists.conversation(ONE, uuid(1), alice)).toMatchObject({ unreadCount: 1, totalCount: 6 })
    })

    it('CNV-4 the last message is the newest that is neither deleted nor hidden, however far down', async () => {
      await chat(store, uuid(1), 150)
      await commit(store, {
        participants: [participant(uuid(1), ben, { order: 2, sequence: 154, hidden: [3, 150] })],
      })
      expect(await store.lists.conversation(ONE, uuid(1), ben)).toMatchObject({ lastMessage: { position: 2 } })
      await commit(store, {
        participants: [participant(uuid(1), ben, { order: 2, sequence: 154, hidden: [1, 150] })],
      })
      expect(await store.lists.conversation(ONE, uuid(1), ben)).toMatchObject({ lastMessage: null, totalCount: 0 })
    })

    it('CNV-6 counts for somebody removed only up to their last position', async () => {
      await chat(store, uuid(1), 5)
      const gone = { state: 'removed', order: 2, sequence: 9, lastPosition: 3, read: [1, 1] } as const
      await commit(store, { participants: [participant(uuid(1), ben, gone)] })
      expect(await store.lists.conversation(ONE, uuid(1), ben)).toMatchObject({
        unreadCount: 2,
        totalCount: 3,
        lastMessage: { position: 3 },
      })
    })

    it('lists conversations newest first by either time, page by page', async () => {
      for (let n = 1; n <= 4; n++) {
        await commit(store, {
          people: [person(alice, n)],
          conversations: [conversation(uuid(n), { lastMessageAt: T - n }, { createdAt: T + (n === 3 ? 1 : n) })],
          participants: [participant(uuid(n), alice, { inboxSequence: n })],
        })
      }
      const pages = async (sortBy: 'created_at' | 'last_message') => {
        const ids: Uuid[] = []
        for (;;) {
          const page = await store.lists.conversations(ONE, alice, {
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
      await chat(store, uuid(1), 1)
      await commit(store, { participants: [participant(uuid(1), ben, { state, order: 2 })] })
      const page = { sortBy: 'created_at', from: null, limit: 9 } as const
      expect(await store.lists.conversations(ONE, ben, page)).toMatchObject({ total: count })
      expect((await store.lists.conversation(ONE, uuid(1), ben)) !== undefined).toBe(state !== 'left')
      expect((await store.lists.messages(ONE, uuid(1), ben, page)) !== undefined).toBe(state !== 'left')
    })

    it('CNV-3 a deleted conversation is in no list', async () => {
      await chat(store, uuid(1), 1)
      await commit(store, { conversations: [conversation(uuid(1), { headPosition: 1 }, { deletedAt: T })] })
      const page = { sortBy: 'created_at', from: null, limit: 9 } as const
      expect(await store.lists.conversations(ONE, ben, page)).toEqual({ total: 0, items: [] })
      expect(await store.lists.conversation(ONE, uuid(1), ben)).toBeUndefined()
      expect(await store.lists.messages(ONE, uuid(1), ben, page)).toBeUndefined()
      expect(await store.streams.audience(ONE, uuid(1))).toEqual([])
    })

    it('lists the messages a viewer can see, newest first, with their total', async () => {
      await chat(store, uuid(1), 6)
      await commit(store, {
        messages: [message(uuid(1), 5, { sequence: 10, firstSequence: 8, parts: [], deletedAt: T, isNew: false })],
        participants: [participant(uuid(1), ben, { order: 2, sequence: 3, hidden: [2, 2] })],
      })
      const first = await store.lists.messages(ONE, uuid(1), ben, { from: null, limit: 2 })
      expect(first!.total).toBe(4)
      expect(positions(first!.items)).toEqual([6, 4])
      const second = await store.lists.messages(ONE, uuid(1), ben, { from: first!.items[1]!.id, limit: 9 })
      expect(positions(second!.items)).toEqual([3, 1])
      expect(await store.lists.messages(ONE, uuid(1), cleo, { from: null, limit: 2 })).toBeUndefined()
    })

    it('finds a message, a profile, and who ever shared a conversation', async () => {
      await chat(store, uuid(1), 1)
      await commit(store, {
        people: [person(cleo, 1, ONE, { createdAt: T + 9 }), person('dana' as UserId)],
        conversations: [conversation(uuid(2))],
        participants: [
          participant(uuid(2), alice, { inboxSequence: 2 }),
          participant(uuid(2), cleo, { state: 'left', order: 2 }),
        ],
      })
      expect(await store.lists.message(ONE, message(uuid(1), 1).id)).toMatchObject({ position: 1 })
      expect(await store.lists.message(ONE, uuid(77))).toBeUndefined()
      expect(await store.lists.profile(ONE, alice)).toEqual(newProfile(alice, T))
      expect(await store.lists.profile(ONE, 'nobody' as UserId)).toBeUndefined()
      const all = await store.lists.acquaintances(ONE, alice, { from: null, limit: 9 })
      expect([all.total, all.items.map(({ userId }) => userId)]).toEqual([2, [cleo, ben]])
      const rest = await store.lists.acquaintances(ONE, alice, { from: cleo, limit: 9 })
      expect(rest.items.map(({ userId }) => userId)).toEqual([ben])
      expect(await store.lists.areAcquainted(ONE, alice, cleo)).toBe(true)
      expect(await store.lists.areAcquainted(ONE, ben, cleo)).toBe(false)
    })

    it('finds what changed since a time: what was sent, what was deleted, and where one stood', async () => {
      await chat(store, uuid(1), 5)
      await commit(store, {
        messages: [
          message(uuid(1), 1, { sequence: 9, firstSequence: 4, deletedAt: T + 50, changedAt: T + 50, isNew: false }),
        ],
        participants: [participant(uuid(1), ben, { order: 2, hidden: [5, 5] })],
      })
      expect(await store.lists.movedSince(ONE, ben, T)).toMatchObject([
        { id: uuid(1), deletedAt: null, own: { userId: ben } },
      ])
      const since = (sinceMs: number, above: number, limit: number, viewer = ben) =>
        store.lists.messagesSince(ONE, uuid(1), viewer, sinceMs, { above, limit })
      expect(positions(await since(T + 4, 0, 99))).toEqual([1, 4])
      expect(positions(await since(T + 4, 1, 99))).toEqual([4])
      expect(positions(await since(T, 0, 3))).toEqual([1, 2, 3])
      expect(positions(await since(T, 3, 3))).toEqual([4])
      expect(await since(T + 60, 0, 99)).toEqual([])
      expect(await since(0, 0, 99, cleo)).toEqual([])
      expect(await store.lists.movedSince(ONE, ben, T + 2_000)).toEqual([])
      expect(await store.lists.movedSince(ONE, cleo, 0)).toEqual([])
    })

    it('CNV-3 a conversation deleted for all is among those that moved, with nothing in it', async () => {
      await chat(store, uuid(1), 2)
      await commit(store, {
        purged: [{ app: ONE, key: uuid(1) }],
        conversations: [conversation(uuid(1), { sequence: 6, headPosition: 2 }, { deletedAt: T + 9 })],
      })
      expect(await store.lists.movedSince(ONE, ben, 0)).toMatchObject([{ id: uuid(1), deletedAt: T + 9 }])
      expect(await store.lists.messagesSince(ONE, uuid(1), ben, 0, { above: 0, limit: 9 })).toEqual([])
    })
  })

  describe('apps, keys and sessions', () => {
    const app = (n: number) => ({
      key: 0 as AppKey,
      id: uuid(n),
      environment: 'staging' as const,
      name: `App ${n}`,
      sessionSeconds: n === 1 ? null : 60,
      allowedOrigins: n === 1 ? null : ['https://a.example'],
      createdAt: T + n,
      suspendedAt: null,
    })
    const key = (id: string, provider: Uuid) => ({
      id,
      provider,
      algorithm: 'ES256' as const,
      publicJwk: { kty: 'EC', x: 'ü' },
      state: 'active' as const,
      createdAt: T,
    })
    const provider = (n: number) => ({ id: uuid(n), app: 0 as AppKey, jwksUrl: null })

    it('keeps a secret, always the same, and no other store’s', async () => {
      const secret = await store.apps.secret()
      expect(secret.length).toBeGreaterThanOrEqual(32)
      expect(await store.apps.secret()).toBe(secret)
      const other = await open()
      expect(await other.apps.secret()).not.toBe(secret)
      expect(other.epoch).not.toBe(store.epoch)
      await other.close()
    })

    it('gives each app a key of its own, and its provider to it', async () => {
      await store.apps.create(app(1), provider(11), key('k1', uuid(11)))
      await store.apps.create(app(2), provider(12), null)
      const all = await store.apps.all()
      expect(all.map(({ id }) => id)).toEqual([uuid(1), uuid(2)])
      expect(new Set(all.map((one) => one.key)).size).toBe(2)
      for (const one of all) {
        expect(one).toEqual({ ...app(one.name === 'App 1' ? 1 : 2), key: one.key })
        expect(await store.apps.byKey(one.key)).toEqual(one)
        expect(await store.apps.byId(one.id)).toEqual(one)
        expect((await store.apps.providersOf(one.key)).map(({ id }) => id)).toEqual([
          one.name === 'App 1' ? uuid(11) : uuid(12),
        ])
      }
      expect(await store.apps.byId(uuid(3))).toBeUndefined()
      expect(await store.apps.byKey(99 as AppKey)).toBeUndefined()
      expect(await store.apps.provider(uuid(11))).toMatchObject({ app: all[0]!.key, jwksUrl: null })
      expect(await store.apps.provider(uuid(19))).toBeUndefined()
      await expect(store.apps.create(app(1), provider(13), null)).rejects.toThrow()
      expect(await store.apps.provider(uuid(13))).toBeUndefined()
    })

    it('changes of an app what may change, and nothing of another', async () => {
      await store.apps.create(app(1), provider(11), null)
      await store.apps.create(app(2), provider(12), null)
      const before = (await store.apps.byId(uuid(1)))!
      const change = { name: 'New', sessionSeconds: 90, allowedOrigins: ['https://b.example'], suspendedAt: T + 9 }
      await store.apps.putApp({ ...before, ...change, id: uuid(7), environment: 'production', createdAt: 0 })
      expect(await store.apps.byId(uuid(1))).toEqual({ ...before, ...change })
      expect(await store.apps.byKey(before.key)).toEqual({ ...before, ...change })
      expect(await store.apps.byId(uuid(2))).toMatchObject({ name: 'App 2', suspendedAt: null })
      await store.apps.putApp({ ...before, allowedOrigins: null, suspendedAt: null })
      expect(await store.apps.byId(uuid(1))).toEqual(before)
      await store.apps.putApp({ ...before, key: 99 as AppKey, name: 'Nobody' })
      expect((await store.apps.all()).map(({ name }) => name)).toEqual(['App 1', 'App 2'])
    })

    it('keeps several keys per provider, and changes nothing of a key but its state', async () => {
      await store.apps.create(app(1), provider(11), key('k1', uuid(11)))
      await store.apps.putKey({ ...key('k2', uuid(11)), createdAt: T + 1 })
      await store.apps.putKey({ ...key('k1', uuid(12)), publicJwk: { kty: 'swapped' }, state: 'disabled' })
      expect(await store.apps.key('k1')).toEqual({ ...key('k1', uuid(11)), state: 'disabled' })
      expect((await store.apps.keysOf(uuid(11))).map(({ id, state }) => [id, state])).toEqual([
        ['k1', 'disabled'],
        ['k2', 'active'],
      ])
      expect(await store.apps.key('K1')).toBeUndefined()
      await store.apps.putProvider({ ...provider(11), app: 1 as AppKey, jwksUrl: 'https://keys.example' })
      expect(await store.apps.provider(uuid(11))).toMatchObject({ jwksUrl: 'https://keys.example' })
    })

    it('knows in one look what a sign-in asks for', async () => {
      await store.apps.create(app(1), provider(11), key('k1', uuid(11)))
      await store.apps.create(app(2), provider(12), key('k2', uuid(12)))
      const known = (await store.apps.byId(uuid(1)))!
      expect(await store.apps.forSignIn(uuid(1))).toEqual({ app: known, registered: undefined, isSuspended: false })
      // Whose key it is, the one who asks decides upon.
      expect(await store.apps.forSignIn(uuid(1), { keyId: 'k2', userId: alice })).toEqual({
        app: known,
        registered: { key: await store.apps.key('k2'), provider: await store.apps.provider(uuid(12)) },
        isSuspended: false,
      })
      const nobody = await store.apps.forSignIn(uuid(1), { keyId: 'K1', userId: '' })
      expect(nobody).toEqual({ app: known, registered: undefined, isSuspended: false })
      expect(await store.apps.forSignIn(uuid(9), { keyId: 'k1', userId: alice })).toBeUndefined()
      // Strangers choose these.
      for (const odd of ['k1\0', '\ud800', 'x'.repeat(10_000), "'"]) {
        expect(await store.apps.key(odd)).toBeUndefined()
        expect(await store.apps.forSignIn(uuid(1), { keyId: odd, userId: odd })).toEqual(nobody)
      }
    })

    it('finds a session by the hash of its token, prolongs it and ends it', async () => {
      await commit(store, { sessions: [{ session: session(uuid(1)), tokenHash: 'h1' }] })
      expect(await store.apps.session('h1')).toEqual(session(uuid(1)))
      expect(await store.apps.session('h2')).toBeUndefined()
      await commit(store, { sessions: [{ session: session(uuid(1), { expiresAt: T + 9 }), tokenHash: null }] })
      expect(await store.apps.session('h1')).toEqual(session(uuid(1), { expiresAt: T + 9 }))
      await commit(store, { sessions: [{ session: session(uuid(1), { endedAt: T + 5 }), tokenHash: null }] })
      expect(await store.apps.session('h1')).toMatchObject({ endedAt: T + 5 })
    })

    it('ends all live sessions of one identity, and tells which ended since', async () => {
      await commit(store, {
        sessions: [
          { session: session(uuid(1)), tokenHash: 'h1' },
          { session: session(uuid(2)), tokenHash: 'h2' },
          { session: session(uuid(3), { endedAt: T - 10 }), tokenHash: 'h3' },
          { session: session(uuid(4), { userId: ben }), tokenHash: 'h4' },
          { session: session(uuid(5), { app: TWO }), tokenHash: 'h5' },
        ],
      })
      expect((await store.apps.liveSessionsOf(ONE, alice)).map(({ id }) => id).sort()).toEqual([uuid(1), uuid(2)])
      expect(await store.apps.endSessionsOf(ONE, alice, T + 20)).toBe(2)
      expect(await store.apps.endSessionsOf(ONE, alice, T + 30)).toBe(0)
      expect(await store.apps.liveSessionsOf(ONE, alice)).toEqual([])
      const ended = async (since: number) => (await store.apps.endedSince(since)).map(({ id }) => id).sort()
      expect(await ended(T + 20)).toEqual([uuid(1), uuid(2)])
      expect(await ended(T + 21)).toEqual([])
      expect(await ended(T - 10)).toEqual([uuid(1), uuid(2), uuid(3)])
      expect(await store.apps.session('h4')).toMatchObject({ endedAt: null })
      expect(await store.apps.session('h5')).toMatchObject({ endedAt: null })
      // And of all who are left in an app.
      expect(await store.apps.endSessionsOfApp(ONE, T + 40)).toBe(1)
      expect(await store.apps.endSessionsOfApp(ONE, T + 50)).toBe(0)
      expect(await store.apps.session('h1')).toMatchObject({ endedAt: T + 20 })
      expect(await store.apps.session('h4')).toMatchObject({ endedAt: T + 40 })
      expect(await store.apps.session('h5')).toMatchObject({ endedAt: null })
    })

    it('AUTH-31 a renewal that crosses a revocation does not undo it', async () => {
      await commit(store, { sessions: [{ session: session(uuid(1)), tokenHash: 'h1' }] })
      await store.apps.endSessionsOf(ONE, alice, T + 1)
      // What a lane commits that loaded the session a moment before the other process ended it.
      await commit(store, { sessions: [{ session: session(uuid(1), { expiresAt: T + 99 }), tokenHash: null }] })
      expect(await store.apps.session('h1')).toMatchObject({ endedAt: T + 1 })
    })
  })

  it('nothing crosses from one app to another, though every id and name is the same', async () => {
    await chatOfEverything(store, ONE, 'one')
    const before = await picture(store, ONE)
    await chatOfEverything(store, TWO, 'two')
    expect(await picture(store, ONE)).toEqual(before)
    const pictures = JSON.stringify([await picture(store, ONE), await picture(store, TWO)])
    expect(pictures.split('canary one').length).toBe(pictures.split('canary two').length)
    expect(JSON.stringify(await picture(store, ONE))).not.toContain('canary two')
    expect(JSON.stringify(await picture(store, TWO))).not.toContain('canary one')

    await commit(store, {
      purged: [{ app: TWO, key: uuid(1) }],
      conversations: [conversation(uuid(1), { sequence: 9, headPosition: 3 }, { deletedAt: T }, TWO)],
      participants: [participant(uuid(1), ben, { state: 'left', order: 2, sequence: 8, inboxSequence: 2 }, TWO)],
      people: [person(ben, 2, TWO, { displayName: 'canary two, changed' })],
    })
    await store.apps.endSessionsOf(TWO, alice, T)
    expect(await picture(store, ONE)).toEqual(before)
  })
}

/** What a store must do for writers that know nothing of each other, each with what it loaded earlier. */
function severalWriters(store: () => Store): void {
  const believed = async (conversations: readonly Uuid[], people: readonly UserId[]): Promise<Basis> => {
    const items = <K>(keys: readonly K[]) => keys.map((key) => ({ app: ONE, key }))
    const loaded = await store().log.load({ ...NOTHING, conversations: items(conversations), people: items(people) })
    return {
      conversations: conversations.map((key) => ({
        app: ONE,
        key,
        revision: loaded.conversations.find(({ record }) => record.id === key)?.revision ?? 0,
      })),
      people: people.map((key) => ({
        app: ONE,
        key,
        revision: loaded.people.find(({ profile }) => profile.userId === key)?.revision ?? 0,
      })),
    }
  }
  const outdated = (names: object) => ({ name: 'Stale', outdated: { ...NOTHING, ...names } })

  it('38 a piece of work is of one process at a time, of the next when that one gives it up or its time is over', async () => {
    const { claims } = store()
    const claim = (holder: string, ms: number, work = 'pruning') => claims!.claim(work, holder, ms)
    const all = await Promise.all(['a', 'b', 'c', 'd'].map((holder) => claim(holder, 60_000)))
    expect(all.filter((isIts) => isIts)).toHaveLength(1)
    const holder = ['a', 'b', 'c', 'd'][all.indexOf(true)]!
    expect(await claim(holder, 60_000)).toBe(true)
    expect(await claim('e', 60_000)).toBe(false)
    expect(await claim('e', 60_000, 'another')).toBe(true)
    expect(await claim('e', 0)).toBe(false)
    expect(await claim(holder, 0)).toBe(true)
    // Whoever gave it up has its last word behind them: many come at once, and one has it.
    const next = await Promise.all(['f', 'g', 'h'].map((one) => claim(one, 50)))
    expect(next.filter((isIts) => isIts)).toHaveLength(1)
    // The time is that of the store, which nobody can crank.
    await vi.waitFor(async () => expect(await claim('i', 60_000)).toBe(true), { timeout: 5_000, interval: 10 })
    expect(await claim('f', 60_000)).toBe(false)
  })

  it('LOG-1 the cursor a writer names plays no part', async () => {
    for (const cursor of [0, 1, 99]) {
      const basis = await believed([], [ben])
      await store().log.commit({ ...EMPTY, basis, cursor, at: T, people: [person(ben, cursor)] })
    }
    expect((await store().streams.inbox(ONE, ben, 0, 9)).sequence).toBe(99)
  })

  /** What somebody else did meanwhile → what of it a writer of `uuid(1)`, Alice and Ben finds outdated. */
  const meanwhile: Record<string, [Changes, object]> = {
    'a message': [
      { conversations: [conversation(uuid(1), { headSequence: 5, headPosition: 2 })], messages: [message(uuid(1), 2)] },
      { conversations: [{ app: ONE, key: uuid(1) }] },
    ],
    'a private change of a participant': [
      { participants: [participant(uuid(1), ben, { order: 2, sequence: 3, inboxSequence: 2, state: 'hidden' })] },
      { conversations: [{ app: ONE, key: uuid(1) }] },
    ],
    'a profile': [
      { people: [{ ...person(ben, 1, ONE, { displayName: 'B' }), isInboxMoved: false }] },
      { people: [{ app: ONE, key: ben }] },
    ],
    'a purge and an inbox': [
      { purged: [{ app: ONE, key: uuid(1) }], people: [person(alice, 2)] },
      { conversations: [{ app: ONE, key: uuid(1) }], people: [{ app: ONE, key: alice }] },
    ],
  }
  it.each(Object.entries(meanwhile))(
    'LOG-2 %s meanwhile: the commit is refused whole and says what is outdated',
    async (_name, [changes, names]) => {
      await chat(store(), uuid(1), 1)
      const basis = await believed([uuid(1)], [alice, ben])
      await commit(store(), changes)
      const before = await picture(store())
      const writes = {
        conversations: [conversation(uuid(1), { headSequence: 6, headPosition: 3 })],
        messages: [message(uuid(1), 3, { id: uuid(77) })],
        people: [person(alice, 3), person(ben, 3)],
        nonces: [{ hash: 'fresh', forgetAt: T }],
      }
      await expect(store().log.commit({ ...EMPTY, ...writes, basis, cursor: 0, at: T })).rejects.toMatchObject(
        outdated(names),
      )
      expect(await picture(store())).toEqual(before)
      await commit(store(), writes)
      expect(await store().lists.message(ONE, uuid(77))).toBeDefined()
    },
  )

  it('LOG-2 what was believed absent and is there now is outdated; so is what is read and not written', async () => {
    const basis = await believed([uuid(1)], [alice, ben])
    await chat(store(), uuid(1), 1)
    const writes = { conversations: [conversation(uuid(1))], people: [person(alice, 1)] }
    await expect(store().log.commit({ ...EMPTY, ...writes, basis, cursor: 0, at: T })).rejects.toMatchObject(
      outdated({
        conversations: [{ app: ONE, key: uuid(1) }],
        people: [alice, ben].map((key) => ({ app: ONE, key })),
      }),
    )
  })

  it('LOG-2 what was only read stays as it was, for others who read it', async () => {
    await chat(store(), uuid(1), 1)
    const basis = await believed([uuid(1)], [alice])
    await store().log.commit({ ...EMPTY, basis, people: [person(cleo)], cursor: 0, at: T })
    expect(await believed([uuid(1)], [alice])).toEqual(basis)
  })

  it('LOG-2 changes of other conversations and people are none of its concern', async () => {
    await chat(store(), uuid(1), 1)
    await chat(store(), uuid(2), 1, { inbox: 2 })
    const basis = await believed([uuid(1)], [])
    await chat(store(), uuid(3), 1, { inbox: 3 })
    await commit(store(), { messages: [message(uuid(2), 2)] })
    await store().log.commit({ ...EMPTY, basis, messages: [message(uuid(1), 2)], cursor: 0, at: T })
    expect(await store().lists.message(ONE, message(uuid(1), 2).id)).toBeDefined()
  })

  /** What two writers both believe to be new. */
  const twice: Record<string, [Changes, object]> = {
    nonces: [{ nonces: [{ hash: 'n', forgetAt: T }] }, { nonces: ['n'] }],
    operations: [
      { operations: [{ app: ONE, userId: alice, id: uuid(5), name: 'x', at: T }] },
      { operations: [expect.objectContaining({ app: ONE, userId: alice, id: uuid(5) })] },
    ],
    sessions: [{ sessions: [{ session: session(uuid(6)), tokenHash: 'h' }] }, { sessions: [uuid(6)] }],
  }
  it.each(Object.entries(twice))('LOG-3 %s that are there already are named', async (_name, [changes, names]) => {
    await commit(store(), changes)
    await expect(commit(store(), { ...changes, people: [person(ben)] })).rejects.toMatchObject(outdated(names))
    expect(await store().lists.profile(ONE, ben)).toBeUndefined()
  })

  it('CNV-1 of two that begin the same distinct conversation, one is told of the other', async () => {
    await commit(store(), { conversations: [conversation(uuid(1), {}, { distinctKey: 'ab' })] })
    const second = commit(store(), { conversations: [conversation(uuid(2), {}, { distinctKey: 'ab' })] })
    await expect(second).rejects.toMatchObject({
      name: 'Stale',
      outdated: { distinctKeys: [{ app: ONE, key: 'ab' }] },
    })
  })

  it('CNV-1 one commit may hand a distinct key from one conversation to another', async () => {
    await commit(store(), { conversations: [conversation(uuid(2), {}, { distinctKey: 'ab' })] })
    await commit(store(), {
      conversations: [conversation(uuid(1), {}, { distinctKey: 'ab' }), conversation(uuid(2), { sequence: 2 })],
    })
    const found = await store().log.load({ ...NOTHING, distinctKeys: [{ app: ONE, key: 'ab' }] })
    expect(found.conversations.map(({ record }) => record.id)).toEqual([uuid(1)])
  })

  it('LOG-2 commits at once on the same conversation: each position is taken once, whoever loses is told so', async () => {
    await chat(store(), uuid(1), 0)
    const send = async (n: number): Promise<number> => {
      for (let lost = 0; ; lost++) {
        const basis = await believed([uuid(1)], [])
        const { conversations } = await store().log.load({ ...NOTHING, conversations: [{ app: ONE, key: uuid(1) }] })
        const { headPosition, headSequence, revision } = conversations[0]!
        if (revision !== basis.conversations[0]!.revision) continue
        const heads = { sequence: 1, headSequence: headSequence + 1, headPosition: headPosition + 1 }
        const sent = message(uuid(1), headPosition + 1, { id: uuid(900 + n), sequence: headSequence + 1 })
        const writes = { conversations: [conversation(uuid(1), heads)], messages: [sent] }
        try {
          await store().log.commit({ ...EMPTY, ...writes, basis, cursor: 0, at: T })
          return lost
        } catch (error) {
          expect(error).toMatchObject(outdated({ conversations: [{ app: ONE, key: uuid(1) }] }))
        }
      }
    }
    await Promise.all(Array.from({ length: 12 }, (_, n) => send(n)))
    const page = await store().streams.messages(ONE, uuid(1), alice, null, 99)
    expect(positions(page!.messages)).toEqual(Array.from({ length: 12 }, (_, index) => 12 - index))
    expect(new Set(page!.messages.map(({ id }) => id)).size).toBe(12)
  })
}

/** One of everything in an app, with its name in all that is text. */
export async function chatOfEverything(store: Store, app: AppKey, name: string): Promise<void> {
  const canary = `canary ${name}`
  const parts = [{ mime_type: 'text/plain', body: canary }]
  await commit(store, {
    people: [person(alice, 1, app, { displayName: canary }), person(ben, 1, app, { displayName: canary })],
    conversations: [
      conversation(uuid(1), { headSequence: 7, headPosition: 3 }, { distinctKey: 'ab', metadata: { canary } }, app),
    ],
    participants: [participant(uuid(1), alice, {}, app), participant(uuid(1), ben, { order: 2, sequence: 3 }, app)],
    messages: [
      message(uuid(1), 1, { parts }, app),
      message(uuid(1), 2, { parts }, app),
      message(uuid(1), 3, { parts, sequence: 7, firstSequence: 6 }, app),
    ],
    sessions: [{ session: session(app === ONE ? uuid(101) : uuid(102), { app }), tokenHash: canary }],
    operations: [{ app, userId: alice, id: uuid(1), name: canary, at: T }],
  })
}

/** All that can be read of one app, as one value. */
export async function picture(store: Store, app: AppKey = ONE) {
  const { log, streams, lists, apps } = store
  const ids = [uuid(1), uuid(2), uuid(3)]
  const of = async (viewer: UserId) => ({
    inbox: await streams.inbox(app, viewer, 0, 99),
    conversations: await lists.conversations(app, viewer, { sortBy: 'created_at', from: null, limit: 99 }),
    acquaintances: await lists.acquaintances(app, viewer, { from: null, limit: 99 }),
    areAcquainted: await lists.areAcquainted(app, viewer, cleo),
    conversationsOf: await lists.conversationsOf(app, viewer),
    profile: await lists.profile(app, viewer),
    sessions: await apps.liveSessionsOf(app, viewer),
    changed: (await lists.movedSince(app, viewer, 0)).map(({ id, own }) => ({ id, own })),
    each: await Promise.all(
      ids.map(async (id) => ({
        view: await lists.conversation(app, id, viewer),
        stream: await streams.conversation(app, id, viewer, 0, 99),
        page: await streams.messages(app, id, viewer, null, 99),
        older: await streams.messages(app, id, viewer, 3, 99),
        messages: await lists.messages(app, id, viewer, { from: uuid(1003), limit: 99 }),
        since: await lists.messagesSince(app, id, viewer, T + 2, { above: 0, limit: 99 }),
        audience: await streams.audience(app, id),
      })),
    ),
  })
  // The cursor is the whole store's.
  const { cursor: _cursor, ...moved } = await streams.moved(app, alice, 0)
  return {
    moved,
    message: await lists.message(app, uuid(1001)),
    distinct: await log.load({ ...NOTHING, distinctKeys: [{ app, key: 'ab' }] }),
    loaded: await log.load({
      conversations: ids.map((key) => ({ app, key })),
      distinctKeys: [],
      messages: [1001, 1002, 1003, 1004, 1005].map((n) => ({ app, key: uuid(n) })),
      people: [alice, ben, cleo].map((key) => ({ app, key })),
      operations: [{ app, userId: alice, id: uuid(1) }],
      nonces: ['fresh'],
      sessions: [uuid(7)],
    }),
    alice: await of(alice),
    ben: await of(ben),
    cleo: await of(cleo),
  }
}

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
