import { partsTextOf } from '../../model/message-text.ts'
import type { Writes } from '../store.ts'

/** The values of a row's columns. */
export type PackedRow = (string | number | null)[]

/**
 * Writes as they travel to the store's thread: for each table the values of its rows, in the order of its columns. To
 * copy objects from thread to thread, names and all, costs more than to write them to the disk.
 */
export interface PackedWrites {
  readonly cursor: number
  readonly purged: readonly PackedRow[]
  readonly conversations: readonly PackedRow[]
  readonly participants: readonly PackedRow[]
  readonly newMessages: readonly PackedRow[]
  readonly changedMessages: readonly PackedRow[]
  readonly people: readonly PackedRow[]
  /** Sessions are few: as they are. */
  readonly sessions: Writes['sessions']
  readonly nonces: readonly PackedRow[]
  readonly operations: readonly PackedRow[]
}

export function packWrites(writes: Writes): PackedWrites {
  const newMessages: PackedRow[] = []
  const changedMessages: PackedRow[] = []
  for (const message of writes.messages) (message.isNew ? newMessages : changedMessages).push(messageRow(message))
  return {
    cursor: writes.cursor,
    purged: writes.purged.map(({ app, key }) => [app, key]),
    conversations: writes.conversations.map((one) => conversationRow(one, writes)),
    participants: writes.participants.map(participantRow),
    newMessages,
    changedMessages,
    people: writes.people.map((one) => personRow(one, writes.cursor)),
    sessions: writes.sessions,
    nonces: writes.nonces.map(({ hash, forgetAt }) => [hash, forgetAt]),
    operations: writes.operations.map(operationRow),
  }
}

// Lists in one piece: spreading shorter ones into a longer one is what makes this slow.

function conversationRow(
  { app, record, headSequence, headPosition, lastMessageAt }: Writes['conversations'][number],
  { cursor, at }: Writes,
): PackedRow {
  const { id, createdAt, createdBy, distinctKey, metadata, deletedAt, sequence, changedAt } = record
  const text = JSON.stringify(metadata)
  // biome-ignore format: one line of columns
  return [app, id, createdAt, createdBy, distinctKey, text, deletedAt, sequence, changedAt, headSequence, headPosition, lastMessageAt, cursor, at]
}

function participantRow(one: Writes['participants'][number]): PackedRow {
  const { app, conversation, userId, state, order, joinedAt, lastPosition, sequence, inboxSequence, changedAt } = one
  const [absent, delivered, read, hidden] = [one.absent, one.delivered, one.read, one.hidden].map(setText) as SetTexts
  // biome-ignore format: one line of columns
  return [app, conversation, userId, state, order, joinedAt, absent, delivered, read, hidden, lastPosition, sequence, inboxSequence, changedAt]
}

function messageRow(one: Writes['messages'][number]): PackedRow {
  const { app, conversation, position, id, sender, sentAt, deletedAt, sequence, firstSequence, changedAt } = one
  const parts = partsTextOf(one)
  return [app, conversation, position, id, sender, sentAt, parts, deletedAt, sequence, firstSequence, changedAt]
}

function personRow(one: Writes['people'][number], cursor: number): PackedRow {
  const { app, profile, inboxSequence, isInboxMoved } = one
  const { userId, displayName, avatarUrl, firstName, lastName, emailAddress, phoneNumber, publicKey } = profile
  const metadata = JSON.stringify(profile.metadata)
  const moved = isInboxMoved ? cursor : 0
  // biome-ignore format: one line of columns
  return [app, userId, displayName, avatarUrl, firstName, lastName, emailAddress, phoneNumber, publicKey, metadata, profile.createdAt, profile.suspendedAt, inboxSequence, moved]
}

function operationRow({ app, userId, id, name, at, answer }: Writes['operations'][number]): PackedRow {
  return [app, userId, id, name, at, answer?.effect ?? null, answer ? JSON.stringify(answer.result) : null]
}

type SetTexts = [string, string, string, string]

/** A set of positions as JSON; a list of numbers joins to the same text. */
const setText = (set: readonly number[]): string => (set.length === 0 ? '[]' : `[${set.join(',')}]`)
