import { type LoadedConversation, type LogStore, MessageExists, StoreOutage, type Writes } from '../store.ts'
import type { Synchronous } from '../synchronous.ts'
import { keyOf, messageById, messagesOf, participantsOf, type Tables } from './tables.ts'

/** The write lane's side. A commit is looked through before it is applied, so that it happens whole or not at all. */
export function memoryLog(tables: Tables): Synchronous<LogStore> {
  return {
    lastCursor: () => tables.cursor,

    load(wanted) {
      const names = new Set(wanted.conversations.map(({ app, key }) => keyOf(app, key)))
      for (const { app, record } of tables.conversations.values()) {
        if (wanted.distinctKeys.some((one) => one.app === app && one.key === record.distinctKey)) {
          names.add(keyOf(app, record.id))
        }
      }
      return {
        conversations: [...names].flatMap((name) => loadConversation(tables, name)),
        messages: wanted.messages.flatMap(({ app, key }) => {
          const message = messageById(tables, app, key)
          return message ? [{ ...message, app }] : []
        }),
        people: wanted.people.flatMap(({ app, key }) => {
          const person = tables.people.get(keyOf(app, key))
          return person ? [{ app, profile: person.profile, inboxSequence: person.inboxSequence }] : []
        }),
        operations: wanted.operations.flatMap(
          ({ app, userId, id }) => tables.operations.get(keyOf(app, `${id} ${userId}`)) ?? [],
        ),
        nonces: wanted.nonces.filter((hash) => tables.nonces.has(hash)),
        sessions: wanted.sessions.flatMap((id) => tables.sessions.get(id)?.session ?? []),
      }
    },

    commit(writes) {
      assertPossible(tables, writes)
      apply(tables, writes)
    },

    prune({ operationsMs, noncesMs }) {
      for (const [name, { at }] of tables.operations) if (at < operationsMs) tables.operations.delete(name)
      for (const [hash, forgetAt] of tables.nonces) if (forgetAt < noncesMs) tables.nonces.delete(hash)
    },
  }
}

function loadConversation(tables: Tables, name: string): LoadedConversation[] {
  const entry = tables.conversations.get(name)
  if (!entry) return []
  const { app, record, headSequence, headPosition, lastMessageAt } = entry
  const participants = participantsOf(tables, app, record.id).map((participant) => participant.record)
  return [{ app, record, headSequence, headPosition, lastMessageAt, participants }]
}

/** The constraints a database would enforce. */
function assertPossible(tables: Tables, writes: Writes): void {
  if (writes.cursor !== tables.cursor + 1) throw new StoreOutage('Somebody else wrote to this store.')
  for (const { app, record } of writes.conversations) {
    for (const other of tables.conversations.values()) {
      const isInTheWay =
        record.distinctKey !== null && other.app === app && other.record.distinctKey === record.distinctKey
      const yields = writes.conversations.some((one) => one.app === app && one.record.id === other.record.id)
      if (isInTheWay && !yields) throw new Error(`There is a distinct conversation of ${record.distinctKey}.`)
    }
  }
  for (const { app, id, isNew } of writes.messages) {
    if (isNew && messageById(tables, app, id)) throw new MessageExists(`The message ${id} exists.`)
  }
  for (const { session, tokenHash } of writes.sessions) {
    if (tokenHash !== null && tables.sessions.has(session.id)) throw new Error(`The session ${session.id} exists.`)
  }
  for (const { hash } of writes.nonces) if (tables.nonces.has(hash)) throw new Error('The nonce was used.')
  for (const { app, userId, id } of writes.operations) {
    if (tables.operations.has(keyOf(app, `${id} ${userId}`))) throw new Error(`The operation ${id} is remembered.`)
  }
}

function apply(tables: Tables, writes: Writes): void {
  for (const { app, key } of writes.purged) tables.messages.delete(keyOf(app, key))
  for (const one of writes.conversations) {
    tables.conversations.set(keyOf(one.app, one.record.id), { ...one, moved: writes.cursor, movedAt: writes.at })
  }
  for (const { app, conversation, ...record } of writes.participants) {
    const name = keyOf(app, conversation)
    const participants = tables.participants.get(name) ?? new Map()
    tables.participants.set(name, participants.set(record.userId, record))
  }
  for (const { app, isNew: _isNew, ...message } of writes.messages) {
    const others = messagesOf(tables, app, message.conversation).filter((one) => one.position !== message.position)
    const all = [...others, message].sort((a, b) => a.position - b.position)
    tables.messages.set(keyOf(app, message.conversation), all)
  }
  for (const { app, profile, inboxSequence, isInboxMoved } of writes.people) {
    const name = keyOf(app, profile.userId)
    const inboxMoved = isInboxMoved ? writes.cursor : (tables.people.get(name)?.inboxMoved ?? 0)
    tables.people.set(name, { app, profile, inboxSequence, inboxMoved })
  }
  for (const { session, tokenHash } of writes.sessions) {
    const before = tables.sessions.get(session.id)
    if (tokenHash !== null) tables.sessions.set(session.id, { session, tokenHash })
    else if (before) {
      // Whoever ended it in the meantime is not overruled.
      const endedAt = before.session.endedAt ?? session.endedAt
      const renewed = { ...before.session, expiresAt: session.expiresAt, endedAt }
      tables.sessions.set(session.id, { session: renewed, tokenHash: before.tokenHash })
    }
  }
  for (const { hash, forgetAt } of writes.nonces) tables.nonces.set(hash, forgetAt)
  for (const one of writes.operations) tables.operations.set(keyOf(one.app, `${one.id} ${one.userId}`), one)
  tables.cursor = writes.cursor
}
