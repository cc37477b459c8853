/**
 * Between table rows and records. A row's shape is the table's; nothing here decides anything, except that a row which is
 * not what was written becomes no record.
 */
import type { UserId, Uuid } from '@parley/protocol'
import { messageText } from '../../model/message-text.ts'
import type {
  AppKey,
  ConversationRecord,
  MessageRecord,
  ParticipantRecord,
  Profile,
  Session,
} from '../../model/state.ts'
import type { RememberedOperation } from '../store.ts'
import type { WrittenRow } from '../written-page.ts'
import { mustBeAsWritten, mustBeAsWrittenText } from './row-sums.ts'

// Rows come from our own tables; the casts below say which.
export type Row = Record<string, never>

export const CONVERSATION_COLUMNS =
  'id, created_at, created_by, distinct_key, metadata, deleted_at, sequence, changed_at, head_sequence, head_position, last_message_at, sum'

export function toConversation(row: Row): ConversationRecord {
  mustBeAsWritten('conversations', row.sum!, conversationValues(row))
  return {
    id: row.id!,
    createdAt: row.created_at!,
    createdBy: row.created_by!,
    distinctKey: row.distinct_key!,
    metadata: JSON.parse(row.metadata!),
    deletedAt: row.deleted_at!,
    sequence: row.sequence!,
    changedAt: row.changed_at!,
  }
}

export const PARTICIPANT_COLUMNS =
  'p.user_id, p.state, p.join_order, p.joined_at, p.absent, p.delivered, p.read, p.hidden, p.last_position, p.sequence, p.inbox_sequence, p.changed_at, p.sum AS participant_sum'

export function toParticipant(row: Row): ParticipantRecord {
  mustBeAsWritten('participants', row.participant_sum!, participantValues(row))
  return {
    userId: row.user_id!,
    state: row.state!,
    order: row.join_order!,
    joinedAt: row.joined_at!,
    absent: JSON.parse(row.absent!),
    delivered: JSON.parse(row.delivered!),
    read: JSON.parse(row.read!),
    hidden: JSON.parse(row.hidden!),
    lastPosition: row.last_position!,
    sequence: row.sequence!,
    inboxSequence: row.inbox_sequence!,
    changedAt: row.changed_at!,
  }
}

export const MESSAGE_COLUMNS =
  'id, conversation, position, sender, sent_at, parts, deleted_at, sequence, first_sequence, changed_at, sum'

export function toMessage(row: Row): MessageRecord {
  mustBeAsWritten('messages', row.sum!, messageValues(row))
  return {
    id: row.id!,
    conversation: row.conversation!,
    position: row.position!,
    sender: row.sender!,
    sentAt: row.sent_at!,
    parts: JSON.parse(row.parts!),
    deletedAt: row.deleted_at!,
    sequence: row.sequence!,
    firstSequence: row.first_sequence!,
    changedAt: row.changed_at!,
  }
}

/**
 * A message as one text with a value in each line: of a long history, to bring values over one by one costs more than to
 * find them in a text. After the sum comes all that it was made of, as it was made, so that nothing has to be put
 * together to look whether it is true.
 */
export const WRITTEN_COLUMNS = `concat_ws(char(10), coalesce(sum, ''), conversation, position, id, sender, sent_at, parts,
  coalesce(deleted_at, ''), sequence, first_sequence, changed_at)`

/** A message as it travels: its parts are text in the table and stay it. */
export function toWrittenRow(row: string): WrittenRow {
  const atConversation = row.indexOf('\n') + 1
  const sum = atConversation === 1 ? null : Number(row.slice(0, atConversation - 1))
  mustBeAsWrittenText('messages', sum, row.slice(atConversation))
  const atPosition = row.indexOf('\n', atConversation) + 1
  const atId = row.indexOf('\n', atPosition) + 1
  const atSender = row.indexOf('\n', atId) + 1
  let atSent = row.indexOf('\n', atSender) + 1
  let atParts = row.indexOf('\n', atSent) + 1
  let atDeleted = row.indexOf('\n', atParts) + 1
  let atSequence = row.indexOf('\n', atDeleted) + 1
  let atFirst = row.indexOf('\n', atSequence) + 1
  let atChanged = row.indexOf('\n', atFirst) + 1
  // Nothing but who sent it can have an end of line in it: as many too many as there are, it goes on by.
  for (let next = row.indexOf('\n', atChanged) + 1; next > 0; next = row.indexOf('\n', atChanged) + 1) {
    atSent = atParts
    atParts = atDeleted
    atDeleted = atSequence
    atSequence = atFirst
    atFirst = atChanged
    atChanged = next
  }
  const deletedAt = row.slice(atDeleted, atSequence - 1)
  const message = {
    sequence: Number(row.slice(atSequence, atFirst - 1)),
    id: row.slice(atId, atSender - 1) as Uuid,
    position: Number(row.slice(atPosition, atId - 1)),
    sender: row.slice(atSender, atSent - 1) as UserId,
    sentAt: Number(row.slice(atSent, atParts - 1)),
    deletedAt: deletedAt === '' ? null : Number(deletedAt),
  }
  return { type: 'message', record: message, text: messageText(message, row.slice(atParts, atDeleted - 1)) }
}

export const PROFILE_COLUMNS =
  'i.user_id, i.display_name, i.avatar_url, i.first_name, i.last_name, i.email_address, i.phone_number, i.public_key, i.metadata, i.created_at, i.suspended_at, i.sum AS identity_sum'

export function toProfile(row: Row): Profile {
  mustBeAsWritten('identities', row.identity_sum!, profileValues(row))
  return {
    userId: row.user_id!,
    displayName: row.display_name!,
    avatarUrl: row.avatar_url!,
    firstName: row.first_name!,
    lastName: row.last_name!,
    emailAddress: row.email_address!,
    phoneNumber: row.phone_number!,
    publicKey: row.public_key!,
    metadata: JSON.parse(row.metadata!),
    createdAt: row.created_at!,
    suspendedAt: row.suspended_at!,
  }
}

export function toSession(row: Row): Session {
  mustBeAsWritten('sessions', row.sum!, sessionValues(row))
  return {
    id: row.id!,
    app: row.app! as AppKey,
    userId: row.user_id!,
    createdAt: row.created_at!,
    expiresAt: row.expires_at!,
    endedAt: row.ended_at!,
  }
}

export const OPERATION_COLUMNS = 'app, user_id, id, name, at, effect, result, sum'

export function toOperation(row: Row): RememberedOperation {
  mustBeAsWritten('operations', row.sum!, operationValues(row))
  return {
    app: row.app! as AppKey,
    userId: row.user_id!,
    id: row.id!,
    name: row.name!,
    at: row.at!,
    ...(row.effect !== null && { answer: { effect: row.effect!, result: JSON.parse(row.result!) } }),
  }
}

/** What a sum is made of: all that is served, in the order in which the log writes it. */
const conversationValues = (row: Row): unknown[] => [
  ...[row.id, row.created_at, row.created_by, row.distinct_key, row.metadata, row.deleted_at, row.sequence],
  ...[row.changed_at, row.head_sequence, row.head_position, row.last_message_at],
]
const participantValues = (row: Row): unknown[] => [
  ...[row.user_id, row.state, row.join_order, row.joined_at, row.absent, row.delivered, row.read, row.hidden],
  ...[row.last_position, row.sequence, row.inbox_sequence, row.changed_at],
]
const messageValues = (row: Row): unknown[] => [
  ...[row.conversation, row.position, row.id, row.sender, row.sent_at, row.parts, row.deleted_at, row.sequence],
  ...[row.first_sequence, row.changed_at],
]
const profileValues = (row: Row): unknown[] => [
  ...[row.user_id, row.display_name, row.avatar_url, row.first_name, row.last_name, row.email_address],
  ...[row.phone_number, row.public_key, row.metadata, row.created_at, row.suspended_at],
]
const operationValues = (row: Row): unknown[] => [row.user_id, row.id, row.name, row.at, row.effect, row.result]
/** Who it is for; when it ends may be changed by another process. */
const sessionValues = (row: Row): unknown[] => [row.id, row.token_hash, row.app, row.user_id, row.created_at]
