import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  conversation,
  conversationNamed,
  deletedMessage,
  dropped,
  entry,
  failed,
  membership,
  message,
  messageNamed,
  participant,
  sending,
  stream,
} from '../../test/support/rows.ts'
import { createViewDevice } from '../../test/support/view-device.ts'
import type { Write } from '../replica/replica.ts'
import { applyListChanges } from './list-changes.ts'
import type { LiveQuery } from './live-query.ts'
import type { Views } from './views.ts'

const ids = ['1', '2', '3'].map(conversationNamed)

describe('live queries', () => {
  it('QCTL-2 whatever is committed and when, end like queries made afresh, and their changes lead there', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const device = await createViewDevice()
        const open = (views: Views): LiveQuery<{ readonly id: string }>[] => [
          views.conversations(),
          views.conversations({ sortBy: 'createdAt', includeEmpty: false, window: 2 }),
          views.conversations({ predicate: (found) => found.unreadCount > 0 }),
          ...ids.map((id) => views.messages(id, { window: 3 })),
        ]
        const followed = open(device.views).map(follow)
        for (const { writes, turns } of steps) {
          // Sometimes the queries get to look in between, sometimes they are overtaken.
          await device.commit(writes)
          await passes(turns)
        }
        await passes(2_000)
        for (const [i, fresh] of open(device.freshViews()).entries()) {
          await fresh.ready
          const { query, list } = followed[i]!
          expect(query.snapshot()).toEqual(fresh.snapshot())
          expect([query.total, query.hasMore]).toEqual([fresh.total, fresh.hasMore])
          expect(list()).toEqual(query.snapshot())
        }
        expect(device.errors).toEqual([])
      }),
      { numRuns: 150 },
    )
  })
})

function follow<T extends { readonly id: string }>(query: LiveQuery<T>) {
  let list = query.snapshot()
  query.subscribe(({ changes }) => {
    list = applyListChanges(list, changes)
  })
  return { query, list: () => list }
}

const position = fc.integer({ min: 1, max: 6 })
const order = fc.integer({ min: 1, max: 8 })
const id = fc.constantFrom(...ids)
const mark = fc.constantFrom([], [1, 2], [1, 4], [2, 2], [1, 9])

const write: fc.Arbitrary<readonly Write[]> = fc.oneof(
  fc.record({ id, minute: fc.nat(9), isDeleted: fc.boolean() }).map(({ id, minute, isDeleted }) => [
    conversation({
      id,
      created_at: `2026-11-22T10:0${minute}:00.000Z`,
      deleted_at: isDeleted && minute === 0 ? 'then' : null,
    }),
  ]),
  fc
    .tuple(id, fc.constantFrom('alice', 'bob'), mark)
    .map(([id, name, read]) => [participant(name, { conversation: id, read, delivered: read })]),
  fc
    .tuple(id, fc.constantFrom('joined', 'joined', 'hidden', 'removed', 'left'), mark)
    .map(([id, state, hidden]) => [
      membership(state, { conversation: id, hidden, last_position: state === 'removed' ? 3 : null }),
    ]),
  fc
    .tuple(id, fc.integer({ min: 1, max: 3 }), fc.nat(99))
    .map(([id, oldest, sequence]) => [
      stream({ stream: id, oldest, complete: oldest === 1, sequence, head: sequence }),
    ]),
  fc.tuple(id, position, fc.nat(59)).map(([conversation, at, minute]) =>
    message(at, {
      conversation,
      id: messageId(conversation, at),
      sent_at: new Date(Date.UTC(2026, 10, 22, 11, minute)).toISOString(),
    }),
  ),
  fc
    .tuple(id, position)
    .map(([conversation, at]) => deletedMessage(at, { conversation, id: messageId(conversation, at) })),
  fc.tuple(id, position).map(([conversation, at]): Write[] => [
    { type: 'delete', table: 'messages', key: [conversation, at] },
    { type: 'delete', table: 'positions', key: [messageId(conversation, at)] },
  ]),
  id.map((id): Write[] => [
    { type: 'delete', table: 'conversations', key: [id] },
    { type: 'delete-all', table: 'participants', prefix: [id] },
    { type: 'delete-all', table: 'messages', prefix: [id] },
  ]),
  fc
    .tuple(order, id, fc.boolean())
    .map(([order, id, isFailed]) => [
      sending(order, 'text', { conversation: id, ...(isFailed ? { state: failed } : {}) }),
    ]),
  fc
    .tuple(order, id, position)
    .map(([order, id, position]) => [
      entry(order, 'mark-messages', { receipt: 'read', position }, { conversation: id }),
    ]),
  fc
    .tuple(order, id)
    .map(([order, id]) => [
      entry(order, 'create-conversation', { id, participants: [], distinct: false }, { conversation: id }),
    ]),
  fc
    .tuple(order, id, fc.boolean())
    .map(([order, id, leave]) => [
      entry(order, 'delete-conversation', { mode: 'my_devices', leave }, { conversation: id }),
    ]),
  fc
    .tuple(order, id, position)
    .map(([order, id, at]) => [
      entry(order, 'delete-message', { mode: 'my_devices', message: messageId(id, at) }, { conversation: id }),
    ]),
  order.map((order) => [dropped(order)]),
  fc.constant<Write[]>([{ type: 'delete-all', table: 'messages', prefix: [] }]),
)

const step = fc.record({
  writes: fc.array(write, { minLength: 1, maxLength: 4 }).map((lists) => lists.flat()),
  turns: fc.constantFrom(0, 0, 1, 3, 10, 40, 300),
})

const messageId = (conversation: string, position: number) => messageNamed(`${conversation.slice(-1)}0${position}`)

async function passes(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await null
}
