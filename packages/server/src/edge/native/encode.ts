/** From what the store keeps to what a Parley client reads. One frame per change, the same for every listener. */
import {
  type BasicIdentity,
  type ChangeFrame,
  type ConversationRow,
  conversationId,
  identityId,
  type MembershipRow,
  type MessageRow,
  messageId,
  type ParticipantRow,
  type Row,
  type StreamId,
  type Uuid,
} from '@parley/protocol'
import type { Change } from '../../delivery/change.ts'
import type { ConversationRecord, MessageRecord, ParticipantRecord, Profile } from '../../model/state.ts'
import { isActive } from '../../model/state.ts'
import type { StreamRow } from '../../store/store.ts'

const iso = (ms: number): string => new Date(ms).toISOString()

export const basicIdentity = (profile: Profile): BasicIdentity => ({
  id: identityId(profile.userId),
  user_id: profile.userId,
  display_name: profile.displayName,
  avatar_url: profile.avatarUrl,
})

export const conversationRow = (record: ConversationRecord): ConversationRow => ({
  type: 'conversation',
  sequence: record.sequence,
  id: conversationId(record.id),
  created_at: iso(record.createdAt),
  distinct: record.distinctKey !== null,
  metadata: record.metadata,
  deleted_at: record.deletedAt === null ? null : iso(record.deletedAt),
})

export const participantRow = (record: ParticipantRecord, profile: Profile): ParticipantRow => ({
  type: 'participant',
  sequence: record.sequence,
  identity: basicIdentity(profile),
  state: isActive(record) ? 'active' : 'left',
  joined_at: iso(record.joinedAt),
  absent: record.absent,
  delivered: record.delivered,
  read: record.read,
})

export const messageRow = (record: MessageRecord): MessageRow => ({
  type: 'message',
  sequence: record.sequence,
  id: messageId(record.id),
  position: record.position,
  sender: identityId(record.sender),
  sent_at: iso(record.sentAt),
  parts: record.parts,
  deleted_at: record.deletedAt === null ? null : iso(record.deletedAt),
})

export const membershipRow = (conversation: Uuid, record: ParticipantRecord): MembershipRow => ({
  type: 'membership',
  sequence: record.inboxSequence,
  conversation: conversationId(conversation),
  state: record.state,
  hidden: record.hidden,
  last_position: record.lastPosition,
})

export function streamRow(row: StreamRow): Row {
  switch (row.type) {
    case 'conversation':
      return conversationRow(row.record)
    case 'participant':
      return participantRow(row.record, row.profile)
    case 'message':
      return messageRow(row.record)
  }
}

export function changeFrame({ move, committed }: Change): ChangeFrame {
  const stream: StreamId = move.stream === 'inbox' ? 'inbox' : conversationId(move.conversation.id)
  const rows =
    move.stream === 'inbox'
      ? move.rows.map(({ conversation, record }) => membershipRow(conversation, record))
      : move.rows.map(streamRow)
  return { type: 'change', stream, after: move.after, sequence: move.sequence, cursor: String(committed.settled), rows }
}
