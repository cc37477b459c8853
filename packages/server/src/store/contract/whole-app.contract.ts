/** All there is in an app, written and read. */
import type { UserId } from '@parley/protocol'
import type { AppKey } from '../../model/state.ts'
import { NOTHING, type Store } from '../store.ts'
import {
  alice,
  ben,
  cleo,
  commit,
  conversation,
  message,
  ONE,
  participant,
  person,
  session,
  T,
  uuid,
} from './records.contract.ts'

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
