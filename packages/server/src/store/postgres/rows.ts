/** Between table rows and records. A row's shape is the table's; nothing here decides anything. */
import type {
  AppKey,
  ConversationRecord,
  MessageRecord,
  ParticipantRecord,
  Profile,
  Session,
} from '../../model/state.ts'
import type { RememberedOperation } from '../store.ts'

// Rows come from our own tables; the casts below say which. Columns of JSON come as values.
export type Row = Record<string, never>

export const CONVERSATION_COLUMNS =
  'c.id, c.created_at, c.created_by, c.distinct_key, c.metadata, c.deleted_at, c.sequence, c.changed_at, c.head_sequence, c.head_position, c.last_message_at'

export const toConversation = (row: Row): ConversationRecord => ({
  id: row.id!,
  createdAt: row.created_at!,
  createdBy: row.created_by!,
  distinctKey: row.distinct_key!,
  metadata: row.metadata!,
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
  absent: row.absent!,
  delivered: row.delivered!,
  read: row.read!,
  hidden: row.hidden!,
  lastPosition: row.last_position!,
  sequence: row.sequence!,
  inboxSequence: row.inbox_sequence!,
  changedAt: row.changed_at!,
})

/** Opens the index by person to a statement on participants `p`; see the schema. */
export const BY_PERSON = 'p.inbox_sequence >= 0'

export const MESSAGE_COLUMNS =
  'm.id, m.conversation, m.position, m.sender, m.sent_at, m.parts, m.deleted_at, m.sequence, m.first_sequence, m.changed_at'

export const toMessage = (row: Row): MessageRecord => ({
  id: row.id!,
  conversation: row.conversation!,
  position: row.position!,
  sender: row.sender!,
  sentAt: row.sent_at!,
  parts: row.parts!,
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
  metadata: row.metadata!,
  createdAt: row.created_at!,
  suspendedAt: row.suspended_at!,
})

/** A participant with their profile, as one row. */
export const MEMBER_COLUMNS = `${PARTICIPANT_COLUMNS}, i.display_name, i.avatar_url, i.first_name, i.last_name,
  i.email_address, i.phone_number, i.public_key, i.metadata, i.created_at, i.suspended_at`

export const toMember = (row: Row) => ({ record: toParticipant(row), profile: toProfile(row) })

export const OPERATION_COLUMNS = 'o.app, o.user_id, o.id, o.name, o.at, o.effect, o.result'

export const toOperation = (row: Row): RememberedOperation => ({
  app: row.app! as AppKey,
  userId: row.user_id!,
  id: row.id!,
  name: row.name!,
  at: row.at!,
  ...(row.effect !== null && { answer: { effect: row.effect!, result: row.result } }),
})

export const toSession = (row: Row): Session => ({
  id: row.id!,
  app: row.app! as AppKey,
  userId: row.user_id!,
  createdAt: row.created_at!,
  expiresAt: row.expires_at!,
  endedAt: row.ended_at!,
})
