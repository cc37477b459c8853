import type { Uuid } from '@parley/protocol'
import type { AppKey } from '../../model/state.ts'
import {
  type Basis,
  type LoadedConversation,
  type LogStore,
  MessageExists,
  type Outdated,
  Stale,
  type Writes,
} from '../store.ts'
import type { Synchronous } from '../synchronous.ts'
import { afterOthers } from './after-others.ts'
import { keyOf, messageById, messagesOf, participantsOf, type Tables } from './tables.ts'

/** The write lane's side. A commit is looked through before it is applied, so that it happens whole or not at all. */
export function memoryLog(tables: Tables, writers: 'one' | 'many' = 'one'): Synchronous<LogStore> {
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
        conversations: [...names].flatMap((name) => {
          const { revision, terms, ...loaded } = loadConversation(tables, name) ?? {}
          const revised = writers === 'many' && { revision, terms }
          return 'app' in loaded ? [{ ...loaded, ...revised } as LoadedConversation] : []
        }),
        messages: wanted.messages.flatMap(({ app, key }) => {
          const message = messageById(tables, app, key)
          return message ? [{ ...message, app }] : []
        }),
        people: wanted.people.flatMap(({ app, key }) => {
          const person = tables.people.get(keyOf(app, key))
          if (!person) return []
          const { profile, inboxSequence, revision } = person
          return [{ app, profile, inboxSequence, ...(writers === 'many' && { revision }) }]
        }),
        operations: wanted.operations.flatMap(
          ({ app, userId, id }) => tables.operations.get(keyOf(app, `${id} ${userId}`)) ?? [],
        ),
        nonces: wanted.nonces.filter((hash) => tables.nonces.has(hash)),
        sessions: wanted.sessions.flatMap((id) => tables.sessions.get(id)?.session ?? []),
      }
    },

    commit(writes) {
      if (writers === 'one' && writes.cursor !== tables.cursor + 1) throw new Stale()
      const cursor = tables.cursor + 1
      if (writers === 'many' && writes.basis) assertCurrent(tables, writes.basis)
      assertPossible(tables, writes)
      const { shifted, moved } = writers === 'many' ? afterOthers(tables, writes) : { shifted: [], moved: writes }
      apply(tables, { ...moved, cursor })
      return { cursor, settled: cursor - 1, ...(shifted.length > 0 && { shifted }) }
    },

    prune({ operationsMs, noncesMs }) {
      for (const [name, { at }] of tables.operations) if (at < operationsMs) tables.operations.delete(name)
      for (const [hash, forgetAt] of tables.nonces) if (forgetAt < noncesMs) tables.nonces.delete(hash)
    },
  }
}

function loadConversation(tables: Tables, name: string): LoadedConversation | undefined {
  const entry = tables.conversations.get(name)
  if (!entry) return undefined
  const { app, record, headSequence, headPosition, lastMessageAt, revision, terms } = entry
  const participants = participantsOf(tables, app, record.id).map((participant) => participant.record)
  return { app, record, headSequence, headPosition, lastMessageAt, participants, revision, terms }
}

/** Whether everything is still as the writer believed. */
function assertCurrent(tables: Tables, basis: Basis): void {
  const conversations = basis.conversations.filter(({ app, key, revision, terms, change }) => {
    const entry = tables.conversations.get(keyOf(app, key))
    return (entry?.revision ?? 0) !== revision && !(change === 'messages' && entry?.terms === terms)
  })
  const people = basis.people.filter(
    ({ app, key, revision }) => (tables.people.get(keyOf(app, key))?.revision ?? 0) !== revision,
  )
  if (conversations.length > 0 || people.length > 0) {
    throw new Stale({
      conversations: conversations.map(({ app, key }) => ({ app, key })),
      people: people.map(({ app, key }) => ({ app, key })),
    })
  }
}

/** The constraints a database would enforce. */
function assertPossible(tables: Tables, writes: Writes): void {
  const messages = writes.messages.filter(({ app, id, isNew }) => isNew && messageById(tables, app, id))
  const inTheWay: Partial<Outdated> = {
    distinctKeys: writes.conversations.flatMap(({ app, record: { id, distinctKey } }) =>
      distinctKey !== null && isKeyTaken(tables, writes, app, distinctKey, id) ? [{ app, key: distinctKey }] : [],
    ),
    sessions: writes.sessions.flatMap(({ session, tokenHash }) =>
      tokenHash !== null && tables.sessions.has(session.id) ? [session.id] : [],
    ),
    nonces: writes.nonces.flatMap(({ hash }) => (tables.nonces.has(hash) ? [hash] : [])),
    operations: writes.operations.filter(({ app, userId, id }) => tables.operations.has(keyOf(app, `${id} ${userId}`))),
  }
  if (Object.values(inTheWay).some((items) => items.length > 0)) {
    throw new Stale({ ...inTheWay, messages: messages.map(({ app, id }) => ({ app, key: id })) })
  }
  if (messages.length > 0) throw new MessageExists(`The message ${messages[0]!.id} exists.`)
}

/** Whether another conversation bears the key, and does not give it up in the same commit. */
function isKeyTaken(tables: Tables, writes: Writes, app: AppKey, distinctKey: string, id: Uuid): boolean {
  return [...tables.conversations.values()].some(
    (other) =>
      other.app === app &&
      other.record.id !== id &&
      other.record.distinctKey === distinctKey &&
      !writes.conversations.some((one) => one.app === app && one.record.id === other.record.id),
  )
}

/** A conversation changes with everything in it. */
function touchedConversations(writes: Writes): Set<string> {
  return new Set([
    ...writes.conversations.map(({ app, record }) => keyOf(app, record.id)),
    ...[...writes.participants, ...writes.messages].map(({ app, conversation }) => keyOf(app, conversation)),
    ...writes.purged.map(({ app, key }) => keyOf(app, key)),
  ])
}

function apply(tables: Tables, writes: Writes): void {
  for (const { app, key } of writes.purged) tables.messages.delete(keyOf(app, key))
  for (const one of writes.conversations) {
    const name = keyOf(one.app, one.record.id)
    const { revision = 0, terms = 0 } = tables.conversations.get(name) ?? {}
    tables.conversations.set(name, { ...one, moved: writes.cursor, movedAt: writes.at, revision, terms })
  }
  const keepsTerms = new Set(writes.basis?.conversations.flatMap((one) => (one.change ? keyOf(one.app, one.key) : [])))
  for (const name of touchedConversations(writes)) {
    const entry = tables.conversations.get(name)
    const terms = Number(!keepsTerms.has(name))
    if (entry) tables.conversations.set(name, { ...entry, revision: entry.revision + 1, terms: entry.terms + terms })
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
    const before = tables.people.get(name)
    const inboxMoved = isInboxMoved ? writes.cursor : (before?.inboxMoved ?? 0)
    tables.people.set(name, { app, profile, inboxSequence, inboxMoved, revision: (before?.revision ?? 0) + 1 })
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
