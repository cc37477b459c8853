/** What becomes of a conversation that is too long to be deleted in one go. */
import { type PostgresServer, startPostgres } from '@parley/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FreshDatabases, query } from '../../../test/fresh-databases.ts'
import { alice, ben, chat, commit, conversation, message, ONE, uuid } from '../contract/records.contract.ts'
import type { Store } from '../store.ts'
import { PURGE_PORTION } from './purge.ts'

const LENGTH = 3 * PURGE_PORTION + 5
const NEVER = { operationsMs: 0, noncesMs: 0 }

describe('deleting a long conversation', () => {
  let server: PostgresServer
  let databases: FreshDatabases
  let store: Store
  beforeAll(async () => {
    server = await startPostgres({ version: 18, settings: { fsync: 'off', autovacuum: 'off' } })
    databases = new FreshDatabases(server)
  })
  afterAll(async () => {
    await databases?.close()
    await server?.close()
  })
  const url = () => server.url('test_1')
  const left = async () => {
    const [row] = await query(
      url(),
      `SELECT (SELECT count(*)::int FROM parley.messages) AS messages, (SELECT count(*)::int FROM parley.message_ids) AS ids,
         (SELECT count(*)::int FROM parley.purges) AS noted`,
    )
    return row
  }
  const deleted = () =>
    conversation(uuid(1), { sequence: LENGTH + 4, headSequence: LENGTH + 4, headPosition: LENGTH }, { deletedAt: 1 })
  const deleteIt = () => commit(store, { purged: [{ app: ONE, key: uuid(1) }], conversations: [deleted()] })
  /** As a process leaves it that dies right after the commit. */
  const deleteAndDie = async () => {
    await commit(store, { conversations: [deleted()] })
    await query(url(), 'INSERT INTO parley.purges VALUES ($1, $2, 1, $3)', [ONE, uuid(1), LENGTH])
  }

  beforeEach(async () => {
    await store?.close()
    store = await databases.open()
    await chat(store, uuid(1), LENGTH)
    await chat(store, uuid(9), 3, { inbox: 2 })
  })

  it('CNV-3 nobody sees any of it from the commit on, whatever is still there', async () => {
    await deleteAndDie()
    expect(await store.lists.message(ONE, message(uuid(1), LENGTH).id)).toBeUndefined()
    expect(await store.lists.messages(ONE, uuid(1), alice, { from: null, limit: 9 })).toBeUndefined()
    const page = await store.streams.conversation(ONE, uuid(1), ben, 0, 250)
    expect(page!.rows.map(({ type }) => type)).toEqual(['participant', 'participant', 'conversation'])
    const [written] = await store.streams.writtenConversations(ONE, ben, [{ id: uuid(1), after: 0 }], 250)
    expect(written!.rows.map(({ type }) => type)).toEqual(['participant', 'participant', 'conversation'])
    expect((await store.streams.messages(ONE, uuid(1), ben, null, 9))!.messages).toEqual([])
    expect(await left()).toEqual({ messages: LENGTH + 3, ids: LENGTH + 3, noted: 1 })
  })

  it('goes in portions, and whoever prunes carries on for a process that died', async () => {
    await deleteAndDie()
    await query(url(), 'SELECT parley.purge_some($1)', [PURGE_PORTION])
    expect(await left()).toEqual({ messages: LENGTH - PURGE_PORTION + 3, ids: LENGTH - PURGE_PORTION + 3, noted: 1 })
    await store.log.prune(NEVER)
    expect(await left()).toEqual({ messages: 3, ids: 3, noted: 0 })
    expect(await store.lists.message(ONE, message(uuid(9), 2).id)).toBeDefined()
  })

  it('goes on by itself, without anybody who prunes', async () => {
    await deleteIt()
    await expect.poll(left).toEqual({ messages: 3, ids: 3, noted: 0 })
  })

  it('two who do it at once share it out, and neither waits for the other', async () => {
    await deleteAndDie()
    await Promise.all([store.log.prune(NEVER), store.log.prune(NEVER)])
    await expect.poll(left).toEqual({ messages: 3, ids: 3, noted: 0 })
  })

  it('what is still there keeps its ids', async () => {
    await deleteAndDie()
    const again = { id: message(uuid(1), LENGTH).id, sender: alice }
    await expect(commit(store, { messages: [message(uuid(9), 4, again)] })).rejects.toMatchObject({
      name: 'MessageExists',
    })
  })
})
