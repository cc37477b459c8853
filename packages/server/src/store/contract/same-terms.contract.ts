/** What a store must do with messages that are sent on terms that still hold, where others sent something meanwhile. */
import type { Uuid } from '@parley/protocol'
import { expect, it } from 'vitest'
import { type BelievedConversation, type LoadedConversation, NOTHING, type Place, type Store } from '../store.ts'
import {
  alice,
  ben,
  type Changes,
  chat,
  commit,
  conversation,
  EMPTY,
  message,
  ONE,
  participant,
  T,
  uuid,
} from './records.contract.ts'
import { picture } from './whole-app.contract.ts'

export function sameTerms(store: () => Store): void {
  const look = async (id: Uuid): Promise<LoadedConversation> =>
    (await store().log.load({ ...NOTHING, conversations: [{ app: ONE, key: id }] })).conversations[0]!

  const believed = (
    { record, revision, terms }: LoadedConversation,
    change?: BelievedConversation['change'],
  ): BelievedConversation => ({
    app: ONE,
    key: record.id,
    revision: revision!,
    terms: terms!,
    ...(change && { change }),
  })

  /** Messages as a writer sends them who last looked then; `ids` has one for each. */
  const sending = (seen: LoadedConversation, ids: readonly number[], sentAt = T): Changes => ({
    conversations: [
      {
        ...conversation(seen.record.id),
        record: seen.record,
        isRecordSame: true,
        headSequence: seen.headSequence + ids.length,
        headPosition: seen.headPosition + ids.length,
        lastMessageAt: sentAt,
      },
    ],
    messages: ids.map((id, index) =>
      message(seen.record.id, seen.headPosition + index + 1, {
        id: uuid(id),
        sequence: seen.headSequence + index + 1,
        sentAt,
      }),
    ),
  })
  const asBelieved = (
    changes: Changes,
    conversations: readonly BelievedConversation[],
    people: readonly never[] = [],
  ): Promise<Place> => store().log.commit({ ...EMPTY, ...changes, basis: { conversations, people }, cursor: 0, at: T })
  const send = (seen: LoadedConversation, ids: readonly number[], sentAt?: number) =>
    asBelieved(sending(seen, ids, sentAt), [believed(seen, 'messages')])

  /** Positions, sequences and times of what is there, oldest first. */
  const written = async (id: Uuid) => {
    const { messages } = (await store().streams.messages(ONE, id, alice, null, 99))!
    return [...messages].reverse().map((one) => [one.id, one.position, one.sequence, one.firstSequence, one.sentAt])
  }

  it('LOG-2 they come after those of others, not earlier in time, and the answer says how far', async () => {
    await chat(store(), uuid(1), 1)
    const seen = await look(uuid(1))
    expect(await send(seen, [81, 82, 83], T + 50)).not.toHaveProperty('shifted')
    const { shifted } = await send(seen, [91, 92], T + 40)
    expect(shifted).toEqual([
      { app: ONE, key: uuid(1), sequences: 3, positions: 3, sentAt: T + 50, revision: seen.revision! + 2 },
    ])
    expect((await written(uuid(1))).slice(1)).toEqual([
      [uuid(81), 2, 5, 5, T + 50],
      [uuid(82), 3, 6, 6, T + 50],
      [uuid(83), 4, 7, 7, T + 50],
      [uuid(91), 5, 8, 8, T + 50],
      [uuid(92), 6, 9, 9, T + 50],
    ])
    expect(await store().lists.message(ONE, uuid(92))).toMatchObject({ position: 6 })
    const now = await look(uuid(1))
    expect(now).toMatchObject({ headSequence: 9, headPosition: 6, lastMessageAt: T + 50, terms: seen.terms })
    expect(now.revision).toBe(shifted![0]!.revision)
    expect(await send(now, [99], T + 60)).not.toHaveProperty('shifted')
  })

  it('LOG-2 one commit shifts what it has to, each conversation by as much, and leaves the others', async () => {
    for (const n of [1, 2, 3]) await chat(store(), uuid(n), n, { inbox: n })
    const seen = await Promise.all([1, 2, 3].map((n) => look(uuid(n))))
    await send(seen[0]!, [81])
    await send(seen[2]!, [82, 83])
    const all = seen.map((one, index) => sending(one, [91 + index], T + 9))
    const { shifted } = await asBelieved(
      {
        conversations: all.flatMap(({ conversations }) => conversations!),
        messages: all.flatMap(({ messages }) => messages!),
      },
      seen.map((one) => believed(one, 'messages')),
    )
    expect(shifted!.map(({ key, positions }) => [key, positions]).sort()).toEqual([
      [uuid(1), 1],
      [uuid(3), 2],
    ])
    expect((await written(uuid(1))).at(-1)).toEqual([uuid(91), 3, 6, 6, T + 9])
    expect((await written(uuid(2))).at(-1)).toEqual([uuid(92), 3, 6, 6, T + 9])
    expect((await written(uuid(3))).at(-1)).toEqual([uuid(93), 6, 9, 9, T + 9])
  })

  it('LOG-2 RCT-1 marks that somebody set meanwhile are no hindrance, and are left as they are', async () => {
    await chat(store(), uuid(1), 1)
    const seen = await look(uuid(1))
    const bens = participant(uuid(1), ben, { order: 2, sequence: 5, read: [1, 1], delivered: [1, 1] })
    const heads = { ...sending(seen, []).conversations![0]!, headSequence: 5 }
    await asBelieved({ conversations: [heads], participants: [bens] }, [believed(seen, 'marks')])
    const { shifted } = await send(seen, [91])
    expect(shifted).toMatchObject([{ sequences: 1, positions: 0 }])
    const now = await look(uuid(1))
    expect(now).toMatchObject({ headSequence: 6, headPosition: 2, terms: seen.terms })
    expect(now.participants.find(({ userId }) => userId === ben)).toMatchObject({ read: [1, 1], sequence: 5 })
    // Marks are written whole, so they are of one who knows all others.
    await expect(
      asBelieved({ conversations: [heads], participants: [bens] }, [believed(seen, 'marks')]),
    ).rejects.toMatchObject({ name: 'Stale' })
  })

  /** What somebody else did meanwhile, after which there are other terms. */
  const meanwhile: Record<string, Changes> = {
    'somebody was removed': {
      participants: [participant(uuid(1), ben, { order: 2, state: 'removed', lastPosition: 1, sequence: 5 })],
    },
    'somebody deleted it from their devices': {
      participants: [participant(uuid(1), ben, { order: 2, state: 'hidden', sequence: 3, inboxSequence: 2 })],
    },
    'it was deleted': {
      conversations: [conversation(uuid(1), { sequence: 5, headPosition: 1 }, { deletedAt: T })],
      purged: [{ app: ONE, key: uuid(1) }],
    },
    'a message was deleted': {
      messages: [message(uuid(1), 1, { isNew: false, sequence: 5, firstSequence: 4, deletedAt: T })],
    },
  }
  it.each(Object.entries(meanwhile))(
    'LOG-2 %s meanwhile: nothing is sent on terms of before',
    async (_name, changes) => {
      await chat(store(), uuid(1), 1)
      await chat(store(), uuid(2), 1, { inbox: 2 })
      const seen = [await look(uuid(1)), await look(uuid(2))]
      await commit(store(), changes)
      await send(seen[1]!, [81])
      const before = await picture(store())
      const both = asBelieved(
        {
          conversations: [...sending(seen[0]!, [91]).conversations!, ...sending(seen[1]!, [92]).conversations!],
          messages: [...sending(seen[0]!, [91]).messages!, ...sending(seen[1]!, [92]).messages!],
        },
        seen.map((one) => believed(one, 'messages')),
      )
      await expect(both).rejects.toMatchObject({
        name: 'Stale',
        outdated: { ...NOTHING, conversations: [{ app: ONE, key: uuid(1) }] },
      })
      expect(await picture(store())).toEqual(before)
    },
  )

  it('OPR-1 the id of a message that is there already is refused, wherever it would have come to lie', async () => {
    await chat(store(), uuid(1), 1)
    const seen = await look(uuid(1))
    await send(seen, [81])
    const before = await picture(store())
    await expect(send(seen, [91, 81])).rejects.toMatchObject({ name: 'MessageExists' })
    expect(await picture(store())).toEqual(before)
  })

  it('LOG-2 many at once that all looked before: nobody is refused, and each position is taken once', async () => {
    await chat(store(), uuid(1), 0)
    const seen = await look(uuid(1))
    const places = await Promise.all(Array.from({ length: 12 }, (_, n) => send(seen, [100 + 2 * n, 101 + 2 * n])))
    const there = await written(uuid(1))
    expect(there.map(([, position]) => position)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1))
    for (const [n, { shifted }] of places.entries()) {
      const first = 1 + (shifted?.[0]?.positions ?? 0)
      expect(there[first - 1]![0]).toBe(uuid(100 + 2 * n))
      expect(there[first]![0]).toBe(uuid(101 + 2 * n))
    }
  })
}
