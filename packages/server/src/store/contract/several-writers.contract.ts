/** What a store must do for writers that know nothing of each other, each with what it loaded earlier. */
import type { UserId, Uuid } from '@parley/protocol'
import { expect, it, vi } from 'vitest'
import { type Basis, NOTHING, type Store } from '../store.ts'
import {
  alice,
  ben,
  type Changes,
  chat,
  cleo,
  commit,
  conversation,
  EMPTY,
  message,
  ONE,
  participant,
  person,
  positions,
  session,
  T,
  uuid,
} from './records.contract.ts'
import { picture } from './whole-app.contract.ts'

export function severalWriters(store: () => Store): void {
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
