import { expect, test } from 'vitest'
import { alice, dropped, message, messageNamed, person, sending, talk, talkWith } from '../../test/support/rows.ts'
import { createMemoryStorage } from '../replica/memory/index.ts'
import type { Replica, Write } from '../replica/replica.ts'
import { readConversationRows } from './conversation-rows.ts'
import { conversationState } from './conversation-state.ts'
import { readNewest } from './read-messages.ts'

const ids = [messageNamed('11'), messageNamed('12'), messageNamed('901')]
const confirmation: readonly Write[] = [...message(3, { id: messageNamed('901'), sender: alice }), dropped(1)]

/** A replica in which the pending message is confirmed just before the nth read. */
async function confirmedBeforeRead(nth: number) {
  const replica = await createMemoryStorage().open('app')
  await replica.commit([...talkWith(0), ...message(1, { id: ids[0]! }), ...message(2, { id: ids[1]! }), sending(1)], {
    durability: 'relaxed',
  })
  const state = conversationState({
    id: talk,
    rows: await readConversationRows(replica, talk),
    entries: (await replica.scan('outbox')) as never,
    self: person('alice'),
    identityOf: () => undefined,
  })
  let reads = 0
  const confirmInTime = async () => {
    if (++reads === nth) await replica.commit(confirmation, { durability: 'relaxed' })
  }
  const racing: Replica = {
    ...replica,
    getMany: async (table, keys) => {
      await confirmInTime()
      return replica.getMany(table, keys)
    },
    scan: async (table, range) => {
      await confirmInTime()
      return replica.scan(table, range)
    },
  }
  return { racing, state, reads: () => reads }
}

test.each([1, 2, 3])('a message that is confirmed before read %i of a look is in it, once', async (nth) => {
  const { racing, state } = await confirmedBeforeRead(nth)
  const { messages } = await readNewest(racing, state, 10)
  expect(messages.map(({ id }) => id)).toEqual(ids)
})
