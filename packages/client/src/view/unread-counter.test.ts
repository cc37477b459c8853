import { describe, expect, it } from 'vitest'
import { alice, deletedMessage, message, person, talk, talkWith } from '../../test/support/rows.ts'
import { createMemoryStorage } from '../replica/memory/index.ts'
import type { Replica, Tables, Write } from '../replica/replica.ts'
import { readConversationRows } from './conversation-rows.ts'
import { type ConversationState, conversationState } from './conversation-state.ts'
import { UnreadCounter } from './unread-counter.ts'

describe('counting unread messages', () => {
  it('reads rows once, and follows what is committed from then on', async () => {
    const { replica, state, counter, scans, commit } = await setUp(talkWith(5))
    expect(await counter.count(replica, state)).toBe(5)
    await commit(message(6))
    await commit(message(7, { sender: alice }))
    await commit(deletedMessage(2))
    expect(await counter.count(replica, state)).toBe(5)
    expect(await counter.count(replica, { ...state, read: [1, 3] })).toBe(3)
    expect(scans()).toBe(1)
  })

  it('reads again when less is read than before: a mark in the outbox was refused', async () => {
    const { replica, state, counter, scans } = await setUp(talkWith(5))
    expect(await counter.count(replica, { ...state, read: [1, 4] })).toBe(1)
    expect(await counter.count(replica, state)).toBe(5)
    expect(scans()).toBe(2)
  })

  it('takes what is committed while rows are read for newer than what is read', async () => {
    const { replica, state, counter, commit, hold } = await setUp(talkWith(3))
    const release = hold()
    const counting = counter.count(replica, state)
    await commit(deletedMessage(1))
    await commit(message(4))
    await commit(message(5))
    await commit(deletedMessage(5))
    await commit(message(6))
    release()
    expect(await counting).toBe(4)
  })
})

async function setUp(writes: readonly Write[]) {
  const stored = await createMemoryStorage().open('app')
  let held: Promise<void> | undefined
  let scans = 0
  const counter = new UnreadCounter()
  const replica: Replica = {
    ...bound(stored),
    async scan(table, range) {
      const rows = await stored.scan(table, range)
      if (table === 'messages') scans += 1
      // Read before whatever is committed while this waits.
      await held
      return rows
    },
  }
  const commit = async (writes: readonly Write[]) => {
    await stored.commit(writes, { durability: 'relaxed' })
    for (const write of writes) {
      if (write.type === 'put' && write.table === 'messages') counter.put(write.row as Tables['messages'], alice)
    }
  }
  await commit(writes)
  const rows = await readConversationRows(stored, talk)
  const state: ConversationState = conversationState({
    id: talk,
    rows,
    entries: [],
    self: person('alice'),
    identityOf: () => undefined,
  })
  const hold = () => {
    let release = () => {}
    held = new Promise((resolve) => {
      release = resolve
    })
    return release
  }
  return { replica, state, counter, scans: () => scans, commit, hold }
}

function bound(replica: Replica): Replica {
  return {
    get: (table, key) => replica.get(table, key),
    getMany: (table, keys) => replica.getMany(table, keys),
    scan: (table, range) => replica.scan(table, range),
    count: (table, range) => replica.count(table, range),
    commit: (writes, options) => replica.commit(writes, options),
    close: () => replica.close(),
  }
}
