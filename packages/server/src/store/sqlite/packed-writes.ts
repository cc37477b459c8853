import type { Writes } from '../store.ts'

/** What a column holds. */
type Value = string | number | null

/**
 * Writes as they travel to the store's thread: the values of each table's rows, one after the other in one list. Copying
 * nested objects from thread to thread, names and all, costs more than writing them to the disk does.
 */
export interface PackedWrites {
  readonly cursor: number
  readonly at: number
  /** App and id. */
  readonly purged: readonly Value[]
  readonly conversations: readonly Value[]
  readonly participants: readonly Value[]
  readonly newMessages: readonly Value[]
  readonly changedMessages: readonly Value[]
  readonly people: readonly Value[]
  /** Sessions are few: as they are. */
  readonly sessions: Writes['sessions']
  readonly nonces: readonly Value[]
  readonly operations: readonly Value[]
}

export function packWrites(writes: Writes): PackedWrites {
  const { cursor, at } = writes
  const conversations: Value[] = []
  for (const { app, record, headSequence, headPosition, lastMessageAt } of writes.conversations) {
    const { id, createdAt, createdBy, distinctKey, metadata, deletedAt, sequence, changedAt } = record
    conversations.push(app, id, createdAt, createdBy, distinctKey, JSON.stringify(metadata), deletedAt)
    conversations.push(sequence, changedAt, headSequence, headPosition, lastMessageAt, cursor, at)
  }
  const participants: Value[] = []
  for (const one of writes.participants) {
    participants.push(one.app, one.conversation, one.userId, one.state, one.order, one.joinedAt)
    participants.push(setText(one.absent), setText(one.delivered), setText(one.read), setText(one.hidden))
    participants.push(one.lastPosition, one.sequence, one.inboxSequence, one.changedAt)
  }
  const newMessages: Value[] = []
  const changedMessages: Value[] = []
  for (const one of writes.messages) {
    const rows = one.isNew ? newMessages : changedMessages
    rows.push(one.app, one.conversation, one.position, one.id, one.sender, one.sentAt, JSON.stringify(one.parts))
    rows.push(one.deletedAt, one.sequence, one.firstSequence, one.changedAt)
  }
  const people: Value[] = []
  for (const { app, profile, inboxSequence, isInboxMoved } of writes.people) {
    people.push(app, profile.userId, profile.displayName, profile.avatarUrl, profile.firstName, profile.lastName)
    people.push(profile.emailAddress, profile.phoneNumber, profile.publicKey, JSON.stringify(profile.metadata))
    people.push(profile.createdAt, profile.suspendedAt, inboxSequence, isInboxMoved ? cursor : 0)
  }
  return {
    cursor,
    at,
    purged: writes.purged.flatMap(({ app, key }) => [app, key]),
    conversations,
    participants,
    newMessages,
    changedMessages,
    people,
    sessions: writes.sessions,
    nonces: writes.nonces.flatMap(({ hash, forgetAt }) => [hash, forgetAt]),
    operations: writes.operations.flatMap(({ app, userId, id, name, at: when }) => [app, userId, id, name, when]),
  }
}

/** A set of positions as JSON; a list of numbers joins to the same text. */
const setText = (set: readonly number[]): string => (set.length === 0 ? '[]' : `[${set.join(',')}]`)
