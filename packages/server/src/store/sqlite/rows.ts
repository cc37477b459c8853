/** Between table rows and records. A row's shape is the table's; nothing here decides anything. */
import type {
  AppKey,
  ConversationRecord,
  MessageRecord,
  ParticipantRecord,
  Profile,
  Session,
} from '../../model/state.ts'

// Rows come from our own tables; the casts below say which.
export type Row = Record<string, never>

export const CONVERSATION_COLUMNS =
  'id, created_at, created_by, distinct_key, metadata, deleted_at, sequence, changed_at, head_sequence, head_position, last_message_at'

export const toConversation = (row: Row): ConversationRecord => ({
  id: row.id!,
  createdAt: row.created_at!,
  createdBy: row.created_by!,
  distinctKey: row.distinct_key!,
  metadata: JSON.parse(row.metadata!),
  deletedAt: row.deleted_at!,
  sequence: row.sequence!,
  changedAt: row.changed_at!,
})

export const PARTICIPANT_COLUMNS =
  'p.user_id, p.state, p.join_order, p.joined_at, p.absent, p.delivered, p.read, p.hidden, p.last_position, p.sequence, p.inbox_sequence, p.changed_at'

export const toParticipant = (row: Row): ParticipantRecord => ({
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
})

export const MESSAGE_COLUMNS =
  'id, conversation, position, sender, sent_at, parts, deleted_at, sequence, first_sequence, changed_at'

export const toMessage = (row: Row): MessageRecord => ({
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
})

export const PROFILE_COLUMNS =
  'i.user_id, i.display_name, i.avatar_url, i.first_name, i.last_name, i.email_address, i.phone_number, i.public_key, i.metadata, i.created_at, i.suspended_at'

export const toProfile = (row: Row): Profile => ({
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
})

export const toSession = (row: Row): Session => ({
  id: row.id!,
  app: row.app! as AppKey,
  userId: row.user_id!,
  createdAt: row.created_at!,
  expiresAt: row.expires_at!,
  endedAt: row.ended_at!,
})
